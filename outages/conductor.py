"""Carries a plan of breaks out while the appliance delivers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.program import Program
from outages.balancer import Balancer
from outages.breaks import Break, Kind, Moment
from outages.centre import Centre
from outages.network import Network

_LOOK_SECONDS = 0.05
# A moment that does not come, as when the wire has nothing of that kind just now, is not waited for longer.
_MOMENT_SECONDS = 4.0
_WIRE = (Kind.LINK, Kind.SILENCE, Kind.LOSS, Kind.SLOW)


@dataclass
class Conductor:
    """`run` returns when everything was broken as planned and is whole again."""

    network: Network
    centre: Centre
    sender: Program
    balancer: Balancer
    share_done: Callable[[], float]
    kinds: Counter[Kind] = field(default_factory=Counter, init=False)
    moments: Counter[Moment] = field(default_factory=Counter, init=False)
    """Breaks that met the moment that they waited for."""
    _waiting: Break | None = field(default=None, init=False)
    _struck: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _strikes: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self, plan: Sequence[Break]) -> None:
        """One break after the other, each at its share and moment."""
        self.balancer.watcher = self._moment
        for planned in plan:
            while self.share_done() < planned.share:
                await asyncio.sleep(_LOOK_SECONDS)
            await self._break_at_its_moment(planned)
            await asyncio.sleep(planned.lasts_seconds)
            await self._heal(planned)
            self.kinds[planned.kind] += 1

    async def _break_at_its_moment(self, planned: Break) -> None:
        self._struck.clear()
        self._waiting = planned
        try:
            async with asyncio.timeout(_MOMENT_SECONDS):
                await self._struck.wait()
            self.moments[planned.moment] += 1
        except TimeoutError:
            if self._waiting is not None:
                self._waiting = None
                await self._strike(planned)
            else:
                await self._struck.wait()

    async def _moment(self, moment: Moment) -> None:
        planned = self._waiting
        if planned is None or planned.moment not in (Moment.ANY, moment):
            return
        self._waiting = None
        strike = asyncio.create_task(self._strike(planned))
        self._strikes.add(strike)
        strike.add_done_callback(self._strikes.discard)
        if not planned.delay_seconds:
            # What is on the wire just now stops here until it is broken.
            await asyncio.shield(strike)

    async def _strike(self, planned: Break) -> None:
        await asyncio.sleep(planned.delay_seconds)
        if planned.kind in _WIRE:
            await asyncio.to_thread(self.network.disturb, planned.kind)
        elif planned.kind is Kind.SENDER:
            await self.sender.kill()
        elif planned.kind is Kind.COLLECTOR:
            await self.centre.copies[self.kinds[Kind.COLLECTOR] % len(self.centre.copies)].kill()
        else:
            await asyncio.to_thread(self.centre.postgres.kill)
        self._struck.set()

    async def _heal(self, planned: Break) -> None:
        if planned.kind in _WIRE:
            await asyncio.to_thread(self.network.heal, planned.kind)
        elif planned.kind is Kind.SENDER:
            await self.sender.start()
        elif planned.kind is Kind.COLLECTOR:
            await self.centre.copies[self.kinds[Kind.COLLECTOR] % len(self.centre.copies)].start()
        else:
            await asyncio.to_thread(self.centre.postgres.start)
