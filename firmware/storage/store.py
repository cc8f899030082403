"""The store: `ports.CallStore` on a disk. Every method returns after its commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from firmware import durable_files
from firmware.durable_files import DiskRoom
from firmware.errors import DiskFull, StorageError
from firmware.events import CallbackKept, CallEnd, CallerId, MessageKept
from firmware.journal import journal
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import CallbackRequest, Clock, StoredTake
from firmware.storage import audio_release, call_rows, callback_rows, recording_rows, transcript_rows
from firmware.storage.backup_folder import add_backup, make_local_folder
from firmware.storage.database import Database, checkpoint
from firmware.storage.incident_writing import IncidentWriting
from firmware.storage.opening import Opening
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings import DiskRecording
from firmware.storage.recordings_folder import FOLDER, RecordingsFolder
from firmware.storage.recovery import RecoverySummary
from firmware.storage.rescue import rescue
from firmware.storage.store_files import DATABASE_FILE, LOCAL_BACKUPS
from firmware.storage.threads import in_thread
from firmware.storage.transcript_rows import Untranscribed
from firmware.wav import HEADER_BYTES

MESSAGE = "message"
_DISK = "disk"
_MEGABYTE = 1_000_000
_KEPT_SNAPSHOTS = 2
# Some days of an office's writes; backups of the database are made daily.
_MOST_REMEMBERED = 5000


class Store(IncidentWriting):
    """Calls, messages, callback requests and incidents of one appliance. `open` first, `close` last.

    `free_bytes` tells the room on the disk that a folder is on. `backup_folders` are where backups may be found on the
    day on which the database is found damaged.

    Calls may begin before `open` has returned, and go on where it failed: their records wait, recordings are made,
    and what must be acknowledged waits a while and then fails.
    """

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        *,
        keep_free_megabytes: int = 64,
        free_bytes: Callable[[Path], int] = durable_files.free_bytes,
        disk_room: Callable[[Path], DiskRoom] = durable_files.disk_room,
        backup_folders: Sequence[Path] = (),
    ) -> None:
        self._data_dir = data_dir
        self._database = Database(data_dir / DATABASE_FILE)
        super().__init__(self._database, clock, most_remembered=_MOST_REMEMBERED)
        self._calls: set[str] = set()
        self._closed = False
        self._recordings = RecordingsFolder(data_dir / FOLDER, self._make_id)
        self._opening = Opening(
            data_dir, self._database, self._writer, self._recordings, self._calls, clock, self._make_id, backup_folders
        )
        self._keep_free_bytes = keep_free_megabytes * _MEGABYTE
        self._free_bytes = free_bytes
        self._disk_room = disk_room
        # Unknown at first, so that a fault which an earlier run left open is closed.
        self._had_room: bool | None = None

    async def open(self) -> RecoverySummary:
        """Take the data folder, bring the database up to date, and recover what the last run left.

        Raises: StorageError; then everything is let go of again, and `open` may be called again.
        """
        return await self._opening.open()

    @property
    def is_open(self) -> bool:
        """Whether records are written and read at once."""
        return self._database.is_open

    async def close(self) -> None:
        """Finish what is queued, and leave a database that needs no recovery. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._recordings.close()
        finally:
            await self._opening.close()

    @property
    def trouble(self) -> str | None:
        """Why the database took nothing the last time, if it did not."""
        return self._writer.trouble

    async def put_in_order(self) -> None:
        """Move everything written so far into the database file itself, and empty its WAL. Raises: StorageError."""
        await self._database.run(checkpoint)

    async def count_waiting(self) -> int:
        """Messages that nobody has handled yet. Raises: StorageError."""
        return await self._database.read(recording_rows.count_unhandled)

    async def answers(self) -> None:
        """Returns once the writing thread has done everything asked of it before. Raises: StorageError."""
        await self._database.answers()

    @property
    def waits_for_disk(self) -> bool:
        """Whether writing hangs in the kernel, for a disk that does not answer."""
        return self._database.waits_for_disk

    def new_call_id(self) -> str:
        """An id for a call that rings now; see `ports.CallStore`."""
        return self._make_id()

    async def call_offered(self, line: str, caller: CallerId, call_id: str | None = None) -> str:
        """A call rings; returns its id. What fails here is made up for by the next write that succeeds."""
        call_id = call_id or self._make_id()
        self._calls.add(call_id)
        await self._writer.write_or_owe(call_rows.insert_call, call_id, line, caller, self._now())
        return call_id

    async def call_answered(self, call_id: str, caller: CallerId) -> None:
        """The line is off hook, and who calls is known as far as it ever will be."""
        await self._writer.write_or_owe(call_rows.set_answered, call_id, caller, self._now())

    async def call_ended(
        self, call_id: str, end: CallEnd, evidence: str | None, language: str, path: Sequence[str]
    ) -> None:
        """The call is over. A recording that the call left behind unfinished or unkept becomes a message."""
        now = self._now()
        self._calls.discard(call_id)
        try:
            await self._writer.write_or_owe(call_rows.set_ended, call_id, end, evidence, language, path, now)
        finally:
            for recording in self._recordings.take_abandoned(call_id):
                await rescue(self._database, recording, self._make_id(), language, now)

    async def voice_room(self) -> bool:
        """Whether the disk has room for another recording. A disk that is nearly full is an incident."""
        free = await in_thread(self._recordings.files, self._free, self._recordings.path)
        room = free >= self._keep_free_bytes
        if room is not self._had_room:
            await self._tell_room(room)
        return room

    async def start_recording(self, call_id: str, sample_format: SampleFormat, purpose: str = MESSAGE) -> DiskRecording:
        """`sample_format` is the line's. `purpose` is an identifier that recovery reads. Raises: DiskFull."""
        if not await self.voice_room():
            raise DiskFull(f"the disk is nearly full; free some space for {self._recordings.path.parent}")
        return await self._recordings.start(call_id, sample_format, purpose, self._now())

    async def keep_message(self, call_id: str, stored: StoredTake, language: str) -> MessageKept:
        """Keep a message; the same recording kept twice is still one message."""
        now = self._now()
        began = self._recordings.began(stored, now)
        work = recording_rows.keep_message
        kept = await self._writer.write(work, self._make_id(), call_id, stored, language, began, now)
        self._recordings.kept(stored)
        return kept

    async def replace_message(self, message_id: str, stored: StoredTake) -> MessageKept:
        """The caller recorded again: same message and number, new recording; the old one is removed."""
        began = self._recordings.began(stored, self._now())
        kept, doomed = await self._writer.write(recording_rows.replace_message, message_id, stored, began)
        self._recordings.kept(stored)
        if doomed is not None:
            await self._remove_doomed(doomed, recording_rows.forget_doomed)
        return kept

    async def mark_urgent(self, message_id: str) -> None:
        """The caller called it urgent."""
        await self._writer.write(recording_rows.set_urgent, message_id)

    async def keep_snapshot(self, local_stamp: str) -> None:
        """A small backup of the database alone beside the records, for the day on which it is found damaged.

        `local_stamp` is YYYYMMDD-HHMMSS. Raises: StorageError.
        """
        folder = self._data_dir / LOCAL_BACKUPS
        held = self._writer.done_so_far()
        await in_thread(self._recordings.files, make_local_folder, folder)
        await in_thread(
            self._recordings.files,
            lambda: add_backup(self._data_dir, folder, _KEPT_SNAPSHOTS, self._now(), local_stamp, database_only=True),
        )
        self._writer.forget(held)

    async def has_snapshot(self) -> bool:
        """Whether there is one: an erasure removes them, as they hold what was erased. Raises: StorageError."""
        folder = self._data_dir / LOCAL_BACKUPS
        return bool(await in_thread(self._recordings.files, lambda: list(folder.glob("*.backup"))))

    async def disk_room(self) -> DiskRoom:
        """How full the disk of the recordings is. Raises: StorageError."""

        def look() -> DiskRoom:
            with durable_files.plain_errors(self._recordings.path):
                return self._disk_room(self._recordings.path)

        return await in_thread(self._recordings.files, look)

    async def release_audio(self, before: str | None, most: int) -> int:
        """Remove the oldest audio that every route delivered, recorded before a moment in UTC; the records stay.

        Returns how many there were, of `most`. Raises: StorageError.
        """
        now = self._now().at
        released = await self._database.write(audio_release.release, before or now, most, now)
        for file in released:
            await self._remove_doomed(file, audio_release.note_released, now)
        return len(released)

    async def message_audio(self, message_id: str) -> bytes:
        """The kept part of a message as s16."""
        row = await self._database.read(recording_rows.recording_of_message, message_id)
        return await in_thread(self._recordings.files, self._read_kept, row.file, row.kept_samples)

    async def next_untranscribed(self, languages: Collection[str]) -> Untranscribed | None:
        """The oldest message in one of the languages that nobody has written down. Raises: StorageError."""
        return await self._database.read(transcript_rows.next_untranscribed, languages)

    async def keep_transcript(self, job: Untranscribed, text: str, confidence: float) -> None:
        """Keep what a message says; an empty text says that nothing was understood. Raises: StorageError."""
        await self._writer.write(transcript_rows.keep_transcript, job, text, confidence)

    async def keep_callback(self, call_id: str, request: CallbackRequest, language: str) -> CallbackKept:
        """Keep a request; an open one of the same number is updated instead."""
        now = self._now()
        began = self._recordings.began(request.reason, now) if request.reason else now
        work = callback_rows.keep_callback
        kept = await self._writer.write(work, self._make_id(), call_id, request, language, began, now)
        if request.reason:
            self._recordings.kept(request.reason)
        return kept

    async def add_callback_reason(self, callback_id: str, reason: StoredTake) -> None:
        """The spoken reason of a request that is kept already."""
        now = self._now()
        began = self._recordings.began(reason, now)
        await self._writer.write(callback_rows.add_reason, callback_id, reason, began, now)
        self._recordings.kept(reason)

    async def remembered_language(self, number: str) -> str | None:
        """The language this number chose before; none while the database is not open: a greeting waits for nothing."""
        if not self._database.is_open:
            return None
        return await self._database.read(call_rows.language_of, number)

    async def remember_language(self, number: str, language: str) -> None:
        """Remember it for the next call."""
        await self._writer.write_or_owe(call_rows.set_language, number, language, self._now())

    async def _tell_room(self, room: bool) -> None:
        if not self._database.is_open:
            return
        self._had_room = room
        folder = self._recordings.path.parent
        try:
            if room:
                await self.close_incident(_DISK, _DISK)
            else:
                sentence = f"the disk is nearly full, so callers can leave no voice; free some space for {folder}"
                await self.open_incident(_DISK, _DISK, sentence)
        except StorageError as error:
            journal("storage").error("a full disk cannot be recorded", error=str(error))

    def _free(self, folder: Path) -> int:
        with durable_files.plain_errors(folder):
            return self._free_bytes(folder)

    def _read_kept(self, file: str, kept_samples: int) -> bytes:
        path = self._recordings.path / file
        sample_format = RecordingName.parse(file).sample_format
        with durable_files.plain_errors(path), path.open("rb") as wav:
            wav.seek(HEADER_BYTES)
            return decode_to_s16(wav.read(kept_samples * sample_format.sample_bytes), sample_format)

    async def _remove_doomed(self, file: str, forget: Callable[..., None], *more: object) -> None:
        # The records are right already; what fails here is done again at the next start.
        try:
            await in_thread(self._recordings.files, durable_files.remove_durably, self._recordings.path / file)
            await self._writer.write(forget, file, *more)
        except (OSError, StorageError) as error:
            journal("storage").warning("an old recording could not be removed yet", file=file, error=str(error))
