"""Feeds a modem that plays: never far ahead of the line, so that keys and hang-ups act at once (reference 6.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from firmware.modem.prompts import BLOCK_SECONDS, Block

LEAD_SECONDS = 0.2
# Timers may fire a clock tick early; without this slack such a tick would cost a second wake-up.
_SLACK_SECONDS = 0.002


class Pacer:
    """Writes blocks at the speed of the line, some ten wake-ups a second and no task of its own."""

    def __init__(self, blocks: Iterator[Block], write: Callable[[Block], None], ended: Callable[[], None]) -> None:
        self._blocks = blocks
        self._write = write
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._heard_until = 0.0

    @property
    def ahead_seconds(self) -> float:
        """How much was written that the caller has not heard yet."""
        return max(0.0, self._heard_until - self._loop.time())

    def start(self) -> None:
        """Write the first blocks at once."""
        self._heard_until = self._loop.time()
        self._pump()

    def stop(self) -> None:
        """Write no more; `ended` will not be called."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self) -> None:
        now = self._loop.time()
        # After a stall the line has run dry: what it missed is not made up for, or the lead would grow.
        self._heard_until = max(self._heard_until, now)
        while self._heard_until - now <= LEAD_SECONDS - BLOCK_SECONDS + _SLACK_SECONDS:
            block = next(self._blocks, None)
            if block is None:
                self._timer = None
                self._ended()
                return
            self._write(block)
            self._heard_until += block.seconds
        self._timer = self._loop.call_at(self._heard_until - (LEAD_SECONDS - BLOCK_SECONDS), self._pump)
