"""The loudspeaker and the microphone of this machine, through PortAudio. The only place that imports PyAudio.

    async with LocalSound() as sound, sound.speaker() as speaker:
        await speaker.play(s16)

Nothing here blocks the event loop: what may wait in PortAudio runs in a thread, one call after another, and the sound
itself passes in PortAudio's own thread. Leaving a context ends the sound at once, also when it is left by cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from firmware.audio.sound_chatter import silenced
from firmware.audio.sound_devices import Device, choose_device, choose_format, find_devices, stream_arguments
from firmware.audio.sound_faults import cannot_open, does_not_start, not_installed
from firmware.audio.sound_streams import Direction, Microphone, Speaker, StreamFormat

_Result = TypeVar("_Result")
# Called in PortAudio's thread: frames from the device, how many it wants; returns frames for the device.
_Exchange = Callable[[bytes, int], bytes | None]

# ALSA holds two blocks or more; with shorter ones a busy Pi makes holes in the sound.
_BLOCKS_PER_SECOND = 20


class LocalSound:
    """PortAudio while it is in use; what is plugged in meanwhile is seen the next time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "sound")
        self._opened = ExitStack()
        self._library: Any = None
        self._port_audio: Any = None

    async def __aenter__(self) -> Self:
        """Raises: SoundError where PyAudio or PortAudio is not installed."""
        try:
            await self._call(self._initialise)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def devices(self) -> list[Device]:
        """What there is to speak with and to listen with."""
        return await self._call(lambda: find_devices(self._port_audio))

    @asynccontextmanager
    async def speaker(
        self, name: str | None = None, *, longest_wait_seconds: float | None = None
    ) -> AsyncIterator[Speaker]:
        """A loudspeaker that plays: the one of this name or with this in its name, else the machine's default.

        With `longest_wait_seconds` the sound is live: the oldest is dropped when more than this waits.
        Raises: SoundError.
        """
        speaker = Speaker(longest_wait_seconds)
        stream = ExitStack()
        try:
            await self._call(lambda: self._start(stream, name, speaker, lambda _, frames: speaker.portion(frames)))
            yield speaker
        finally:
            await self._call(stream.close)

    @asynccontextmanager
    async def microphone(self, name: str | None = None) -> AsyncIterator[Microphone]:
        """A microphone that listens, chosen like a loudspeaker. Raises: SoundError."""
        microphone = Microphone()
        stream = ExitStack()
        try:
            await self._call(lambda: self._start(stream, name, microphone, lambda data, _: microphone.heard(data)))
            yield microphone
        finally:
            await self._call(stream.close)

    async def _call(self, work: Callable[[], _Result]) -> _Result:
        """Run it in the thread. What has begun is finished before a cancellation goes on: nothing stays open."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    async def _close(self) -> None:
        await self._call(self._opened.close)
        self._thread.shutdown(wait=False)

    # --- in the thread ---

    def _initialise(self) -> None:
        try:
            import pyaudio  # type: ignore[import-untyped]
        except ImportError as error:
            raise not_installed(error) from error
        self._library = pyaudio
        self._opened.enter_context(silenced())
        try:
            self._port_audio = pyaudio.PyAudio()
        except OSError as error:
            raise does_not_start(error) from error
        self._opened.callback(self._port_audio.terminate)

    def _start(self, stream: ExitStack, name: str | None, end: Speaker | Microphone, exchange: _Exchange) -> None:
        device = choose_device(self._port_audio, end.direction, name)
        try:
            stream_format = choose_format(self._port_audio, end.direction, device, self._library.paInt16)
            end.use(stream_format)
            opened = self._open(device, end.direction, stream_format, exchange)
            stream.callback(opened.close)
            opened.start_stream()
        except (OSError, ValueError) as error:
            raise cannot_open(end.direction.value, device.name, error) from error

    def _open(self, device: Device, direction: Direction, stream_format: StreamFormat, exchange: _Exchange) -> Any:
        go_on = self._library.paContinue
        return self._port_audio.open(
            rate=stream_format.rate_hz,
            channels=stream_format.channels,
            format=self._library.paInt16,
            frames_per_buffer=stream_format.rate_hz // _BLOCKS_PER_SECOND,
            stream_callback=lambda data, frames, _time, _status: (exchange(data, frames), go_on),
            start=False,
            **stream_arguments(direction, device),
        )
