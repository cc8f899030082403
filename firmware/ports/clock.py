"""Time for records."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time for records. Deadlines use the event loop's time instead, which is the same scale as `monotonic`."""

    def monotonic(self) -> float:
        """Seconds that never step."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def trusted(self) -> bool:
        """Whether the time of day is known to be right."""
