"""How much is sent at once: so much as the connection carries in a few seconds. Pure.

A cut costs one part, and a record waits for at most one part of a recording, also where 64 kbit/s is all there is.
"""

from __future__ import annotations

_LEAST_BYTES = 16 * 1024
_AIM_SECONDS = 8.0


class PartSize:
    """Begins small, grows while parts go quickly, and is halved by a failure."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = min(4 * _LEAST_BYTES, most_bytes)

    @property
    def byte_count(self) -> int:
        """Of the next part, at most."""
        return self._bytes

    def sent(self, byte_count: int, seconds: float) -> None:
        """So many bytes were answered after this time."""
        fits = byte_count / max(seconds, 0.001) * _AIM_SECONDS
        # A small part says little of the speed: it may ask for less, but for no more than twice as much.
        self._bytes = int(min(self._most_bytes, max(_LEAST_BYTES, min(fits, 2 * self._bytes))))

    def failed(self) -> None:
        """A part was lost."""
        self._bytes = max(_LEAST_BYTES, self._bytes // 2)
