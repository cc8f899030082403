"""The recordings of one store: started, growing, and those that no record refers to yet."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from firmware.errors import RecordNotFound
from firmware.pcm import SampleFormat
from firmware.ports import StoredTake
from firmware.storage.recording_file import GrowingFile, RecordingName
from firmware.storage.recordings import DiskRecording, RecordingState, stored_format
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.text import WORD_LIMIT, bounded
from firmware.storage.threads import in_thread

FOLDER = "recordings"
# Enough that one slow sync does not keep other recordings waiting; the disk itself is the limit beyond.
_WORKERS = 4


class RecordingsFolder:
    """Belongs to the event loop's thread; what blocks runs in its own few threads."""

    def __init__(self, folder: Path, make_id: IdMaker) -> None:
        self.path = folder
        self.files = ThreadPoolExecutor(_WORKERS, thread_name_prefix="recordings")
        self._make_id = make_id
        self._loose: dict[str, DiskRecording] = {}
        self._starting: set[str] = set()

    async def start(self, call_id: str, line_format: SampleFormat, purpose: str, began: Stamp) -> DiskRecording:
        """A new recording. Raises: StorageError, DiskFull, RecordNotFound for what is no call's id."""
        name = RecordingName(self._make_id(), call_id, purpose, stored_format(line_format))
        _check(name)
        # Known before it is there: a recovery that runs beside calls must not take it for remains.
        self._starting.add(name.final)
        try:
            file = await in_thread(self.files, GrowingFile, self.path, name)
            recording = self._loose[name.final] = DiskRecording(name, file, line_format, self.files, began)
        finally:
            self._starting.discard(name.final)
        return recording

    def live_files(self) -> frozenset[str]:
        """The final names of recordings that no record refers to yet."""
        return frozenset(self._starting | self._loose.keys())

    def began(self, stored: StoredTake, otherwise: Stamp) -> Stamp:
        """When a recording of this run began."""
        recording = self._loose.get(stored.file)
        return otherwise if recording is None else recording.began

    def kept(self, stored: StoredTake) -> None:
        """A record refers to it now: it is no longer ours to remove or to rescue."""
        recording = self._loose.pop(stored.file, None)
        if recording is not None:
            recording.state = RecordingState.KEPT

    def take_abandoned(self, call_id: str) -> Iterator[DiskRecording]:
        """Recordings of a call that is over, which nobody kept or discarded; they are forgotten here."""
        for file, recording in list(self._loose.items()):
            if recording.state is RecordingState.GONE:
                del self._loose[file]
            elif recording.name.call_id == call_id:
                yield self._loose.pop(file)

    async def close(self) -> None:
        """Let go of whatever still grows; recovery will find it at the next start."""
        for recording in self._loose.values():
            await recording.let_go()
        self._loose.clear()
        self.files.shutdown(wait=False)


def _check(name: RecordingName) -> None:
    # A name that recovery could not read would hide the recording from it.
    try:
        RecordingName.parse(name.partial)
    except ValueError as error:
        raise RecordNotFound(f"{bounded(name.call_id, WORD_LIMIT)!r} is not the id of a call of this store") from error
