"""Sets up a modem for its line. Only what calls depend on is demanded; the rest may be refused (modem-reference 3)."""

from __future__ import annotations

from firmware.modem.countries import GCI_CODES
from firmware.modem.dialogue import Dialogue
from firmware.modem.profile import Profile

# Echo off and results in words: everything else is read on these terms.
TERMS = "ATE0Q0V1"
_DATA_SETUP = (
    "ATX4",
    "ATM0",
    "ATS0=0",
    # Hardware flow control, or the modem might eat 0x11 and 0x13 out of the audio (modem-reference 6.6).
    "AT+IFC=2,2",
    "AT+VCID=1",
    # A stray +VDR=1,0 in a stored profile looks like a modem that never rings (modem-reference 4.2).
    "AT+VDR=0,0",
)
# No inactivity timer, and no hanging up by the modem's own decision (modem-reference 8).
_VOICE_SETUP = ("AT+VIT=0", "AT+VNH=1")


async def set_terms(dialogue: Dialogue) -> None:
    """Raises: ModemError, PortError."""
    await dialogue.command(TERMS)


async def set_up_voice(dialogue: Dialogue, profile: Profile) -> None:
    """What is set in class 8, where the modem is now. Raises: CommandTimeout, PortError."""
    for command in (*_VOICE_SETUP, *profile.voice_setup):
        await dialogue.optional(command)


async def set_up_data(dialogue: Dialogue, profile: Profile) -> None:
    """What is set in class 0. Raises: ModemError, PortError."""
    await dialogue.command("AT+FCLASS=0")
    for command in (*_DATA_SETUP, *profile.data_setup):
        await dialogue.optional(command)


async def set_country(dialogue: Dialogue, country: str) -> bool:
    """Whether the modem took the country; some firmware knows only its own. Raises: CommandTimeout, PortError."""
    code = GCI_CODES.get(country)
    return code is not None and await dialogue.optional(f"AT+GCI={code}") is not None
