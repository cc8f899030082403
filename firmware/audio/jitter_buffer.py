"""Sound between somebody who brings it irregularly and somebody who takes it at the pace of time. Pure."""

from __future__ import annotations

from firmware.units import SAMPLE_RATE_HZ

_SAMPLE_BYTES = 2


class JitterBuffer:
    """Holds s16. What is taken beyond what was brought is silence; what is brought too far ahead costs the oldest.

    After every pause the next sound waits for `cushion_seconds`, so that late pieces leave no holes in it.
    `longest_seconds` None keeps everything, for sound that must be heard to its end.
    """

    def __init__(
        self, cushion_seconds: float = 0.0, longest_seconds: float | None = None, rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        self._cushion = bytes(_SAMPLE_BYTES * round(cushion_seconds * rate_hz))
        self._longest_bytes = None if longest_seconds is None else _SAMPLE_BYTES * round(longest_seconds * rate_hz)
        self._waiting = bytearray()

    @property
    def empty(self) -> bool:
        """Whether there is only silence to take."""
        return not self._waiting

    def bring(self, s16: bytes) -> None:
        """The next samples."""
        if s16 and not self._waiting:
            self._waiting += self._cushion
        self._waiting += s16
        if self._longest_bytes is not None and len(self._waiting) > self._longest_bytes:
            del self._waiting[: -self._longest_bytes]

    def take(self, samples: int) -> bytes:
        """Exactly so many samples."""
        wanted = _SAMPLE_BYTES * samples
        taken = bytes(self._waiting[:wanted])
        del self._waiting[:wanted]
        return taken + bytes(wanted - len(taken))
