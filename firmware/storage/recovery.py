"""What a start makes of the remains of a run that ended without warning.

Every step can be cut short and repeated: a file is made durable before it gets a row, and nothing is removed that could
be somebody's words.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from peewee import SqliteDatabase

from firmware.durable_files import plain_errors, remove_durably, rename_durably
from firmware.errors import StorageError
from firmware.events import CallEnd
from firmware.storage import call_rows, incident_rows, recording_rows
from firmware.storage.adoption import adopt, remains
from firmware.storage.models import Call, RecordingRow
from firmware.storage.recording_file import PARTIAL_SUFFIX, RecordingName, seal
from firmware.storage.stamps import Stamp, utc_text
from firmware.units import samples_to_seconds, seconds_to_samples
from firmware.wav import HEADER_BYTES

_SHORTEST_SECONDS = 0.5
_PLACE = "storage"
# Only the first few of many alike get an incident of their own words; the count tells the rest.
_NAMED_FILES = 5
_BLOCK_BYTES = 4096


@dataclass(slots=True)
class RecoverySummary:
    """What was found, and what was done about it."""

    at: Stamp
    messages: list[str] = field(default_factory=list)
    """Ids of messages that were made from remains."""
    reasons: int = 0
    """Recordings that went to callback requests."""
    removed: int = 0
    """Remains too short to hold words, and files whose removal was decided before."""
    interrupted_calls: int = 0
    missing_files: list[str] = field(default_factory=list)
    """Recordings that have a row and no file."""
    problems: list[str] = field(default_factory=list)
    """Files that were left alone, each with its reason."""

    @property
    def clean(self) -> bool:
        """Whether the last run had ended in good form."""
        return not (self.messages or self.reasons or self.interrupted_calls)


@dataclass(frozen=True, slots=True)
class Live:
    """What is no remains but goes on: calls by id, and the final names of recordings that nobody kept yet."""

    calls: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


class Recovery:
    """One recovery; call it in the database's writing thread. What is `live` is left alone."""

    def __init__(self, folder: Path, make_id: Callable[[], str], now: Stamp, live: Live | None = None) -> None:
        self._folder = folder
        self._live = live or Live()
        self._make_id = make_id
        self._now = now
        self._summary = RecoverySummary(now)

    def __call__(self, db: SqliteDatabase) -> RecoverySummary:
        """Raises: StorageError when the folder or the database cannot be read at all."""
        with plain_errors(self._folder):
            self._remove_doomed(db)
            self._each(PARTIAL_SUFFIX, self._complete)
            recorded = recording_rows.recorded_files(db)
            self._each(".wav", lambda file: self._adopt(db, file) if file.name not in recorded else None)
            needed = recording_rows.files_of_recordings(db)
            self._summary.missing_files = sorted(needed - set(os.listdir(self._folder)))  # noqa: PTH208
        self._close_calls(db)
        with db.atomic():
            self._report(db)
        return self._summary

    def _each(self, suffix: str, treat: Callable[[Path], None]) -> None:
        for file in sorted(self._folder.iterdir()):
            if not file.name.endswith(suffix) or file.name.removesuffix(PARTIAL_SUFFIX) in self._live.files:
                continue
            try:
                treat(file)
            except (OSError, ValueError, StorageError) as error:
                self._summary.problems.append(f"{file.name}: {error}")

    def _remove_doomed(self, db: SqliteDatabase) -> None:
        for file in recording_rows.doomed_files(db):
            remove_durably(self._folder / file)
            recording_rows.forget_doomed(db, file)
            self._summary.removed += 1

    def _complete(self, file: Path) -> None:
        name = RecordingName.parse(file.name)
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            samples = _true_samples(handle, name)
            if self._too_short(file, samples):
                return
            seal(handle, name.sample_format, samples)
        finally:
            os.close(handle)
        rename_durably(file, self._folder / name.final)

    def _adopt(self, db: SqliteDatabase, file: Path) -> None:
        name = RecordingName.parse(file.name)
        samples = _samples(file, name)
        if self._too_short(file, samples):
            return
        with db.atomic():
            adopted = adopt(db, self._make_id(), remains(name, samples), self._now)
        if adopted.message_id is None:
            self._summary.reasons += 1
        else:
            self._summary.messages.append(adopted.message_id)

    def _too_short(self, file: Path, samples: int) -> bool:
        if samples >= seconds_to_samples(_SHORTEST_SECONDS):
            return False
        remove_durably(file)
        self._summary.removed += 1
        return True

    def _close_calls(self, db: SqliteDatabase) -> None:
        for call in call_rows.unended_calls(db):
            if call.id in self._live.calls:
                continue
            with db.atomic():
                end = Stamp(_last_sign(db, call), trusted=False)
                call_rows.set_ended(db, call.id, CallEnd.INTERRUPTED, None, call.language, [], end)
            self._summary.interrupted_calls += 1

    def _report(self, db: SqliteDatabase) -> None:
        summary = self._summary
        if not summary.clean:
            self._incident(db, "unclean_stop", "the last run ended without warning")
            incident_rows.note_incident(db, "unclean_stop", _PLACE, _what_was_done(summary), self._now)
            incident_rows.close_incident(db, "unclean_stop", _PLACE, self._now)
        self._standing(db, "recording_missing", "recordings are missing on the disk", summary.missing_files)
        self._standing(db, "recording_unreadable", "files in the recordings folder were left alone", summary.problems)

    def _standing(self, db: SqliteDatabase, kind: str, what: str, items: list[str]) -> None:
        if not items:
            incident_rows.close_incident(db, kind, _PLACE, self._now)
            return
        self._incident(db, kind, f"{len(items)} {what}: {'; '.join(items[:_NAMED_FILES])}")

    def _incident(self, db: SqliteDatabase, kind: str, summary: str) -> None:
        incident_rows.open_incident(db, self._make_id(), kind, _PLACE, summary, self._now)


def _what_was_done(summary: RecoverySummary) -> str:
    return (
        f"{len(summary.messages)} messages recovered, {summary.reasons} spoken reasons recovered, "
        f"{summary.interrupted_calls} calls marked as interrupted"
    )


def _samples(file: Path, name: RecordingName) -> int:
    return max(0, file.stat().st_size - HEADER_BYTES) // name.sample_format.sample_bytes


def _true_samples(handle: int, name: RecordingName) -> int:
    """Samples before the zeros at the end, if there are any.

    ext4 lets a file grow within a block that it has allocated before the data is on the disk: after a power cut, up to
    the last stretch that was not synced may read as zeros (measured by the cut matrix, `python -m cuts`).
    """
    end = size = os.fstat(handle).st_size
    while end > HEADER_BYTES:
        begin = max(HEADER_BYTES, end - _BLOCK_BYTES)
        if block := os.pread(handle, end - begin, begin).rstrip(b"\0"):
            data_bytes = begin + len(block) - HEADER_BYTES
            sample_bytes = name.sample_format.sample_bytes
            return min(-(-data_bytes // sample_bytes), (size - HEADER_BYTES) // sample_bytes)
        end = begin
    return 0


def _last_sign(db: SqliteDatabase, call: Call) -> str:
    """When the call was last known to live: better than the start that found it, hours later perhaps."""
    signs = [call.started_at, *([call.answered_at] if call.answered_at else [])]
    for row in RecordingRow.select().where(RecordingRow.call_id == call.id).execute(db):
        length = timedelta(seconds=samples_to_seconds(row.total_samples))
        signs.append(utc_text(datetime.fromisoformat(row.recorded_at) + length))
    return max(signs)
