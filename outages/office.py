"""The calls service meanwhile: callers go on calling, staff change records, and some people want theirs erased."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cuts.talk import SECOND_BYTES, record, speech
from firmware.clock import SystemClock
from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage.erasure import erase_caller, erase_message
from firmware.storage.store import Store
from outages.backlog import Backlog, caller_of

_ERASED_IN_TRIES = 20


@dataclass
class Office:
    """Works on the appliance's own store until it is told to stop. `done` counts by kind of work."""

    store: Store
    data_dir: Path
    backlog: Backlog
    seed: int
    pause_seconds: float
    done: Counter[str] = field(default_factory=Counter, init=False)
    new_ids: list[str] = field(default_factory=list, init=False)
    _closing: bool = field(default=False, init=False)

    async def work(self) -> None:
        """One thing after the other, at random times."""
        choose = random.Random(self.seed)
        works: list[Callable[[random.Random], Awaitable[None]]] = [self._message, self._callback, self._erase_caller]
        if self.backlog.messages:
            works += [self._urgent, self._erase_message]
        while not self._closing:
            await asyncio.sleep(choose.uniform(0, 2 * self.pause_seconds))
            work = choose.choice(works)
            await work(choose)
            self.done[work.__name__.strip("_")] += 1

    def stop(self) -> None:
        """What is under way is finished first."""
        self._closing = True

    async def _message(self, choose: random.Random) -> None:
        call_id = await self.store.call_offered("front", CallerId(f"139{choose.randrange(10**8):08d}"))
        data = speech(call_id, SECOND_BYTES * choose.randint(1, 3))
        kept = await self.store.keep_message(call_id, await record(self.store, call_id, data), "zh")
        await self.store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", ["message"])
        self.new_ids += [call_id, kept.message_id]

    async def _callback(self, choose: random.Random) -> None:
        # Half of them ask again: an open request of the backlog changes.
        number = caller_of(choose.randrange(len(self.backlog.calls)))
        call_id = await self.store.call_offered("front", CallerId(number))
        kept = await self.store.keep_callback(call_id, CallbackRequest(number, "afternoon"), "en")
        await self.store.call_ended(call_id, CallEnd.COMPLETED, None, "en", ["callback"])
        self.new_ids += [call_id, kept.callback_id]

    async def _urgent(self, choose: random.Random) -> None:
        try:
            await self.store.mark_urgent(choose.choice(self.backlog.messages))
        except RecordNotFound:
            self.done["erased meanwhile"] += 1

    async def _erase_message(self, choose: random.Random) -> None:
        wanted = choose.choice(self.backlog.messages)
        await self._erase(lambda: erase_message(self.data_dir, wanted, SystemClock()))

    async def _erase_caller(self, choose: random.Random) -> None:
        number = caller_of(choose.randrange(len(self.backlog.calls)))
        await self._erase(lambda: erase_caller(self.data_dir, number, SystemClock(), "CN"))

    async def _erase(self, erase: Callable[[], object]) -> None:
        for _ in range(_ERASED_IN_TRIES):
            try:
                await asyncio.to_thread(erase)
            except RecordNotFound:
                self.done["erased meanwhile"] += 1
                return
            except StorageError:
                # It says so itself: the log was being read; once more.
                await asyncio.sleep(self.pause_seconds)
            else:
                return
        self.done["traces left in the log"] += 1
