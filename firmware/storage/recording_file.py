"""A recording as a file: its name, and how it grows. Blocking: for threads only.

The name of an unfinished file says everything that recovery needs, so a database row is needed for nothing:
`<recording id>.<call id>.<purpose>.<sample format>.wav`, with `.partial` behind it until the recording is whole.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from firmware.durable_files import FILE_MODE, plain_errors, rename_durably, sync_folder
from firmware.errors import DiskFull, StorageError
from firmware.events import RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import StoredTake, Take
from firmware.storage.stamps import id_time
from firmware.units import seconds_to_samples
from firmware.wav import HEADER_BYTES, header

PARTIAL_SUFFIX = ".partial"
_WAV_SUFFIX = ".wav"
# One unsynced stretch, one unwritten one (recordings.py) and the disk's own delay stay within a second together.
_SYNC_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class RecordingName:
    """What a file's name tells about the recording in it."""

    recording_id: str
    call_id: str
    purpose: str
    sample_format: SampleFormat

    @property
    def final(self) -> str:
        """The name of the whole recording."""
        parts = (self.recording_id, self.call_id, self.purpose, self.sample_format.value)
        return ".".join(parts) + _WAV_SUFFIX

    @property
    def partial(self) -> str:
        """The name while it grows."""
        return self.final + PARTIAL_SUFFIX

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read either name. Raises: ValueError for a file that is not ours."""
        parts = name.removesuffix(PARTIAL_SUFFIX).removesuffix(_WAV_SUFFIX).split(".")
        if len(parts) != 4 or not parts[2].isidentifier():
            raise ValueError(f"{name!r} is not the name of a recording")
        parsed = cls(parts[0], parts[1], parts[2], SampleFormat(parts[3]))
        id_time(parsed.recording_id)
        id_time(parsed.call_id)
        if name not in (parsed.final, parsed.partial) or parsed.sample_format is SampleFormat.S8:
            raise ValueError(f"{name!r} is not the name of a recording")
        return parsed


class GrowingFile:
    """A file that takes samples until it is finished or removed.

    `push` belongs to one thread and never blocks; the other methods do, and may be called from any thread in any order.
    """

    def __init__(self, folder: Path, name: RecordingName) -> None:
        self._folder = folder
        self._name = name
        self._path = folder / name.partial
        self._pushed: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._data_bytes = 0
        self._synced_bytes = -1
        self._failure: StorageError | None = None
        with plain_errors(self._path):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._handle: int | None = os.open(self._path, flags, FILE_MODE)
            self._write_header()

    @property
    def failure(self) -> StorageError | None:
        """Why the disk took no more, once it refused."""
        return self._failure

    def push(self, data: bytes) -> None:
        """Queue samples for `drain`."""
        self._pushed.append(data)

    def drain(self) -> None:
        """Write what was pushed, and sync it when enough has come together. Failures are kept in `failure`."""
        with self._lock:
            if self._handle is not None:
                self._drain()

    def finish(self, take: Take) -> StoredTake:
        """Write the rest, mend the header, and make the file durable under its final name.

        A full disk is told once, as DiskFull; a take whose end is DISK_FULL keeps what the disk took before.
        """
        with self._lock:
            self._drain()
            self._judge_failure(take)
            whole = self._whole_samples()
            self._seal(whole)
        mended = replace(take, total_samples=whole, kept_samples=max(0, min(take.kept_samples, whole)))
        return StoredTake(self._name.final, self._name.sample_format, mended)

    def close(self) -> None:
        """Let go of an unfinished file; recovery will find it."""
        with self._lock:
            if self._handle is None:
                return
            self._drain(sync_step=1)
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Remove it under whichever name it has."""
        with self._lock, plain_errors(self._path):
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
            self._path.unlink(missing_ok=True)
            (self._folder / self._name.final).unlink(missing_ok=True)
            sync_folder(self._folder)

    def _drain(self, sync_step: int | None = None) -> None:
        try:
            while self._pushed and self._failure is None:
                with plain_errors(self._path):
                    self._append(self._pushed.popleft())
            unsynced = self._data_bytes - max(0, self._synced_bytes)
            if unsynced >= (sync_step or self._sync_step()) and self._failure is None:
                self._sync()
        except StorageError as error:
            self._failure = error

    def _append(self, data: bytes) -> None:
        assert self._handle is not None
        view = memoryview(data)
        while view:
            written = os.pwrite(self._handle, view, HEADER_BYTES + self._data_bytes)
            self._data_bytes += written
            view = view[written:]

    def _sync(self) -> None:
        assert self._handle is not None
        with self._believing_only_what_was_synced():
            os.fdatasync(self._handle)
            if self._synced_bytes < 0:
                sync_folder(self._folder)
        self._synced_bytes = self._data_bytes

    def _seal(self, whole_samples: int) -> None:
        assert self._handle is not None
        with self._believing_only_what_was_synced():
            seal(self._handle, self._name.sample_format, whole_samples)
        with plain_errors(self._path):
            rename_durably(self._path, self._folder / self._name.final)
        os.close(self._handle)
        self._handle = None

    @contextmanager
    def _believing_only_what_was_synced(self) -> Iterator[None]:
        # Linux tells a failed write-back once and then forgets the pages (fsync(2), errors): a later sync that succeeds
        # proves nothing about them.
        try:
            with plain_errors(self._path):
                yield
        except StorageError as error:
            self._failure = error
            self._data_bytes = max(0, self._synced_bytes)
            raise

    def _judge_failure(self, take: Take) -> None:
        if self._handle is None:
            raise StorageError(f"{self._path} is finished or removed already")
        if self._failure is None:
            return
        keeps_the_rest = take.end in (RecordingEnd.DISK_FULL, RecordingEnd.FAULT)
        if not keeps_the_rest or (isinstance(self._failure, DiskFull) and not self._whole_samples()):
            raise self._failure

    def _whole_samples(self) -> int:
        return self._data_bytes // self._name.sample_format.sample_bytes

    def _sync_step(self) -> int:
        return seconds_to_samples(_SYNC_SECONDS) * self._name.sample_format.sample_bytes

    def _write_header(self) -> None:
        assert self._handle is not None
        try:
            if os.pwrite(self._handle, header(self._name.sample_format, 0), 0) < HEADER_BYTES:
                raise DiskFull(f"the disk is full; free some space for {self._folder}")
        except (OSError, DiskFull):
            os.close(self._handle)
            self._path.unlink()
            raise


def seal(handle: int, sample_format: SampleFormat, whole_samples: int) -> None:
    """Make a true WAV file of an open one: header, no half sample behind it, everything on the disk."""
    data_bytes = whole_samples * sample_format.sample_bytes
    os.pwrite(handle, header(sample_format, data_bytes), 0)
    os.ftruncate(handle, HEADER_BYTES + data_bytes)
    os.fsync(handle)
