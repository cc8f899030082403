"""Calling out: what may be dialled, and what came of it (modem-reference 9). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from firmware.modem.result_codes import ResultKind
from firmware.ports import VoiceLine

# USR takes a dial string of 60 characters, Conexant at least 50 of a command (modem-reference 2.4).
_NUMBER = re.compile(r"[0-9*#,]{1,40}", re.ASCII)


class DialResult(Enum):
    """How a dialled call went. `ANSWERED` is a guess from the ringback: these modems see no real answer."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NO_DIALTONE = "no_dialtone"
    NO_CARRIER = "no_carrier"
    LINE_IN_USE = "line_in_use"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Dialled:
    """A dialled call; `voice` is there when it was answered."""

    result: DialResult
    voice: VoiceLine | None = None


_RESULTS = {
    ResultKind.OK: DialResult.ANSWERED,
    ResultKind.VCON: DialResult.ANSWERED,
    ResultKind.BUSY: DialResult.BUSY,
    ResultKind.NO_ANSWER: DialResult.NO_ANSWER,
    ResultKind.NO_DIALTONE: DialResult.NO_DIALTONE,
    ResultKind.NO_CARRIER: DialResult.NO_CARRIER,
    ResultKind.LINE_IN_USE: DialResult.LINE_IN_USE,
    ResultKind.BLACKLISTED: DialResult.REFUSED,
    ResultKind.DELAYED: DialResult.REFUSED,
    ResultKind.ERROR: DialResult.REFUSED,
}
DIAL_RESULTS = frozenset(_RESULTS)


def dial_command(number: str) -> str:
    """Raises: ValueError for anything but digits, `*`, `#` and `,`: nothing else ever reaches a dial command."""
    if not _NUMBER.fullmatch(number):
        raise ValueError("a number to dial has 1 to 40 characters, each a digit, * # or a comma")
    return f"ATDT{number}"


def dial_result(kind: ResultKind) -> DialResult:
    """What a result to ATD means."""
    return _RESULTS[kind]
