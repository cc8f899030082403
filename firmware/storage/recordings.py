"""The loop's side of a recording: takes samples without ever waiting, and lets a thread bring them to the disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from firmware.pcm import SampleFormat
from firmware.ports import StoredTake, Take
from firmware.storage.recording_file import GrowingFile, RecordingName
from firmware.storage.stamps import Stamp
from firmware.storage.threads import in_thread
from firmware.units import seconds_to_samples

_WRITE_SECONDS = 0.25
# WAV knows 8-bit samples as unsigned only; the top bit is the whole difference.
_S8_TO_U8 = bytes(code ^ 0x80 for code in range(256))


def stored_format(line_format: SampleFormat) -> SampleFormat:
    """How samples of a line are stored: as they are, except where WAV has no such format."""
    return SampleFormat.U8 if line_format is SampleFormat.S8 else line_format


class RecordingState(Enum):
    """How far a recording has come."""

    GROWING = "growing"
    FINISHED = "finished"
    KEPT = "kept"
    GONE = "gone"


class DiskRecording:
    """`ports.Recording`. Lives in the event loop's thread; `files` runs what blocks."""

    def __init__(
        self,
        name: RecordingName,
        file: GrowingFile,
        line_format: SampleFormat,
        files: ThreadPoolExecutor,
        began: Stamp,
    ) -> None:
        self.name = name
        self.began = began
        self.state = RecordingState.GROWING
        self.stored: StoredTake | None = None
        self._file = file
        self._files = files
        self._translate = _S8_TO_U8 if line_format is SampleFormat.S8 else None
        self._batch_bytes = seconds_to_samples(_WRITE_SECONDS) * line_format.sample_bytes
        self._waiting_bytes = 0
        self._drain: asyncio.Future[None] | None = None

    @property
    def draining(self) -> asyncio.Future[None] | None:
        """The write to the disk that is under way."""
        return self._drain

    def write(self, data: bytes) -> None:
        """Samples as the modem sent them; never blocks. Raises: StorageError, DiskFull once the disk refused some."""
        if self._file.failure is not None:
            raise self._file.failure
        self._file.push(data.translate(self._translate) if self._translate else bytes(data))
        self._waiting_bytes += len(data)
        self._drain_when_due()

    async def finish(self, take: Take) -> StoredTake:
        """Make it durable under its final name; what the disk holds decides the number of samples.

        Raises: StorageError; DiskFull when the disk refused samples and the take does not know it yet. Then, finish
        again with `end=RecordingEnd.DISK_FULL` keeps what the disk took.
        """
        self.stored = await in_thread(self._files, self._finish, take)
        return self.stored

    async def discard(self) -> None:
        """Remove it; nothing happens once a record refers to it."""
        if self.state is RecordingState.KEPT:
            return
        self.state = RecordingState.GONE
        await in_thread(self._files, self._file.remove)

    def _finish(self, take: Take) -> StoredTake:
        stored = self._file.finish(take)
        self.state = RecordingState.FINISHED
        return stored

    async def let_go(self) -> None:
        """Write what is there and close the file without finishing it; recovery will."""
        await in_thread(self._files, self._file.close)

    def _drain_when_due(self) -> None:
        if self._drain is None and self._waiting_bytes >= self._batch_bytes:
            self._waiting_bytes = 0
            self._drain = asyncio.get_running_loop().run_in_executor(self._files, self._file.drain)
            self._drain.add_done_callback(self._drained)

    def _drained(self, drain: asyncio.Future[None]) -> None:
        self._drain = None
        if not drain.cancelled():
            drain.result()
            self._drain_when_due()
