"""A technician listens in to a live call: both directions in one sound, while somebody listens and not otherwise.

Nothing of it reaches back into the call: a listener who is too slow loses sound, never the caller. Who listens in, when
it began and when it ended goes into the journal each time (requirement B6, every access audited).
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol

from firmware.audio.jitter_buffer import JitterBuffer
from firmware.errors import RecordNotFound
from firmware.events import CallEnd, CallEnded
from firmware.journal import journal
from firmware.pcm import SampleFormat, decode_to_s16, from_array, to_array
from firmware.ports import CallMonitor
from firmware.services.event_hub import CallHub, Event
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds, seconds_to_samples

_log = journal("monitor")

_BLOCK_SECONDS = 0.05
# Samples come in pieces of a read of the modem's port, and the process has other calls to serve: later than this, and
# the listener hears a hole.
_CUSHION_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 1.0
_S16_RANGE = range(-32768, 32768)


class Monitored(Protocol):
    """A line that can be listened to, such as `modem.line.ModemLine`; None while nobody listens."""

    monitor: CallMonitor | None


class MonitorDesk:
    """Every line of a service that may be listened to."""

    def __init__(self, hub: CallHub) -> None:
        self._taps: dict[str, _LineTap] = {}
        hub.listen(self._happened)

    def add(self, name: str, line: Monitored) -> None:
        """Let this line be listened to."""
        self._taps[name] = _LineTap(line)

    def close(self) -> None:
        """End every listening."""
        for tap in self._taps.values():
            tap.end()

    def listen(self, name: str, listener: str) -> AsyncGenerator[bytes]:
        """The sound of a line as s16 at the pace of time, silence where there is none, until a call on it ends.

        `listener` says who listens, for the journal. Raises: RecordNotFound for a line that is not there.
        """
        if name not in self._taps:
            raise RecordNotFound(f"there is no line {name}; there is: {', '.join(self._taps)}")
        return _audited(self._taps[name], name, listener)

    def _happened(self, event: Event) -> None:
        # A caller who gave up before the answer leaves the listener waiting for the next one.
        if isinstance(event, CallEnded) and event.end is not CallEnd.NOT_ANSWERED and event.line in self._taps:
            self._taps[event.line].end()


class _LineTap:
    """One line's listeners. `ports.CallMonitor`, plugged into the line while there are any."""

    def __init__(self, line: Monitored) -> None:
        self._line = line
        self._mixers: set[_Mixer] = set()

    def caller_said(self, data: bytes, sample_format: SampleFormat) -> None:
        """Samples as they came from the line."""
        s16 = decode_to_s16(data, sample_format)
        for mixer in self._mixers:
            mixer.said.bring(s16)

    def caller_hears(self, data: bytes, sample_format: SampleFormat) -> None:
        """Samples as they go to the line."""
        s16 = decode_to_s16(data, sample_format)
        for mixer in self._mixers:
            mixer.heard.bring(s16)

    def end(self) -> None:
        """The call is over, for everybody who listens now."""
        for mixer in self._mixers:
            mixer.over.set()

    @contextmanager
    def mixer(self) -> Iterator[_Mixer]:
        """What one listener hears."""
        mixer = _Mixer()
        self._mixers.add(mixer)
        self._line.monitor = self
        try:
            yield mixer
        finally:
            self._mixers.discard(mixer)
            if not self._mixers:
                self._line.monitor = None


class _Mixer:
    """Both directions for one listener, at the pace of the event loop's time."""

    def __init__(self) -> None:
        self.said = JitterBuffer(_CUSHION_SECONDS, _LONGEST_WAIT_SECONDS)
        self.heard = JitterBuffer(_CUSHION_SECONDS, _LONGEST_WAIT_SECONDS)
        self.over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._given_until = self._loop.time()

    async def sound(self) -> AsyncIterator[bytes]:
        """Blocks, until the call is over."""
        while not await self._over_before(self._given_until + _BLOCK_SECONDS):
            samples = seconds_to_samples(self._loop.time() - self._given_until)
            self._given_until += samples_to_seconds(samples)
            # A listener who was away for longer gets the newest; the rest is lost to him.
            yield _mixed(*(side.take(min(samples, SAMPLE_RATE_HZ)) for side in (self.said, self.heard)))

    async def _over_before(self, deadline: float) -> bool:
        try:
            async with asyncio.timeout_at(deadline):
                await self.over.wait()
        except TimeoutError:
            return False
        return True


async def _audited(tap: _LineTap, line: str, listener: str) -> AsyncGenerator[bytes]:
    log = _log.bind(line=line, listener=listener)
    began_at = asyncio.get_running_loop().time()
    log.info("listening in began")
    try:
        with tap.mixer() as mixer:
            async for block in mixer.sound():
                yield block
    finally:
        log.info("listening in ended", seconds=round(asyncio.get_running_loop().time() - began_at, 1))


def _mixed(one: bytes, other: bytes) -> bytes:
    # These modems do not listen while they speak, so nearly always one of the two is silent.
    if not any(other):
        return one
    if not any(one):
        return other
    sums = map(sum, zip(to_array(one), to_array(other), strict=True))
    return from_array(array("h", (max(_S16_RANGE[0], min(_S16_RANGE[-1], both)) for both in sums)))
