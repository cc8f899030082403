"""Keys in the sound of a line: each press once, with where its sound began."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from firmware.audio.blocks import Blocks
from firmware.audio.key_sound import STEP_SAMPLES, sound_of
from firmware.audio.spandsp import KEY_BLOCK_SAMPLES, KeyReceiver
from firmware.events import KeyHeard
from firmware.units import seconds_to_samples

# spandsp tells of a key after two whole blocks of it (dtmf.c), 26 to 38 ms; a faint or crooked one takes up to 100 ms.
_REMEMBERED_BLOCKS = 12
# A hole of 20 ms, one lost packet, is part of the press; two presses are at least 35 ms apart.
_HOLE_STEPS = seconds_to_samples(0.0195) // STEP_SAMPLES
# Where its frequencies hold less, the press is not yet, or no longer, there.
_LEAST_SHARE = 0.3


@dataclass(slots=True)
class _Press:
    key: str
    down_until_samples: int


class KeyListener:
    """Listens to one stretch of sound. Raises: SoundError without spandsp."""

    def __init__(self) -> None:
        self._blocks = Blocks(KEY_BLOCK_SAMPLES)
        self._receiver = KeyReceiver()
        self._lately: deque[bytes] = deque(maxlen=_REMEMBERED_BLOCKS)
        self._press = _Press("", 0)
        self._is_down = False

    def hear(self, s16: bytes) -> Iterator[tuple[int, KeyHeard]]:
        """The next samples; each key with the count of samples at which it became certain."""
        for number, block in self._blocks.feed(s16):
            self._lately.append(block)
            key = self._receiver.feed(block)
            now_samples = (number + 1) * KEY_BLOCK_SAMPLES
            if key:
                began = self._began(key, now_samples)
                if key != self._press.key or began >= self._press.down_until_samples:
                    yield now_samples, KeyHeard(key, began)
                self._press, self._is_down = _Press(key, now_samples), True
            elif self._is_down:
                self._press.down_until_samples = now_samples
                self._is_down = self._receiver.key_is_down

    def _began(self, key: str, now_samples: int) -> int:
        """Walk back through the sound to before the press."""
        began = now_samples - 2 * KEY_BLOCK_SAMPLES
        hole = 0
        for at, share in enumerate(sound_of(key, b"".join(self._lately)), start=1):
            if share >= _LEAST_SHARE:
                began, hole = min(began, now_samples - at * STEP_SAMPLES), 0
            else:
                hole += 1
            if hole > _HOLE_STEPS:
                break
        # It may have begun within the step before.
        return max(0, began - STEP_SAMPLES)
