"""After an outage of a region, its appliances must not all come at once. Pure."""

from __future__ import annotations

# Up to here an outage was this office's own, or so short that nothing much is queued: records go at once.
_SHORT_OUTAGE_SECONDS = 120.0
# Nobody waits for longer than this part of what he has been waiting for already.
_PART_OF_OUTAGE = 0.25


def spread_wait_seconds(outage_seconds: float, most_seconds: float, chance: float) -> float:
    """How long to wait before what is queued goes; `chance` is a random number from 0 to 1."""
    if outage_seconds <= _SHORT_OUTAGE_SECONDS:
        return 0.0
    return chance * min(most_seconds, outage_seconds * _PART_OF_OUTAGE)
