"""One input pin on the event loop: edges from the library's threads, samples, and our own debounce."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from firmware.errors import PinError
from firmware.journal import journal
from firmware.ups.debounce import Debounce
from firmware.ups.pins import InputPin, open_input
from firmware.ups.profile import Pull

_log = journal("ups")

# An edge may be lost, at boot above all; the level never is.
_SAMPLE_SECONDS = 1.0


class WatchedPin:
    """Watches inside the context, on the running loop. `changed` is told of every level that counts anew."""

    def __init__(self, pin: int, pull: Pull, debounce_seconds: float, changed: Callable[[bool], None]) -> None:
        self._number = pin
        self._pull: Pull = pull
        self._debounce_seconds = debounce_seconds
        self._changed = changed
        self._pin: InputPin | None = None
        self._debounce = Debounce(debounce_seconds, level=False)
        self._loop = asyncio.get_running_loop()
        self._sampling: asyncio.TimerHandle | None = None
        self._settling: asyncio.TimerHandle | None = None

    @property
    def high(self) -> bool:
        """The level that counts."""
        return self._debounce.level

    def __enter__(self) -> Self:
        """Raises: PinError."""
        pin = open_input(self._number, self._pull, self._edge)
        try:
            # The first level counts at once: there is nothing to compare it with.
            self._debounce = Debounce(self._debounce_seconds, pin.level())
        except PinError:
            pin.close()
            raise
        self._pin = pin
        self._sampling = self._loop.call_later(_SAMPLE_SECONDS, self._sample)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in (self._sampling, self._settling):
            if timer is not None:
                timer.cancel()
        if self._pin is not None:
            self._pin.close()
            self._pin = None

    def _edge(self, high: bool) -> None:
        """In a thread of the library."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._seen, high)

    def _sample(self) -> None:
        assert self._pin is not None
        self._sampling = self._loop.call_later(_SAMPLE_SECONDS, self._sample)
        try:
            self._seen(self._pin.level())
        except PinError as error:
            # The last level stays: nothing better is known, and the next sample may succeed.
            _log.warning("a pin cannot be read", error=str(error))

    def _seen(self, high: bool) -> None:
        if self._pin is not None:
            self._tell(self._debounce.seen(high, self._loop.time()))

    def _settle(self) -> None:
        self._tell(self._debounce.settled(self._loop.time()))

    def _tell(self, changed: bool) -> None:
        if self._settling is not None:
            self._settling.cancel()
        due_seconds = self._debounce.due_seconds
        self._settling = None if due_seconds is None else self._loop.call_at(due_seconds, self._settle)
        if changed:
            self._changed(self._debounce.level)
