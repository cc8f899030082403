"""One clock for all wires of an event loop that gather their bytes, so that they share each wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

# A wake-up costs more than what is done in it. So much later may a key come that ends a recording.
GATHER_SECONDS = 0.1


class GatherClock:
    """Calls everybody on it at the same moments. It stands still while nobody is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._called: dict[Callable[[], None], None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, call: Callable[[], None]) -> None:
        """Call this from now on; it may take itself off."""
        self._called[call] = None
        if self._timer is None:
            self._timer = self._loop.call_later(GATHER_SECONDS, self._tick)

    def remove(self, call: Callable[[], None]) -> None:
        """Call it no more. Nothing happens where it is not called."""
        self._called.pop(call, None)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(GATHER_SECONDS, self._tick) if self._called else None
        for call in list(self._called):
            # An earlier one may have taken it off.
            if call in self._called:
                call()


_clocks: WeakKeyDictionary[asyncio.AbstractEventLoop, GatherClock] = WeakKeyDictionary()


def gather_clock() -> GatherClock:
    """The clock of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _clocks:
        _clocks[loop] = GatherClock(loop)
    return _clocks[loop]
