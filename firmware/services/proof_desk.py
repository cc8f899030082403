"""The power service's side of the pull-the-plug proof: it watches, and records what was proved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from firmware.errors import StorageError
from firmware.ports import PowerReading
from firmware.ups.proof import Proof, ProofStep

_LOOK_SECONDS = 0.5
# A disk that takes longer for one small file is no disk to rely on.
_RECORD_SECONDS = 15.0


class ProofDesk:
    """At most one try at a time. `record` makes a proof durable before anybody is told of it."""

    def __init__(self, latest: Callable[[], PowerReading | None], record: Callable[[], Awaitable[None]]) -> None:
        self._latest = latest
        self._record = record
        self._proof: Proof | None = None
        self._told: dict[str, Any] | None = None
        self._begun = asyncio.Event()

    def to_json(self) -> dict[str, Any] | None:
        """The last try; None where there was none since the start."""
        return self._told

    async def begin(self, request: dict[str, Any]) -> Any:
        """The action `prove`. A try that is under way ends here: who began it went away, or follows the new one."""
        del request
        self._proof = Proof(asyncio.get_running_loop().time())
        self._tell(self._proof)
        self._begun.set()
        return self._told

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            assert self._proof is not None
            await self._watch(self._proof)

    async def _watch(self, proof: Proof) -> None:
        while not proof.over:
            now_seconds = asyncio.get_running_loop().time()
            reading = self._latest()
            proof.heard(None if reading is None else reading.mains, now_seconds)
            proof.passed(now_seconds)
            if proof.step is ProofStep.PROVED:
                await self._keep(proof)
            if proof is not self._proof:
                return
            self._tell(proof)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _keep(self, proof: Proof) -> None:
        try:
            async with asyncio.timeout(_RECORD_SECONDS):
                await self._record()
        except (StorageError, TimeoutError) as error:
            proof.fail(f"the test was passed, but that cannot be recorded ({error or 'the disk does not answer'})")

    def _tell(self, proof: Proof) -> None:
        self._told = {"step": proof.step.value, "advice": proof.advice}
