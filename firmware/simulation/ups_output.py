"""The output of a simulated UPS: cut when it was told to or the battery is empty, given again with mains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# The output comes back so long after mains did, at the earliest; real ones take from 3 s (NUT's `ondelay`) to minutes.
_RETURN_SECONDS = 3.0


class Output:
    """`changed` is told of every change, once it is one."""

    def __init__(self, has_mains: Callable[[], bool], changed: Callable[[bool], None]) -> None:
        self._has_mains = has_mains
        self._changed = changed
        self._cutting: asyncio.TimerHandle | None = None
        self._returning: asyncio.TimerHandle | None = None
        self.on = True
        self.never_cuts = False

    def cut(self, after_seconds: float) -> None:
        """Cut, even where there is mains by then: it comes back after a moment, and the appliance starts anew."""
        if not self.never_cuts:
            self._cutting = _again(self._cutting, after_seconds, lambda: self._set(on=False))

    def run_out(self) -> None:
        """The battery is empty."""
        self._set(on=False)

    def mains_changed(self) -> None:
        """Mains went or came."""
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        if not self.on and self._has_mains():
            self._returning = _again(None, _RETURN_SECONDS, lambda: self._set(on=True))

    def close(self) -> None:
        """Nothing happens any more."""
        for timer in (self._cutting, self._returning):
            if timer is not None:
                timer.cancel()

    def _set(self, *, on: bool) -> None:
        if on == self.on:
            return
        self.on = on
        self._changed(on)
        self.mains_changed()


def _again(timer: asyncio.TimerHandle | None, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
    if timer is not None:
        timer.cancel()
    return asyncio.get_running_loop().call_later(seconds, do)
