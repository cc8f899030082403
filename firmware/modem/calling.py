"""Taking a line off hook and putting it back; no pause and no spare command before the first word."""

from __future__ import annotations

import asyncio

from firmware.errors import CommandRefused, ModemError
from firmware.modem import recovery
from firmware.modem.answering import answer_again, answer_by_ata
from firmware.modem.dialling import DIAL_RESULTS, Dialled, DialResult, dial_command, dial_result
from firmware.modem.off_hook import OFF_HOOK_LABEL, OffHookLine
from firmware.modem.session import ModemSession


async def pick_up(session: ModemSession, voice: OffHookLine) -> None:
    """Answer. Raises: LineNotAnswered, ModemError, PortError."""
    dialogue = session.dialogue
    await dialogue.command("AT+FCLASS=8")
    try:
        await dialogue.command(f"AT+VLS={OFF_HOOK_LABEL}")
    except CommandRefused:
        await answer_by_ata(dialogue)
    if session.label_is_not_enough:
        await answer_again(dialogue, tries_before=0)
    voice.state.off_hook()
    await voice.select_codec()


async def call_out(session: ModemSession, voice: OffHookLine, number: str) -> Dialled:
    """Dial, and wait for what comes of it. Raises: ValueError, ModemError, PortError."""
    command = dial_command(number)
    timings = session.context.timings
    await asyncio.sleep(max(0.0, session.on_hook_at + timings.between_dials - session.now))
    await session.dialogue.command("AT+FCLASS=8")
    # Nothing may be sent before the result: any character aborts the dialling (modem-reference 2.4).
    try:
        reply = await session.dialogue.command(command, timings.dial_result, DIAL_RESULTS)
    except CommandRefused:
        return Dialled(DialResult.REFUSED)
    result = dial_result(reply.result)
    if result is not DialResult.ANSWERED:
        return Dialled(result)
    voice.state.off_hook()
    await voice.select_codec()
    return Dialled(result, voice)


async def put_down(session: ModemSession, voice: OffHookLine) -> None:
    """On hook and idle, with as much force as it takes. Raises: ModemError, PortError."""
    try:
        await _put_down(session, voice)
    finally:
        session.ears.call = None
    session.call_over(voice.state)


async def _put_down(session: ModemSession, voice: OffHookLine) -> None:
    session.raise_if_lost()
    if session.dialogue.mute:
        await recovery.reset(session.dialogue)
        return
    try:
        await voice.leave_streams()
        await recovery.hang_up(session.dialogue)
    except ModemError:
        await recovery.reset(session.dialogue)
