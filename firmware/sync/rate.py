"""How fast bytes may leave: a token bucket. Pure: time is passed in."""

from __future__ import annotations

# What may go at once after a pause: small enough that a voice call over the same connection does not stutter.
_BURST_SECONDS = 0.25
PIECE_BYTES = 4096
"""A body is sent in pieces of at most this size, so that a cap is smooth within one request as well."""


class ByteRate:
    """At most `bytes_per_second`, over any span longer than a burst. None: no cap."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self.bytes_per_second = bytes_per_second
        self._free_at_seconds = float("-inf")

    def wait_seconds(self, byte_count: int, now_seconds: float) -> float:
        """How long to wait before these bytes; they count as sent then."""
        if self.bytes_per_second is None:
            return 0.0
        begin = max(self._free_at_seconds, now_seconds - _BURST_SECONDS)
        self._free_at_seconds = begin + byte_count / self.bytes_per_second
        return max(0.0, begin - now_seconds)

    def longest_seconds(self, byte_count: int) -> float:
        """How long so many bytes take, where nothing else leaves."""
        return 0.0 if self.bytes_per_second is None else byte_count / self.bytes_per_second
