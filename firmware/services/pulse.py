"""Feeds systemd's watchdog for as long as every probe is answered.

Each probe runs by itself and has a patience of its own, so that a slow disk delays nothing but its own answer. What the
watchdog's time limits is the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from firmware.errors import LinekeeperError
from firmware.journal import journal
from firmware.services.notify import Notifier
from firmware.services.service import Probe

_log = journal("watchdog")


class Pulse:
    """The life signs of one process. `beat` ends only by cancellation."""

    def __init__(self, probes: Sequence[Probe], notifier: Notifier, sentence: Callable[[], str]) -> None:
        # Without a watchdog nobody acts on an answer, so nobody is asked.
        self._probes = probes if notifier.feed_every_seconds else ()
        self._notifier = notifier
        self._sentence = sentence
        self._answered_at: dict[str, float] = {}
        self._silent: frozenset[str] = frozenset()
        self._told = ""

    async def beat(self) -> None:
        """Probe, feed, and tell the status, for ever."""
        period = self._notifier.feed_every_seconds
        now = asyncio.get_running_loop().time()
        self._answered_at = {probe.name: now for probe in self._probes}
        async with asyncio.TaskGroup() as parts:
            for probe in self._probes:
                parts.create_task(self._ask(probe, period or 1.0))
            while True:
                self._beat_once()
                await asyncio.sleep(period or 1.0)

    def _beat_once(self) -> None:
        silent = frozenset(self._silent_parts())
        for name in silent - self._silent:
            _log.error("a part of this service no longer answers, so the watchdog will start it again", part_name=name)
        self._silent = silent
        if not silent and self._notifier.feed_every_seconds:
            self._notifier.feed()
        if (sentence := self._sentence()) != self._told:
            self._notifier.status(sentence)
            self._told = sentence

    def _silent_parts(self) -> list[str]:
        now = asyncio.get_running_loop().time()
        late = [probe for probe in self._probes if now - self._answered_at[probe.name] > probe.patience_seconds]
        return [probe.name for probe in late if not probe.excused()]

    async def _ask(self, probe: Probe, period: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await probe.check()
            except LinekeeperError as error:
                _log.debug("a part is unwell, and says so", part_name=probe.name, error=str(error))
            self._answered_at[probe.name] = loop.time()
            await asyncio.sleep(period)
