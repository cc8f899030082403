"""`linekeeper power prove`: the technician's side of the pull-the-plug proof; the power service watches and records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

from firmware.errors import ServiceError
from firmware.services.peers import Peers
from firmware.settings import Settings
from firmware.ups.proof import ProofStep

_LOOK_SECONDS = 0.5

_SENTENCES = {
    ProofStep.NO_MAINS_YET: "Waiting until the UPS tells good mains. Leave its plug in.",
    ProofStep.PULL_THE_PLUG: "Good mains is told. Now pull the plug of the UPS out of the wall.",
    ProofStep.PUT_IT_BACK: "The loss was seen, and loads were shed. Now put the plug back.",
    ProofStep.PROVED: "The return was seen. This UPS is proved, and the proof is recorded.",
    ProofStep.FAILED: "Not proved: {advice}.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the technician is told now."""

    sentence: str
    proved: bool


async def proving(settings: Settings) -> AsyncIterator[Told]:
    """Each step as it is reached, to the end.

    Raises: ServiceError where the power service does not run, or was started again meanwhile.
    """
    with closing(Peers(settings)) as peers:
        async for told in _proving(peers):
            yield told


async def _proving(peers: Peers) -> AsyncIterator[Told]:
    answer = await peers.ask("power", "prove")
    last: ProofStep | None = None
    while True:
        step = ProofStep(answer["step"])
        if step is not last:
            yield Told(_SENTENCES[step].format(advice=answer["advice"]), step is ProofStep.PROVED)
            last = step
        if step in (ProofStep.PROVED, ProofStep.FAILED):
            return
        await asyncio.sleep(_LOOK_SECONDS)
        answer = (await peers.view("power", "status"))["proof"]
        if answer is None:
            raise ServiceError(
                "the power service was started again meanwhile and knows of no test; begin anew: linekeeper power prove"
            )
