"""What differs between chipsets, as data: one TOML file each in `profiles/`, read once and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from firmware.errors import UnsupportedModem
from firmware.events import HangUpEvidence
from firmware.modem.dtmf import KeyForm
from firmware.modem.far_end import HangUpCodes

AUTO = "auto"
GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Profile:
    """One chipset. Commands in it are optional for the modem: ERROR is tolerated."""

    name: str
    title: str
    signs: Mapping[str, tuple[str, ...]]
    """Question (`ati3`, `gmi9`, ...) to texts of which any in the answer gives the chipset away."""
    data_setup: tuple[str, ...]
    voice_setup: tuple[str, ...]
    record_label: int
    """The +VLS label to record from; playing uses `OFF_HOOK_LABEL`."""
    duplex: bool
    triple_dle: bool
    keys_in_command_state: bool
    key_form: KeyForm
    tone: str
    """+VTS element for a beep, with `{hz}` and `{ticks}` of 10 ms."""
    flash: tuple[str, ...]
    """Commands for a hook flash, tried in order, with `{ticks}` of 10 ms."""
    hang_up: HangUpCodes
    no_voice_hint: str

    def recognises(self, answers: Mapping[str, str]) -> bool:
        """Whether these answers to the identity questions come from this chipset."""
        return any(
            text.upper() in answers.get(question, "").upper()
            for question, texts in self.signs.items()
            for text in texts
        )


@cache
def profiles() -> Mapping[str, Profile]:
    """All profiles of the package, by name."""
    folder = resources.files("firmware.modem") / "profiles"
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    loaded = [_parse(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    return {profile.name: profile for profile in sorted(loaded, key=lambda profile: profile.name)}


def named_profile(name: str) -> Profile:
    """Raises: UnsupportedModem for a name that no file has."""
    found = profiles().get(name)
    if found is None:
        known = ", ".join(profiles())
        raise UnsupportedModem(f'no modem profile is called "{name}"; use "auto" or one of: {known}')
    return found


def recognise(answers: Mapping[str, str]) -> Profile:
    """The chipset that gives itself away in these answers, else the generic one."""
    for profile in profiles().values():
        if profile.recognises(answers):
            return profile
    return profiles()[GENERIC]


def _parse(data: Mapping[str, Any]) -> Profile:
    setup, voice, hang_up = data["setup"], data["voice"], data["hang_up"]
    return Profile(
        name=data["name"],
        title=data["title"],
        signs={question: tuple(texts) for question, texts in data.get("recognise", {}).items()},
        data_setup=tuple(setup["data"]),
        voice_setup=tuple(setup["voice"]),
        record_label=voice.get("record_label", 1),
        duplex=voice["duplex"],
        triple_dle=voice["triple_dle"],
        keys_in_command_state=voice["keys_in_command_state"],
        key_form=KeyForm(voice["key_form"]),
        tone=voice["tone"],
        flash=tuple(voice["flash"]),
        hang_up=HangUpCodes(_codes(hang_up["at_once"]), _codes(hang_up["when_repeated"]), _own(hang_up)),
        no_voice_hint=data.get("no_voice_hint", ""),
    )


def _codes(table: Mapping[str, str]) -> Mapping[int, HangUpEvidence]:
    return {ord(code): HangUpEvidence(evidence) for code, evidence in table.items()}


def _own(hang_up: Mapping[str, Any]) -> int | None:
    code = hang_up.get("own_off_hook")
    return None if code is None else ord(code)
