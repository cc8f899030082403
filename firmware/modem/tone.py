"""A beep as samples, for modems that refuse +VTS."""

from __future__ import annotations

import math
from array import array

from firmware.pcm import from_array
from firmware.ports import Clip
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

# -12 dBFS: clear, and below what trips a modem's own transmit limit.
_AMPLITUDE = 8192


def tone_clip(frequency_hz: int, seconds: float) -> Clip:
    """A sine wave."""
    step = 2 * math.pi * frequency_hz / SAMPLE_RATE_HZ
    samples = array("h", (round(_AMPLITUDE * math.sin(step * n)) for n in range(seconds_to_samples(seconds))))
    return Clip(prompt="beep", text="", s16=from_array(samples))
