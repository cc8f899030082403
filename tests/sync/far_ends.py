"""Far ends that do as they are told, for tests of whatever drives them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from firmware.errors import DeliveryError
from firmware.ports import Answer, Entry, Outcome


class ScriptedFarEnd:
    """An uplink that takes everything; `faults` are raised first, one a delivery, and `rejects` are refused."""

    def __init__(self, seconds_per_delivery: float = 0.0) -> None:
        self.got: list[Entry] = []
        self.faults: list[DeliveryError] = []
        self.rejects: set[str] = set()
        self.times: list[float] = []
        self.down = False
        self._seconds = seconds_per_delivery

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)
        if self.faults:
            raise self.faults.pop(0)
        return [self._take(entry) for entry in entries]

    async def close(self) -> None:
        pass

    def _take(self, entry: Entry) -> Answer:
        if entry.record_id in self.rejects:
            return Answer(entry.seq, entry.version, Outcome.REJECTED, "never")
        outcome = Outcome.DUPLICATE if entry in self.got else Outcome.STORED
        self.got.append(entry)
        return Answer(entry.seq, entry.version, outcome)
