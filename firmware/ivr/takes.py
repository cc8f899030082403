"""Recording the caller: from the first sample to a file that survives anything.

A take is finished on the disk whatever ends it: the caller, a limit, a lost modem, a shutdown. Only a take with nothing
in it is discarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum

from firmware.errors import CallerGone, DiskFull
from firmware.events import RecordingEnd, RecordingStarted, RecordingStopped
from firmware.ivr.dialogue import Dialogue
from firmware.ivr.flow import END_KEY
from firmware.journal import journal
from firmware.ports import AudioSink, CallStore, Recording, RecordLimits, StoredTake, Take
from firmware.settings import CallSettings
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds

# An end that came from outside tells nothing about voice: from here on we take it that somebody spoke.
_MAYBE_VOICED_SECONDS = 1.0
# systemd waits 90 s for a service to stop; several lines finish their takes at once, each on its own.
_FINISH_AT_SHUTDOWN_SECONDS = 10.0

Keep = Callable[[StoredTake], Awaitable[None]]
"""Puts a finished take into the records."""

_log = journal("ivr")


class Purpose(Enum):
    """Where a recording belongs. Values are those of `CallStore.start_recording`."""

    MESSAGE = "message"
    CALLBACK_REASON = "callback_reason"


class _Tally:
    """Counts the bytes of a take on their way: the line tells nothing when it fails."""

    def __init__(self, sink: AudioSink) -> None:
        self._sink = sink
        self.total_bytes = 0

    def write(self, data: bytes) -> None:
        self.total_bytes += len(data)
        self._sink.write(data)


class TakeKeeper:
    """Records takes of one call and has them kept."""

    def __init__(self, talk: Dialogue, store: CallStore, settings: CallSettings) -> None:
        self._talk = talk
        self._store = store
        self._settings = settings

    async def has_room(self) -> bool:
        """Whether the disk takes voice."""
        return await self._store.voice_room()

    async def record(self, purpose: Purpose, longest_seconds: float, keep: Keep) -> Take:
        """Record, finish, and have it kept where something was said. The far end's hang-up is in the result.

        Raises: DiskFull when nothing could be kept for want of room, StorageError; ModemError, PortError and
        cancellation only after what was recorded until then is kept.
        """
        limits = self._limits(longest_seconds)
        recording = await self._store.start_recording(self._talk.call_id, self._talk.line.sample_format, purpose.value)
        tally = _Tally(recording)
        self._talk.watcher(RecordingStarted(self._talk.line_name, self._talk.call_id))
        try:
            take = await self._talk.line.record(tally, limits)
        except (Exception, asyncio.CancelledError) as error:
            # Whatever cut it short: what the caller said is kept first.
            await _despite_everything(self._finish(recording, self._cut_short(tally, _end_by(error)), keep))
            raise
        await _shielded(self._finish(recording, take, keep))
        return take

    def _limits(self, longest_seconds: float) -> RecordLimits:
        return RecordLimits(
            longest_seconds=min(longest_seconds, self._talk.seconds_left()),
            silence_seconds=self._settings.silence_ends_message_seconds,
            silence_below_dbfs=self._settings.silence_below_dbfs,
            end_keys=END_KEY,
        )

    def _cut_short(self, tally: _Tally, end: RecordingEnd) -> Take:
        samples = tally.total_bytes // self._talk.line.sample_format.sample_bytes
        return Take(end, samples, samples, voiced=samples >= _MAYBE_VOICED_SECONDS * SAMPLE_RATE_HZ)

    async def _finish(self, recording: Recording, take: Take, keep: Keep) -> None:
        seconds = samples_to_seconds(take.total_samples)
        self._talk.watcher(RecordingStopped(self._talk.line_name, self._talk.call_id, take.end, seconds))
        if take.end is RecordingEnd.KEY:
            self._talk.pressed(END_KEY)
        if not take.voiced:
            await recording.discard()
            if take.end is RecordingEnd.DISK_FULL:
                raise DiskFull("the disk took nothing of a recording")
            return
        await keep(await recording.finish(take))


def _end_by(error: BaseException) -> RecordingEnd:
    if isinstance(error, asyncio.CancelledError):
        return RecordingEnd.INTERRUPTED
    return RecordingEnd.HANG_UP if isinstance(error, CallerGone) else RecordingEnd.FAULT


async def _shielded(work: Coroutine[None, None, None]) -> None:
    """Let a commit that has begun come to its end, also when the call is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await _let_finish(task)
        raise


async def _despite_everything(work: Coroutine[None, None, None]) -> None:
    """Do bounded work while an error or a cancellation is under way, which stays the one to report."""
    await _let_finish(asyncio.ensure_future(work))


async def _let_finish(task: asyncio.Future[None]) -> None:
    finished, unfinished = await asyncio.wait({task}, timeout=_FINISH_AT_SHUTDOWN_SECONDS)
    for late in unfinished:
        late.cancel()  # recovery at the next start has it
    for error in [done.exception() for done in finished if not done.cancelled()]:
        if error is not None:
            _log.error("a recording that was cut short could not be kept", exc_info=error)
