"""Going off hook by other means, where +VLS=1 does not do it (modem-reference 5: old USR firmware)."""

from __future__ import annotations

from firmware.errors import CommandRefused, LineNotAnswered
from firmware.modem.dialogue import OK_OR_VCON, Dialogue

_ANSWER_SECONDS = 10.0


async def answer_by_ata(dialogue: Dialogue) -> None:
    """Raises: LineNotAnswered, CommandTimeout, PortError."""
    try:
        await dialogue.command("ATA", _ANSWER_SECONDS, OK_OR_VCON)
    except CommandRefused as error:
        raise LineNotAnswered(f"the modem does not go off hook: {error}; try another modem on this line") from error


async def answer_again(dialogue: Dialogue, tries_before: int) -> None:
    """The modem said OK, yet the line rings on. Raises: LineNotAnswered when everything was tried."""
    if tries_before == 0:
        await dialogue.optional("ATH1")
    elif tries_before == 1:
        await answer_by_ata(dialogue)
    else:
        raise LineNotAnswered(
            "the modem says it is off hook, yet the line goes on ringing;"
            " check the cable between modem and wall, and the modem's firmware"
        )
