"""Playing: the host's bytes become sound on the line, through a small buffer that drains as fast as the line.

Samples go onto the line's timeline when they arrive, at the place where they will sound; the buffer is the distance
between that place and now. So nothing ticks while a prompt plays.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware.pcm import SampleFormat, decode_to_s16
from firmware.simulation.modem.chip import Chip, Repeater
from firmware.simulation.modem.shielding import Action, HostStream
from firmware.units import samples_to_seconds

# A full-speed bulk packet is what a USB modem takes at a time.
_PACKET_BYTES = 64
# Starving is told again and again (V.253 <DLE>u); the period is our choice.
_STARVING_SECONDS = 0.5


class Transmitter:
    """One `+VTX` or the playing half of one `+VTR`. `played_out` is called when all has sounded after the end."""

    def __init__(self, chip: Chip, room_grew: Callable[[], None], played_out: Callable[[], None]) -> None:
        self.underruns = 0
        self._chip = chip
        self._room_grew = room_grew
        self._played_out = played_out
        self._starve = Repeater(self._starving)
        self._drain = Repeater(self._drained)
        self._room = Repeater(room_grew)
        self._active = False
        self._format = SampleFormat.U8
        self._stream = HostStream()
        self._cursor = 0
        self._ending = False
        self._paused: bytes | None = None
        self._odd = b""

    @property
    def active(self) -> bool:
        """Whether the host may send samples."""
        return self._active

    @property
    def buffered_samples(self) -> int:
        """What is still to sound."""
        if self._paused is not None:
            return len(self._paused) // 2
        return max(0, self._cursor - self._chip.loop.now_sample())

    def start(self, sample_format: SampleFormat) -> None:
        """Begin with an empty buffer."""
        self._format = sample_format
        self._stream = HostStream(triple_dle=self._chip.profile.triple_dle or self._chip.faults.needs_triple_dle)
        self._reset()
        self._active = True

    def stop(self) -> None:
        """End at once; what has not sounded never will."""
        if self._active:
            self.clear()
        self._finish()

    def _finish(self) -> None:
        self._active = False
        for repeater in (self._starve, self._drain, self._room):
            repeater.stop()

    def room(self) -> int:
        """Bytes that the buffer takes; asks to be called again when it takes none. An ending stream takes actions."""
        size = self._chip.faults.buffer_bytes or self._chip.profile.buffer_bytes
        free = size - self.buffered_samples * self._format.sample_bytes
        if free >= min(_PACKET_BYTES, size):
            return free
        if self._ending:
            return _PACKET_BYTES
        wanted = min(_PACKET_BYTES, size) - free
        self._room.start(samples_to_seconds(wanted // self._format.sample_bytes + 1))
        return 0

    def feed(self, data: bytes) -> list[Action]:
        """Bytes from the host; returns the actions that are not about the buffer."""
        left: list[Action] = []
        for item in self._stream.feed(data):
            if isinstance(item, bytes):
                self._samples(item)
            elif not self._handle(item):
                left.append(item)
        return left

    def end(self) -> None:
        """Play out what is buffered, then say so."""
        self._ending = True
        self._resume()
        self._starve.stop()
        at_once = self._chip.faults.play_result_at_once
        self._drain.start(0.0 if at_once else samples_to_seconds(self.buffered_samples))

    def clear(self) -> None:
        """`<DLE><CAN>`: silence now, the stream goes on."""
        now = self._chip.loop.now_sample()
        self._chip.loop.toward_exchange.cut(now)
        self._cursor = min(self._cursor, now)
        self._paused = None if self._paused is None else b""
        self._odd = b""
        self._starve.stop()
        if self._ending:
            self._drain.start(0.0)
        self._room.start(0.0)

    def _reset(self) -> None:
        self._cursor = 0
        self._ending = False
        self._paused = None
        self._odd = b""

    def _handle(self, action: Action) -> bool:
        if action is Action.CLEAR:
            self.clear()
        elif action is Action.PAUSE:
            self._pause()
        elif action is Action.RESUME:
            self._resume()
        else:
            return False
        return True

    def _samples(self, data: bytes) -> None:
        if self._ending:
            return
        data = self._odd + data
        whole = len(data) - len(data) % self._format.sample_bytes
        data, self._odd = data[:whole], data[whole:]
        self._put(decode_to_s16(data, self._format))

    def _put(self, s16: bytes) -> None:
        if self._paused is not None:
            self._paused += s16
            return
        now = self._chip.loop.now_sample()
        self._cursor = self._chip.loop.toward_exchange.put(max(self._cursor, now), s16)
        if not self._starve.running:
            self._starve.start(samples_to_seconds(self._cursor - now))

    def _pause(self) -> None:
        if self._paused is None:
            now = self._chip.loop.now_sample()
            self._paused = self._chip.loop.toward_exchange.read(now, max(now, self._cursor))
            self._chip.loop.toward_exchange.cut(now)
            self._starve.stop()

    def _resume(self) -> None:
        if self._paused is not None:
            held, self._paused = self._paused, None
            self._cursor = self._chip.loop.now_sample()
            self._put(held)

    def _starving(self) -> None:
        """The timer runs to where the audio ended when it was set; more may have come since."""
        left = self.buffered_samples
        if left:
            self._starve.start(samples_to_seconds(left))
            return
        self.underruns += 1
        self._chip.outlet.event("u")
        self._starve.start(_STARVING_SECONDS)

    def _drained(self) -> None:
        self._finish()
        self._played_out()
