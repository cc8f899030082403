"""Sound that comes in pieces of any length, cut into blocks of one length. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from firmware.pcm import to_array


class Blocks:
    """Counts whole blocks from the beginning; what is left over waits for the next piece."""

    def __init__(self, block_samples: int) -> None:
        self._bytes = 2 * block_samples
        self._waiting = b""
        self._count = 0

    def feed(self, s16: bytes) -> Iterator[tuple[int, bytes]]:
        """The blocks that are complete now, each with its number; 0 is the first."""
        sound = self._waiting + s16
        whole = len(sound) - len(sound) % self._bytes
        self._waiting = sound[whole:]
        for at in range(0, whole, self._bytes):
            yield self._count, sound[at : at + self._bytes]
            self._count += 1


def mean_square(block: bytes, every: int = 1) -> float:
    """The power of a block of s16. `every` 2 looks at every second sample: much the same, for half the work."""
    samples = to_array(block)[::every]
    # The fastest sum of squares that there is without numpy.
    return math.hypot(*samples) ** 2 / len(samples)
