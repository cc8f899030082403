"""The places inside a step: what a call is doing there, and which outcome leads to which next place.

A message or a callback is a dialogue of several places. They are states of the machine like every other, so that the
drawing shows them and nothing happens between two places that the machine does not know of.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from firmware.ivr.flow import Outcome, StepKind


class Place(Enum):
    """What a call is doing. The session has one action for each."""

    SAY = "say"
    CHOOSE_LANGUAGE = "choose_language"
    MENU = "menu"
    BRANCH = "branch"
    GOTO = "goto"
    HANG_UP = "hang_up"
    TAKE = "take"
    REVIEW = "review"
    OWN_NUMBER = "own_number"
    ENTER_NUMBER = "enter_number"
    READ_BACK = "read_back"
    WHEN = "when"
    REASON = "reason"
    SUMMARY = "summary"


# The first place of each kind is where the step begins. An outcome that is not listed leaves the step by its exit.
PLACES: Mapping[StepKind, Mapping[Place, Mapping[Outcome, Place]]] = {
    StepKind.SAY: {Place.SAY: {}},
    StepKind.LANGUAGE: {Place.CHOOSE_LANGUAGE: {}},
    StepKind.MENU: {Place.MENU: {}},
    StepKind.BRANCH: {Place.BRANCH: {}},
    StepKind.GOTO: {Place.GOTO: {}},
    StepKind.HANG_UP: {Place.HANG_UP: {}},
    StepKind.RECORD: {
        Place.TAKE: {Outcome.RECORDED: Place.REVIEW},
        Place.REVIEW: {Outcome.AGAIN: Place.TAKE},
    },
    StepKind.CALLBACK: {
        Place.OWN_NUMBER: {Outcome.OTHER_NUMBER: Place.ENTER_NUMBER, Outcome.NUMBER_CONFIRMED: Place.WHEN},
        Place.ENTER_NUMBER: {Outcome.NUMBER_GIVEN: Place.READ_BACK},
        Place.READ_BACK: {Outcome.AGAIN: Place.ENTER_NUMBER, Outcome.NUMBER_CONFIRMED: Place.WHEN},
        Place.WHEN: {Outcome.TIME_CHOSEN: Place.REASON},
        Place.REASON: {Outcome.REASON_DONE: Place.SUMMARY},
        Place.SUMMARY: {},
    },
}

# Which of the step's exits each place may take.
_LEAVES: Mapping[Place, frozenset[Outcome]] = {
    Place.TAKE: frozenset({Outcome.NEXT, Outcome.NO_ROOM, Outcome.BACK}),
    Place.REVIEW: frozenset({Outcome.NEXT, Outcome.BACK}),
    Place.OWN_NUMBER: frozenset({Outcome.WAY_OUT, Outcome.BACK}),
    Place.ENTER_NUMBER: frozenset({Outcome.WAY_OUT, Outcome.BACK}),
    Place.READ_BACK: frozenset({Outcome.WAY_OUT, Outcome.BACK}),
    Place.WHEN: frozenset({Outcome.BACK}),
    Place.REASON: frozenset(),
    Place.SUMMARY: frozenset({Outcome.NEXT}),
}


def leaves_by(place: Place, outcome: Outcome) -> bool:
    """Whether a call may leave its step from this place by this exit."""
    return place not in _LEAVES or outcome in _LEAVES[place]
