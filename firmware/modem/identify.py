"""Asks what a modem is and can do. Abilities are asked for; names only choose the profile (modem-reference 1, 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from firmware.errors import CommandRefused, NotAModem, UnsupportedModem
from firmware.modem.codec_choice import Codec, choose_codec
from firmware.modem.dialogue import Dialogue
from firmware.modem.profile import AUTO, Profile, named_profile, recognise
from firmware.ports import ModemIdentity

_QUESTIONS = {
    "ati0": "ATI0",
    "ati3": "ATI3",
    "gmi9": "AT+GMI9",
    "gmi": "AT+GMI",
    "gmm": "AT+GMM",
    "gmr": "AT+GMR",
}
_VOICE_CLASS = "8"
# Class 8 as a word of its own in an answer like `0,1,1.0,2,8` or `(0,1,8)`.
_CLASSES = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_LONGEST_TEXT = 80


@dataclass(frozen=True, slots=True)
class Findings:
    """A modem that can do what we need."""

    identity: ModemIdentity
    profile: Profile
    codec: Codec
    codec_command: str


async def identify(dialogue: Dialogue, profile_name: str, place: str) -> Findings:
    """Ask everything. Leaves the modem in class 0.

    Raises: UnsupportedModem with the reason, NotAModem when it answers nothing sensible, ModemError, PortError.
    """
    answers = {name: await _answer(dialogue, command) for name, command in _QUESTIONS.items()}
    profile = recognise(answers) if profile_name == AUTO else named_profile(profile_name)
    await _demand_voice_class(dialogue, profile, answers, place)
    codec = await _demand_codec(dialogue, answers, place)
    codec_command = await _working_form(dialogue, codec)
    return Findings(_identity(answers, profile), profile, codec, codec_command)


async def _answer(dialogue: Dialogue, command: str) -> str:
    return "\n".join(await dialogue.question(command) or ())


async def _demand_voice_class(dialogue: Dialogue, profile: Profile, answers: Mapping[str, str], place: str) -> None:
    classes = _CLASSES.findall(await _answer(dialogue, "AT+FCLASS=?"))
    if _VOICE_CLASS not in classes:
        old = await dialogue.optional("AT#CLS=?")
        raise UnsupportedModem(_old_dialect(answers, place) if old else _no_voice(profile, answers, place))
    if await dialogue.optional("AT+FCLASS=8") is None:
        raise UnsupportedModem(_no_voice(profile, answers, place))


async def _demand_codec(dialogue: Dialogue, answers: Mapping[str, str], place: str) -> Codec:
    offered = await dialogue.question("AT+VSM=?")
    codec = choose_codec(offered) if offered else None
    if codec is None:
        raise UnsupportedModem(
            f"the modem{_called(answers)} at {place} offers no audio format that we can use"
            " (linear PCM or G.711 at 8000 Hz); use another modem"
        )
    return codec


async def _working_form(dialogue: Dialogue, codec: Codec) -> str:
    for command in codec.select_commands:
        if await dialogue.optional(command) is not None:
            return command
    raise CommandRefused(codec.select_commands[-1], "ERROR")


def _identity(answers: Mapping[str, str], profile: Profile) -> ModemIdentity:
    def first(*names: str) -> str:
        return next((_one_line(answers[name]) for name in names if _one_line(answers[name])), "")

    return ModemIdentity(
        maker=first("gmi", "gmi9"), model=first("gmm", "ati0"), firmware=first("ati3", "gmr"), profile=profile.name
    )


def _one_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return "".join(character for character in line if character.isprintable())[:_LONGEST_TEXT]


def _called(answers: Mapping[str, str]) -> str:
    name = _one_line(answers["ati3"]) or _one_line(answers["gmm"]) or _one_line(answers["ati0"])
    return f' "{name}"' if name else ""


def _old_dialect(answers: Mapping[str, str], place: str) -> str:
    return (
        f"the modem{_called(answers)} at {place} speaks the old #V voice commands, which Linekeeper does not;"
        " use a modem with V.253 (+V) voice commands"
    )


def _no_voice(profile: Profile, answers: Mapping[str, str], place: str) -> str:
    hint = f" ({profile.no_voice_hint})" if profile.no_voice_hint else ""
    return f"the modem{_called(answers)} at {place} has no voice mode{hint}; use a voice modem (+FCLASS=8)"


def not_a_modem(place: str) -> NotAModem:
    """The error for a port where nothing answers."""
    return NotAModem(f"nothing at {place} answers AT; check that this port is a modem's, and that the modem has power")
