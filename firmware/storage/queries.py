"""The reading side, for commands and pages: records as the JSON fields of the design, newest last.

Works beside a running store and without one; nothing here changes a record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from peewee import JOIN, ModelSelect, SqliteDatabase

from firmware import wav
from firmware.durable_files import plain_errors, write_durably
from firmware.errors import RecordNotFound, StorageError
from firmware.storage.database import connect, plain_database_errors, readable
from firmware.storage.migrations import refuse_newer, refuse_older
from firmware.storage.models import Call, Callback, Incident, IncidentAction, Message, RecordingRow
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.stamps import local_text
from firmware.storage.store_files import DATABASE_FILE
from firmware.storage.text import WORD_LIMIT, bounded
from firmware.units import samples_to_seconds

Record = dict[str, Any]


class Records:
    """An open reading connection; a context manager. All methods block and raise StorageError.

    `zone` is the time zone that times are told in. `limit` takes that many of the newest.
    """

    def __init__(self, data_dir: Path, zone: ZoneInfo) -> None:
        self._file = data_dir / DATABASE_FILE
        self._folder = data_dir / FOLDER
        self._zone = zone
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    def calls(self, limit: int | None = None) -> list[Record]:
        """Every call."""
        return [self._call(row) for row in self._newest(Call.select(), Call.seq, limit)]

    def messages(self, limit: int | None = None) -> list[Record]:
        """Every message."""
        return [self._message(row) for row in self._newest(_messages(), Message.number, limit)]

    def callbacks(self, limit: int | None = None) -> list[Record]:
        """Every callback request."""
        return [self._callback(row) for row in self._newest(Callback.select(), Callback.number, limit)]

    def incidents(self, limit: int | None = None) -> list[Record]:
        """Every incident with what was done about it."""
        rows = list(self._newest(Incident.select(), Incident.seq, limit))
        actions: dict[str, list[Record]] = {row["id"]: [] for row in rows}
        query = IncidentAction.select().order_by(IncidentAction.seq)
        for action in self._rows(query):
            if action["incident_id"] in actions:
                told = {"at": self._local(action["at"]), "action": action["action"]}
                actions[action["incident_id"]].append(told)
        return [self._incident(row, actions[row["id"]]) for row in rows]

    def export_message(self, wanted: str, target: Path) -> None:
        """Write the kept part of a message as WAV; `wanted` is an id, a number, or a callback's `reason_id`.

        The target is replaced as a whole or not at all. Raises: RecordNotFound, StorageError.
        """
        row = self._find_recording(bounded(wanted, WORD_LIMIT))
        source = self._folder / row["file"]
        sample_format = RecordingName.parse(row["file"]).sample_format
        with plain_errors(source), source.open("rb") as file:
            file.seek(wav.HEADER_BYTES)
            data = file.read(row["kept_samples"] * sample_format.sample_bytes)
        with plain_errors(target):
            write_durably(target, wav.dump(sample_format, data))

    def _open(self) -> SqliteDatabase:
        if not self._file.is_file():
            raise StorageError(f"there are no records in {self._file.parent} yet; start Linekeeper with it first")
        db = readable(self._file)
        try:
            with plain_database_errors(self._file):
                connect(db)
                refuse_newer(db)
                refuse_older(db)
        except StorageError:
            db.close()
            raise
        return db

    def _rows(self, query: ModelSelect[Any]) -> Iterable[Record]:
        with plain_database_errors(self._file):
            return list(query.dicts().execute(self._db))

    def _newest(self, query: ModelSelect[Any], order: Any, limit: int | None) -> Iterable[Record]:
        return reversed(list(self._rows(query.order_by(order.desc()).limit(limit))))

    def _find_recording(self, wanted: str) -> Record:
        query = RecordingRow.select(RecordingRow.file, RecordingRow.kept_samples).join(
            Message, JOIN.LEFT_OUTER, on=(Message.recording_id == RecordingRow.id)
        )
        matches = (Message.id == wanted) | (RecordingRow.id == wanted)
        if wanted.isascii() and wanted.isdecimal():
            # A number too long for SQLite is no number of ours.
            matches = Message.number == int(wanted[:18])
        for row in self._rows(query.where(matches)):
            return row
        raise RecordNotFound(f"there is no message {wanted}; `messages list` shows those there are")

    def _local(self, text: str | None) -> str | None:
        return local_text(text, self._zone)

    def _call(self, row: Record) -> Record:
        return {
            "id": row["id"],
            "line": row["line"],
            "caller_number": row["caller_number"],
            "caller_name": row["caller_name"],
            "started_at": self._local(row["started_at"]),
            "answered_at": self._local(row["answered_at"]),
            "ended_at": self._local(row["ended_at"]),
            "end_reason": row["end_reason"],
            "language": row["language"],
            "path": json.loads(row["path"]),
        }

    def _message(self, row: Record) -> Record:
        return {
            "id": row["id"],
            "number": row["number"],
            "call_id": row["call_id"],
            "caller_number": row["caller_number"],
            "language": row["language"],
            "urgent": row["urgent"],
            "interrupted": row["interrupted"],
            "recorded_at": self._local(row["recorded_at"]),
            "duration_seconds": round(samples_to_seconds(row["kept_samples"]), 3),
            "handled": row["handled"],
            "transcript": row["transcript"],
        }

    def _callback(self, row: Record) -> Record:
        return {
            "id": row["id"],
            "number": row["number"],
            "phone": row["phone"],
            "requested_at": self._local(row["requested_at"]),
            "preferred": row["preferred"],
            "reason_id": row["reason_id"],
            "state": row["state"],
            "attempts": row["attempts"],
        }

    def _incident(self, row: Record, actions: list[Record]) -> Record:
        return {
            "id": row["id"],
            "kind": row["kind"],
            "place": row["place"],
            "started_at": self._local(row["started_at"]),
            "ended_at": self._local(row["ended_at"]),
            "summary": row["summary"],
            "actions": actions,
        }


def _messages() -> ModelSelect[Any]:
    return Message.select(Message, RecordingRow.recorded_at, RecordingRow.kept_samples).join(
        RecordingRow, on=(Message.recording_id == RecordingRow.id)
    )
