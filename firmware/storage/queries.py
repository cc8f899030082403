"""The reading side, for commands and pages: records as the JSON fields of the design, newest last.

Works beside a running store and without one; nothing here changes a record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from peewee import JOIN, ModelSelect, SqliteDatabase

from firmware import wav
from firmware.durable_files import plain_errors, write_durably
from firmware.errors import RecordNotFound, StorageError
from firmware.storage.database import connect, plain_database_errors, readable
from firmware.storage.incident_facts import IncidentFacts, read_facts
from firmware.storage.migrations import refuse_newer, refuse_older, run_sql
from firmware.storage.models import Call, Callback, Incident, IncidentAction, IncidentNotice, Message, RecordingRow
from firmware.storage.record_json import Record, call_json, callback_json, incident_json, message_json
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.stamps import local_text, utc_text
from firmware.storage.store_files import DATABASE_FILE
from firmware.storage.text import WORD_LIMIT, bounded


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
        return [call_json(row, self._local) for row in self._newest(Call.select(), Call.seq, limit)]

    def messages(self, limit: int | None = None) -> list[Record]:
        """Every message."""
        return [message_json(row, self._local) for row in self._newest(_messages(), Message.number, limit)]

    def contact_names(self) -> dict[str, str]:
        """The names of contacts by number, E.164."""
        query = "SELECT key, body FROM shared_item WHERE kind = 'contact' AND body IS NOT NULL"
        with plain_database_errors(self._file):
            rows = run_sql(self._db, query).fetchall()
        names = {key: json.loads(body).get("name") for key, body in rows}
        return {key: name for key, name in names.items() if name}

    def callbacks(self, limit: int | None = None) -> list[Record]:
        """Every callback request."""
        return [callback_json(row, self._local) for row in self._newest(Callback.select(), Callback.number, limit)]

    def incidents(self, limit: int | None = None) -> list[Record]:
        """Every incident with what was done about it."""
        rows = list(self._newest(Incident.select(), Incident.seq, limit))
        actions, notices = self._by_incident(IncidentAction), self._by_incident(IncidentNotice)
        return [incident_json(row, actions.get(row["id"], []), notices.get(row["id"], []), self._local) for row in rows]

    def incident_facts(self, wanted: str, now: datetime) -> IncidentFacts:
        """Everything about one incident, by its id or number. Raises: RecordNotFound."""
        with plain_database_errors(self._file):
            return read_facts(self._db, wanted, utc_text(now))

    def export_message(self, wanted: str, target: Path) -> None:
        """Write the kept part of a message as WAV; `wanted` is an id, a number, or a callback's `reason_id`.

        The target is replaced as a whole or not at all. Raises: RecordNotFound, StorageError.
        """
        row = self._find_recording(bounded(wanted, WORD_LIMIT))
        if row["released_at"] is not None:
            raise StorageError(
                f"the audio of {wanted} was delivered, and removed here on {self._local(row['released_at'])}; "
                "ask where it was delivered to"
            )
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

    def _by_incident(self, table: type[IncidentAction | IncidentNotice]) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for row in self._rows(table.select().order_by(table.seq)):
            found.setdefault(row["incident_id"], []).append(row)
        return found

    def _newest(self, query: ModelSelect[Any], order: Any, limit: int | None) -> Iterable[Record]:
        return reversed(list(self._rows(query.order_by(order.desc()).limit(limit))))

    def _find_recording(self, wanted: str) -> Record:
        query = RecordingRow.select(RecordingRow.file, RecordingRow.kept_samples, RecordingRow.released_at).join(
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


def _messages() -> ModelSelect[Any]:
    return Message.select(Message, RecordingRow.recorded_at, RecordingRow.kept_samples).join(
        RecordingRow, on=(Message.recording_id == RecordingRow.id)
    )
