"""A flow as the rest of the package sees it: named steps, where each leads, and the words for why.

Only the loader makes a `Flow`, and only after all its checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from firmware.ivr.hours import OpeningHours
from firmware.ivr.spoken_answer import SpokenAnswer


class StepKind(Enum):
    """What a step does. Values are the words of flow files."""

    SAY = "say"
    LANGUAGE = "language"
    MENU = "menu"
    RECORD = "record"
    CALLBACK = "callback"
    BRANCH = "branch"
    GOTO = "goto"
    HANG_UP = "hang_up"


class Condition(Enum):
    """What a branch asks."""

    OPENING_HOURS = "opening_hours"
    VOICE_ROOM = "voice_room"
    CALLER_NUMBER = "caller_number"


class Outcome(Enum):
    """Why a call leaves the place where it is. The machine's triggers; nothing else moves a call."""

    NEXT = "next"
    WAY_OUT = "way_out"
    BACK = "back"
    NO_ROOM = "full"
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    ROOM = "room"
    KNOWN = "known"
    KEY_0 = "key_0"
    KEY_1 = "key_1"
    KEY_2 = "key_2"
    KEY_3 = "key_3"
    KEY_4 = "key_4"
    KEY_5 = "key_5"
    KEY_6 = "key_6"
    KEY_7 = "key_7"
    KEY_8 = "key_8"
    KEY_9 = "key_9"
    KEY_STAR = "key_star"
    KEY_HASH = "key_hash"
    RECORDED = "recorded"
    AGAIN = "again"
    OTHER_NUMBER = "other_number"
    NUMBER_GIVEN = "number_given"
    NUMBER_CONFIRMED = "number_confirmed"
    TIME_CHOSEN = "time_chosen"
    REASON_DONE = "reason_done"
    HUNG_UP = "hung_up"
    FAULT = "fault"
    TIME_IS_UP = "time_is_up"


KEYS = "0123456789*#"
REPEAT_KEY = "9"
BACK_KEY = "*"
END_KEY = "#"

UNREAD_TARGET = ""
"""Stands for an exit that could not be read. Its mistake is told; no flow with one gets past the loader."""
UNREAD_EXIT = Outcome.FAULT
"""The outcome of such an exit where even its name could not be read. No step has an exit of this outcome."""

_ASKING = frozenset({StepKind.LANGUAGE, StepKind.MENU, StepKind.RECORD, StepKind.CALLBACK})
_KEY_NAMES = {BACK_KEY: "star", END_KEY: "hash"}


def key_outcome(key: str) -> Outcome:
    """The outcome of choosing a key in a menu."""
    return Outcome(f"key_{_KEY_NAMES.get(key, key)}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `exits` says where each outcome leads; `languages` is the language step's keys."""

    name: str
    kind: StepKind
    exits: Mapping[Outcome, str] = field(default_factory=dict)
    prompt: str = ""
    help_prompt: str = ""
    keys: tuple[str, ...] = ()
    languages: Mapping[str, str] = field(default_factory=dict)
    condition: Condition | None = None
    every_language: bool = False
    """Said in each language of the office to a caller whose language is not known."""
    by_voice: bool = False
    """Whether the answers can be spoken as well, where the language is understood."""
    answers: Mapping[str, SpokenAnswer] = field(default_factory=dict)
    """What can be said in a menu, by the key that it stands for."""


@dataclass(frozen=True, eq=False)
class Flow:
    """A checked flow: every exit leads to a step, and every step to a hang-up."""

    name: str
    start: str
    steps: Mapping[str, Step]
    hours: OpeningHours | None = None

    @property
    def asks(self) -> bool:
        """Whether a caller is asked for anything in it."""
        return any(step.kind in _ASKING for step in self.steps.values())
