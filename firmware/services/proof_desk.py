"""The power service's side of the pull-the-plug proof: it watches, and records what was proved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from firmware.errors import PowerError
from firmware.ports import PowerReading
from firmware.ups.proof import Proof, ProofStep

_LOOK_SECONDS = 0.5


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
        """The action `prove`. Raises: PowerError while another try is under way."""
        del request
        if self._proof is not None and not self._proof.over:
            raise PowerError("a proof is under way already; wait for its end")
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
                await self._record()
            self._tell(proof)
            await asyncio.sleep(_LOOK_SECONDS)

    def _tell(self, proof: Proof) -> None:
        self._told = {"step": proof.step.value, "advice": proof.advice}
