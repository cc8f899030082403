"""Sound on its way between the event loop and PortAudio's own thread, in the telephone's format on our side."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum

from firmware.audio.jitter_buffer import JitterBuffer
from firmware.audio.sound_faults import needs_conversion, stopped
from firmware.pcm import from_array, to_array
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

# A device that moves no sound for so long is gone: unplugged, or its sound server ended.
_GONE_SECONDS = 3.0
# What PortAudio, ALSA and a sound server hold before a loudspeaker; sound is heard once this has followed it.
_ON_THE_WAY_SECONDS = 0.3
_LIVE_CUSHION_SECONDS = 0.15
# A stream may stumble over its first block; it shall not be the first word.
_STARTING_SECONDS = 0.15


class Direction(Enum):
    """Which way sound goes. Values are how people call the device."""

    OUT = "loudspeaker"
    IN = "microphone"


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """How a device takes or gives sound: s16 at this rate, channels side by side."""

    rate_hz: int
    channels: int


class Speaker:
    """A loudspeaker that plays; silence while there is nothing to say. `portion` alone is called by PortAudio's thread.

    `longest_wait_seconds` None plays everything to its end; else the sound is live, and the oldest is dropped when
    more than this waits.
    """

    direction = Direction.OUT

    def __init__(self, longest_wait_seconds: float | None = None) -> None:
        self._longest_wait_seconds = longest_wait_seconds
        self._waiting = JitterBuffer()
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._run_dry = asyncio.Event()
        self._moved_at = time.monotonic()
        self._from_line: Callable[[bytes], bytes] = _unchanged
        self._channels = 1

    def use(self, device: StreamFormat) -> None:
        """Play on such a device. Raises: SoundError."""
        cushion_seconds = 0.0 if self._longest_wait_seconds is None else _LIVE_CUSHION_SECONDS
        self._waiting = JitterBuffer(cushion_seconds, self._longest_wait_seconds, device.rate_hz)
        self._waiting.bring(bytes(2 * round(_STARTING_SECONDS * device.rate_hz)))
        self._from_line = _converter(SAMPLE_RATE_HZ, device.rate_hz)
        self._channels = device.channels
        self._moved_at = time.monotonic()

    def write(self, s16: bytes) -> None:
        """Add to what is to be said. Raises: SoundError once the device is gone."""
        if time.monotonic() - self._moved_at > _GONE_SECONDS:
            raise stopped(Direction.OUT.value)
        with self._lock:
            self._waiting.bring(self._from_line(s16))
            self._run_dry.clear()

    async def play(self, s16: bytes) -> None:
        """Say it, and wait until it was heard. Raises: SoundError once the device is gone."""
        self.write(s16 + bytes(2 * seconds_to_samples(_ON_THE_WAY_SECONDS)))
        while not self._run_dry.is_set():
            try:
                await asyncio.wait_for(self._run_dry.wait(), _GONE_SECONDS / 4)
            except TimeoutError:
                self.write(b"")

    def portion(self, frames: int) -> bytes:
        """The next frames for the device."""
        with self._lock:
            mono = self._waiting.take(frames)
            self._moved_at = time.monotonic()
            if self._waiting.empty:
                self._loop.call_soon_threadsafe(self._note_run_dry)
        return _spread(mono, self._channels)

    def _note_run_dry(self) -> None:
        # More may have been written while this was on its way.
        with self._lock:
            if self._waiting.empty:
                self._run_dry.set()


class Microphone:
    """A microphone that listens. `heard` alone is called by PortAudio's thread."""

    direction = Direction.IN

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._to_line: Callable[[bytes], bytes] = _unchanged
        self._channels = 1

    def use(self, device: StreamFormat) -> None:
        """Listen with such a device. Raises: SoundError."""
        self._to_line = _converter(device.rate_hz, SAMPLE_RATE_HZ)
        self._channels = device.channels

    def heard(self, data: bytes) -> None:
        """Frames from the device."""
        self._loop.call_soon_threadsafe(self._heard.put_nowait, data)

    async def blocks(self) -> AsyncIterator[bytes]:
        """Everything since the microphone was opened, as s16 in short pieces. Raises: SoundError once it is gone."""
        while True:
            try:
                data = await asyncio.wait_for(self._heard.get(), _GONE_SECONDS)
            except TimeoutError as error:
                raise stopped(Direction.IN.value) from error
            yield self._to_line(_first_channel(data, self._channels))


def _converter(from_hz: int, to_hz: int) -> Callable[[bytes], bytes]:
    if from_hz == to_hz:
        return _unchanged
    try:
        from firmware.audio.sound_resampling import Resampler
    except ImportError as error:
        raise needs_conversion(error) from error
    return Resampler(from_hz, to_hz).convert


def _unchanged(s16: bytes) -> bytes:
    return s16


def _spread(mono: bytes, channels: int) -> bytes:
    """The same on every channel."""
    if channels == 1:
        return mono
    samples = to_array(mono)
    frames = array("h", bytes(len(mono) * channels))
    for channel in range(channels):
        frames[channel::channels] = samples
    return from_array(frames)


def _first_channel(frames: bytes, channels: int) -> bytes:
    # A telephone microphone on a stereo socket speaks on the first channel only; a mean would halve it.
    return frames if channels == 1 else from_array(to_array(frames)[::channels])
