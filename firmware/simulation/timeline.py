"""Audio on a wire as a function of time: written ahead, read when somebody listens. No ticks.

Positions are sample numbers on the event loop's clock (`seconds * 8000`), so that both ends of a loop agree.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass

from firmware.pcm import from_array, to_array


@dataclass(slots=True)
class _Stretch:
    start: int
    samples: array[int]

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


class Timeline:
    """One direction of a loop. What nobody wrote is silence; what overlaps is added and clipped, as on a wire."""

    def __init__(self) -> None:
        self._stretches: deque[_Stretch] = deque()

    def put(self, start: int, s16: bytes) -> int:
        """Let samples sound from `start` on; returns the sample number behind them."""
        stretch = _Stretch(start, to_array(s16))
        self._stretches.append(stretch)
        return stretch.end

    def cut(self, at: int) -> None:
        """Silence everything from `at` on: the speaker stopped."""
        for stretch in self._stretches:
            del stretch.samples[max(0, at - stretch.start) :]
        self._stretches = deque(stretch for stretch in self._stretches if stretch.samples)

    def read(self, start: int, end: int) -> bytes:
        """The samples of `start` up to before `end`."""
        heard = array("h", bytes(2 * max(0, end - start)))
        for stretch in self._stretches:
            first, last = max(start, stretch.start), min(end, stretch.end)
            if first < last:
                _mix(heard, first - start, stretch.samples[first - stretch.start : last - stretch.start])
        return from_array(heard)

    def forget(self, before: int) -> None:
        """Drop stretches that ended before a sample number: nobody will ask for them."""
        self._stretches = deque(stretch for stretch in self._stretches if stretch.end > before)


def _mix(heard: array[int], at: int, samples: array[int]) -> None:
    target = heard[at : at + len(samples)]
    if not any(target):
        heard[at : at + len(samples)] = samples
        return
    heard[at : at + len(samples)] = array(
        "h", (max(-32768, min(32767, one + other)) for one, other in zip(target, samples, strict=True))
    )
