"""Sheds loads all at once, and brings them back one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from firmware.events import LoadSwitched
from firmware.ports import LoadSwitch
from firmware.ups.load_worker import LoadTimes, LoadWorker


class LoadKeeper:
    """Keeps every load in the state that was asked for last. Needs a running event loop; `close` it at the end.

    `shed_to` and `restore` begin the work and return; `settled` waits for its end. Neither ever raises for a load:
    `tell` gets every change of state, and every fault as a sentence, once each.
    """

    def __init__(
        self,
        loads: Sequence[tuple[LoadSwitch, int]],
        tell: Callable[[LoadSwitched], None],
        times: LoadTimes | None = None,
    ) -> None:
        """Each load comes with the tier in which it is shed."""
        self._times = times or LoadTimes()
        by_tier = sorted(loads, key=lambda load: load[1])
        self._loads = [(LoadWorker(switch, tell, self._times), tier) for switch, tier in by_tier]
        self._sheds: dict[LoadWorker, asyncio.Task[None]] = {}
        self._restoring: asyncio.Task[None] | None = None
        self._returning: list[LoadWorker] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def told(self) -> Sequence[LoadSwitched]:
        """What is known of each load, in the order in which they are shed; one never switched yet is left out."""
        return [worker.told for worker, _ in self._loads if worker.told is not None]

    def shed_to(self, tier: int) -> None:
        """Shed all loads of this tier and below, concurrently and at once; a restore in progress ends."""
        self._stop_restoring()
        for worker, shed_in_tier in self._loads:
            if shed_in_tier <= tier:
                worker.wanted_shed = True
                if not worker.is_known(shed=True):
                    self._shed(worker)

    def restore(self) -> None:
        """Bring back all loads one by one, the last tier first, each checked; sheds in progress end."""
        for task in self._sheds.values():
            task.cancel()
        self._restore([worker for worker, _ in reversed(self._loads) if not worker.is_known(shed=False)])

    async def assert_wanted(self) -> None:
        """Look at every load that rests, and switch those again that are not as asked. Call it every minute or so.

        A service that was started again has forgotten what was asked of it.
        """
        asked = [(worker, worker.wanted_shed) for worker, _ in reversed(self._loads) if not self._is_working(worker)]
        known = [(worker, shed) for worker, shed in asked if shed is not None]
        found = await asyncio.gather(*(worker.conforms(shed=shed) for worker, shed in known))
        wrong = [load for load, conforms in zip(known, found, strict=True) if not conforms]
        # What is wanted may have changed while we looked; then it is being worked on already.
        still_wrong = [
            (worker, shed) for worker, shed in wrong if worker.wanted_shed is shed and not self._is_working(worker)
        ]
        for worker, shed in still_wrong:
            if shed:
                self._shed(worker)
        self._restore([worker for worker, shed in still_wrong if not shed])

    async def settled(self) -> None:
        """Returns once nothing is being switched."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Stop switching; loads stay as they are."""
        for task in self._tasks:
            task.cancel()
        await self.settled()

    def _is_working(self, worker: LoadWorker) -> bool:
        shedding = self._sheds.get(worker)
        return worker in self._returning or (shedding is not None and not shedding.done())

    def _shed(self, worker: LoadWorker) -> None:
        running = self._sheds.get(worker)
        if running is None or running.done() or running.cancelling():
            self._sheds[worker] = self._spawn(worker.shed())

    def _restore(self, workers: Sequence[LoadWorker]) -> None:
        if not workers:
            return
        returning = [*self._returning, *(worker for worker in workers if worker not in self._returning)]
        self._stop_restoring()
        self._returning = returning
        self._restoring = self._spawn(self._restore_one_by_one())

    def _stop_restoring(self) -> None:
        self._returning = []
        if self._restoring:
            self._restoring.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _restore_one_by_one(self) -> None:
        """One that fails does not keep the others waiting; it is tried again after them, ever more rarely."""
        pause_seconds = self._times.again_first
        while self._returning:
            for worker in tuple(self._returning):
                if await self._is_back(worker):
                    self._returning.remove(worker)
            await asyncio.sleep(pause_seconds if self._returning else 0.0)
            pause_seconds = min(2 * pause_seconds, self._times.again_longest)

    async def _is_back(self, worker: LoadWorker) -> bool:
        asked_before = worker.wanted_shed is not None
        worker.wanted_shed = False
        if not asked_before and await worker.conforms(shed=False) and worker.is_known(shed=False):
            return True  # found so at the start: nothing is switched, so nothing has to settle
        back = await worker.restore()
        await asyncio.sleep(self._times.between_loads)
        return back
