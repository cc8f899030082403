"""Audio on a wire as a function of time: written ahead, read when somebody listens. No ticks.

Positions are sample numbers on the event loop's clock (`seconds * 8000`), so that both ends of a loop agree.
"""

from __future__ import annotations

from array import array

from firmware.pcm import from_array, to_array

# A head that nobody will ask for is cut off a growing stretch once it is this long: moving the rest costs time.
_LONG_HEAD_SAMPLES = 80_000


class _Stretch:
    """Samples that sound once."""

    __slots__ = ("end", "samples", "start")

    def __init__(self, start: int, samples: array[int]) -> None:
        self.start = start
        self.samples = samples
        self.end = start + len(samples)

    def between(self, first: int, last: int) -> array[int]:
        return self.samples[first - self.start : last - self.start]

    def append(self, samples: array[int]) -> None:
        self.samples.extend(samples)
        self.end += len(samples)

    def stop(self, at: int) -> None:
        del self.samples[max(0, at - self.start) :]
        self.end = self.start + len(self.samples)

    def forget(self, before: int) -> None:
        if before - self.start > _LONG_HEAD_SAMPLES:
            del self.samples[: before - self.start]
            self.start = self.end - len(self.samples)


class _Endless:
    """A pattern that sounds over and over until it is stopped."""

    __slots__ = ("_pattern", "end", "start")

    def __init__(self, start: int, pattern: array[int]) -> None:
        self.start = start
        self.end = 1 << 62
        self._pattern = pattern

    def between(self, first: int, last: int) -> array[int]:
        offset = (first - self.start) % len(self._pattern)
        turns = (offset + last - first) // len(self._pattern) + 1
        return (self._pattern * turns)[offset : offset + last - first]

    def stop(self, at: int) -> None:
        self.end = max(self.start, min(self.end, at))

    def forget(self, before: int) -> None:
        """Nothing: a pattern takes no more room the longer it sounds."""


class Timeline:
    """One direction of a loop. What nobody wrote is silence; what overlaps is added and clipped, as on a wire."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch | _Endless] = []

    def put(self, start: int, s16: bytes) -> int:
        """Let samples sound from `start` on; returns the sample number behind them."""
        samples = to_array(s16)
        last = self._stretches[-1] if self._stretches else None
        if isinstance(last, _Stretch) and last.end == start:
            last.append(samples)
        elif samples:
            self._stretches.append(_Stretch(start, samples))
        return start + len(samples)

    def repeat(self, start: int, s16: bytes) -> None:
        """Let a pattern (not empty) sound over and over from `start` on, until `cut`."""
        self._stretches.append(_Endless(start, to_array(s16)))

    def cut(self, at: int) -> None:
        """Silence everything from `at` on: the speaker stopped."""
        for stretch in self._stretches:
            if stretch.end > at:
                stretch.stop(at)
        self._stretches = [stretch for stretch in self._stretches if stretch.end > stretch.start]

    def read(self, start: int, end: int) -> bytes:
        """The samples of `start` up to before `end`."""
        heard: array[int] | None = None
        covered = start
        for stretch in self._stretches:
            first, last = max(start, stretch.start), min(end, stretch.end)
            if first >= last:
                continue
            samples = stretch.between(first, last)
            if heard is None and len(samples) == end - start:
                heard = samples
            else:
                heard = array("h", bytes(2 * (end - start))) if heard is None else heard
                _lay(heard, first - start, samples, fresh=first >= covered)
            covered = max(covered, last)
        return bytes(2 * max(0, end - start)) if heard is None else from_array(heard)

    def sounds(self, start: int, end: int) -> bool:
        """Whether anybody wrote into this span; cheaper than reading it."""
        return any(stretch.start < end and stretch.end > start for stretch in self._stretches)

    def forget(self, before: int) -> None:
        """Let go of what ended before a sample number: nobody will ask for it."""
        self._stretches = [stretch for stretch in self._stretches if stretch.end > before]
        for stretch in self._stretches:
            stretch.forget(before)


def _lay(heard: array[int], at: int, samples: array[int], *, fresh: bool) -> None:
    """Put samples into place, or add them to what is there already."""
    if not fresh:
        pairs = zip(heard[at : at + len(samples)], samples, strict=True)
        samples = array("h", (max(-32768, min(32767, one + other)) for one, other in pairs))
    heard[at : at + len(samples)] = samples
