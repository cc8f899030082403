"""The appliance's real clock.

Deadlines use the event loop's monotonic time (`asyncio.timeout`, `loop.call_later`); a simulated day is an event loop
whose time jumps. Only records need the time of day, and they take it from here.
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime

# adjtimex(2): the return value TIME_ERROR means that the clock is not synchronised, whichever daemon should do it.
_TIME_ERROR = 5
# sizeof(struct timex) is 208 on 64-bit Linux and less on 32-bit; a zeroed buffer (modes = 0) only reads.
_TIMEX_BYTES = 256


class SystemClock:
    """`ports.Clock` over the kernel's clocks."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def monotonic(self) -> float:
        """Seconds that never step; the same scale as the event loop's time."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def trusted(self) -> bool:
        """Whether the kernel says that the time of day is synchronised. A Pi may boot without any."""
        buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
        state = int(self._libc.adjtimex(buffer))
        return 0 <= state < _TIME_ERROR
