"""From any state of a modem to idle in command state (modem-reference 3)."""

from __future__ import annotations

import asyncio

from firmware.errors import CommandRefused, CommandTimeout
from firmware.modem.dialogue import Dialogue
from firmware.modem.dle import STOP_DUPLEX, STOP_RECEIVE, abort_playing, action

_LISTEN_SECONDS = 0.1
# So many bytes within the listening time are audio (800 of them at 8 kHz), not a result.
_STREAM_BYTES = 200
_QUIET_SECONDS = 0.3
_DRAIN_SECONDS = 2.0
_FIRST_TRIES = 2
_TRIES = 3
_TRY_SECONDS = 1.0
# ATZ is slow on MultiTech (modem-reference 11).
_ATZ_SECONDS = 3.0
# Exactly the state that a call needs to start from; each may be refused by a modem that is there already.
_TO_IDLE = ("AT+VLS=0", "ATH0", "AT+FCLASS=0")


async def find_command_state(dialogue: Dialogue) -> None:
    """Make a modem that was left in any state answer AT. Raises: CommandTimeout, PortError."""
    if not await _streams(dialogue) and await _answers(dialogue, _FIRST_TRIES):
        return
    await escape(dialogue)
    if await _answers(dialogue, _TRIES):
        return
    await dialogue.optional("ATZ", _ATZ_SECONDS)
    await escape(dialogue)
    await dialogue.resynchronise()


async def escape(dialogue: Dialogue) -> None:
    """Out of playing, recording and duplex, whichever it is, with either form of DLE. Raises: PortError."""
    dialogue.discard_output()
    dialogue.leave_audio()
    for triple in (False, True):
        dialogue.send(
            abort_playing(triple=triple) + action(STOP_RECEIVE, triple=triple) + action(STOP_DUPLEX, triple=triple)
        )
    await dialogue.quiet(_QUIET_SECONDS, _DRAIN_SECONDS)
    # In command state those bytes began a command line, which this ends.
    dialogue.send(b"\r")
    await dialogue.quiet(_LISTEN_SECONDS, _DRAIN_SECONDS)
    dialogue.doubt()


async def hang_up(dialogue: Dialogue) -> None:
    """On hook and in class 0. Raises: CommandTimeout, CommandRefused, PortError when that cannot be had."""
    refused = [command for command in _TO_IDLE if await dialogue.optional(command) is None]
    # +VLS is refused in class 0, and ATH0 by a modem that hung up with +VLS=0; one of the two has to work.
    if len(refused) == len(_TO_IDLE) or refused[:2] == list(_TO_IDLE[:2]):
        raise CommandRefused(refused[0], "ERROR")


async def reset(dialogue: Dialogue) -> None:
    """Bring a modem back that does not follow. Raises: ModemError, PortError."""
    await escape(dialogue)
    if dialogue.mute:
        # It hangs, most likely: nobody should have to wait for the whole ladder to hear of that.
        await dialogue.check("AT", _TRY_SECONDS)
    await find_command_state(dialogue)
    await hang_up(dialogue)


async def _streams(dialogue: Dialogue) -> bool:
    before = dialogue.received_bytes
    await asyncio.sleep(_LISTEN_SECONDS)
    return dialogue.received_bytes - before >= _STREAM_BYTES


async def _answers(dialogue: Dialogue, tries: int) -> bool:
    for _ in range(tries):
        try:
            await dialogue.check("AT", _TRY_SECONDS)
        except (CommandTimeout, CommandRefused):
            continue
        return True
    return False
