"""Tells a slow modem from one that cannot do what we need: results that come late answer the wrong questions."""

from __future__ import annotations

import asyncio

from firmware.errors import CommandRefused, CommandTimeout, UnsupportedModem
from firmware.modem.dialogue import LATEST_RESULT_SECONDS, Dialogue

# Late results of earlier questions have passed once nothing came for so long.
_PASSED_SECONDS = 5.0
_AT_MOST_SECONDS = 15.0
_ANSWER_SECONDS = 20.0


async def demand_punctuality(dialogue: Dialogue, place: str) -> None:
    """For a modem that could not be opened. Raises: UnsupportedModem where that is because it is slow; PortError."""
    if not (dialogue.left_unanswered and dialogue.received_bytes):
        return
    await dialogue.quiet(_PASSED_SECONDS, _AT_MOST_SECONDS)
    took_seconds = await _answer_seconds(dialogue)
    if took_seconds > LATEST_RESULT_SECONDS:
        raise UnsupportedModem(
            f"the modem at {place} takes more than {LATEST_RESULT_SECONDS:g} s to answer a command, too long to run a"
            " telephone line; pull its plug and put it back, try it without a USB hub, or use another modem"
        )


async def _answer_seconds(dialogue: Dialogue) -> float:
    """How long an answer takes; 0 where there is none, as that is something else."""
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    try:
        await dialogue.check("AT", _ANSWER_SECONDS)
    except CommandTimeout:
        return 0.0
    except CommandRefused:
        pass
    return loop.time() - asked_at
