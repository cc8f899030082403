"""Recording: what comes over the line goes to the host, a little at a time, with the events in between."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from firmware.pcm import SampleFormat, encode_s16, from_array, level_dbfs, to_array
from firmware.simulation.modem.chip import Chip, Repeater
from firmware.simulation.modem.shielding import shielded
from firmware.units import samples_to_seconds

# Below this the modem hears no voice; real ones scale it with +VSD in ways no manual tells.
_VOICE_DBFS = -42.0
# What the modem itself holds for a host that does not read, before samples are lost; the kernel holds 20 kB besides.
_HOLD_BYTES = 4096


class Receiver:
    """One `+VRX`, or the recording half of one `+VTR`. `quiet` is told of silence: True when voice came before it."""

    def __init__(self, chip: Chip, stream_interval_seconds: float, quiet: Callable[[bool], None]) -> None:
        self.overruns = 0
        self._chip = chip
        self._interval_seconds = stream_interval_seconds
        self._quiet = quiet
        self._pump = Repeater(self.flush)
        self._leak_shift = 0
        self._cursor = 0

    @property
    def active(self) -> bool:
        """Whether samples go to the host."""
        return self._pump.running

    def start(self, sample_format: SampleFormat, *, leak_shift: int = 0) -> None:
        """Begin here and now. `leak_shift` halves our own sound that often before it comes back; 0 keeps it out."""
        self._format = sample_format
        self._leak_shift = leak_shift
        self._cursor = self._chip.loop.now_sample()
        self._voice_heard = False
        self._silent_samples = 0
        self._pump.start(self._interval_seconds, self._interval_seconds)

    def stop(self, *, drop: bool = False) -> None:
        """End; what the line brought so far is sent first, unless dropped."""
        if not drop:
            self.flush()
        self._pump.stop()

    def flush(self) -> None:
        """Send what the line brought since the last time."""
        now = self._chip.loop.now_sample()
        if now <= self._cursor or not self.active:
            return
        heard = self._heard(self._cursor, now)
        self._chip.loop.toward_subscriber.forget(self._cursor)
        self._cursor = now
        if self._chip.outlet.backlog_bytes > _HOLD_BYTES:
            self.overruns += 1
            self._chip.outlet.event("o")
        else:
            self._chip.outlet.send(shielded(encode_s16(heard, self._format)))
        self._listen(heard)

    def _heard(self, start: int, end: int) -> bytes:
        heard = self._chip.loop.toward_subscriber.read(start, end)
        own = self._chip.loop.toward_exchange.read(start, end) if self._leak_shift else b""
        return _mixed(heard, own, self._leak_shift) if any(own) else heard

    def _listen(self, heard: bytes) -> None:
        """`+VSD`: silence of the interval set (0.1 s units) is an event, once until voice comes again."""
        limit_seconds = self._chip.registers.number("+VSD", 1) / 10
        if not limit_seconds:
            return
        if any(heard) and level_dbfs(heard, SampleFormat.S16) > _VOICE_DBFS:
            self._voice_heard = True
            self._silent_samples = 0
            return
        before = samples_to_seconds(self._silent_samples)
        self._silent_samples += len(heard) // 2
        if before < limit_seconds <= samples_to_seconds(self._silent_samples):
            self._quiet(self._voice_heard)


def _mixed(heard: bytes, own: bytes, shift: int) -> bytes:
    pairs = zip(to_array(heard), to_array(own), strict=True)
    return from_array(array("h", (max(-32768, min(32767, far + (near >> shift))) for far, near in pairs)))
