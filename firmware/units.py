"""Units that cross module borders. Plain names carry theirs (`timeout_seconds`, `level_dbfs`)."""

from __future__ import annotations

# The telephone band ends below 4 kHz; every voice modem here offers 8000 samples/s (modem-reference 6.1).
SAMPLE_RATE_HZ = 8000

MINUTE_SECONDS = 60.0


def samples_to_seconds(samples: int) -> float:
    """Length of so many samples on the line."""
    return samples / SAMPLE_RATE_HZ


def seconds_to_samples(seconds: float) -> int:
    """Samples that the line carries in this time, rounded to the nearest one."""
    return round(seconds * SAMPLE_RATE_HZ)
