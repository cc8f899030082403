"""The same programs, careless on purpose, to prove that the laboratory sees what it is there to see."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from outages.centre import COLLECTOR
from outages.site import LINEKEEPER

WAYS = ("sender_forgets_early", "collector_answers_early", "collector_takes_twice")


def programs(way: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """The sender and the collector to run."""
    careless = (sys.executable, "-m", "outages.careless", str(way))
    sender = careless if way and way.startswith("sender") else (str(LINEKEEPER),)
    return sender, careless if way and way.startswith("collector") else (str(COLLECTOR),)
