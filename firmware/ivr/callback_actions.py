"""Asking for a callback by keys. The request is committed as soon as its number is confirmed; the rest joins it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import partial

from firmware.errors import CallerGone, DiskFull
from firmware.events import RecordingEnd
from firmware.ivr.answers import AFTERNOON, MORNING, NO, SOON, YES
from firmware.ivr.asking import Question
from firmware.ivr.call import Call, CallbackDraft
from firmware.ivr.dialogue import Digits, Part, say_or_press
from firmware.ivr.flow import BACK_KEY, END_KEY, Outcome, Step
from firmware.ivr.spoken_answer import SpokenAnswer
from firmware.ivr.takes import Purpose
from firmware.ports import CallbackRequest, StoredTake

YES_KEY, OTHER_KEY = "1", "2"
_YES_OR_OTHER = {YES_KEY: YES, OTHER_KEY: NO}
# The shortest local numbers have 7 digits; E.164 allows 15.
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
# What a PBX delivers may be an extension; anything longer than E.164 is garbage from the line.
_SHORTEST_CALLER_ID = 3
_LONGEST_REASON_SECONDS = 30.0
_ENTRIES = 3


class Preferred(Enum):
    """When to call back. Values are part of the JSON."""

    AS_SOON_AS_POSSIBLE = "as_soon_as_possible"
    MORNING = "morning"
    AFTERNOON = "afternoon"


_TIMES = {"1": Preferred.AS_SOON_AS_POSSIBLE, "2": Preferred.MORNING, "3": Preferred.AFTERNOON}
_TIME_ANSWERS = {"1": SOON, "2": MORNING, "3": AFTERNOON}


async def own_number(call: Call, step: Step) -> Outcome:
    """Offer the caller's own number, where the line told one that can be read out."""
    call.callback = CallbackDraft()
    number = call.caller.number or ""
    if not _SHORTEST_CALLER_ID <= len(number.lstrip("+")) <= _MOST_DIGITS:
        return Outcome.OTHER_NUMBER
    key = await call.ask.choose(
        _question(step, "callback_own", Digits(number), say_or_press("callback_own_choice"), answers=_YES_OR_OTHER)
    )
    if key == YES_KEY:
        await _keep_number(call, number)
        return Outcome.NUMBER_CONFIRMED
    return _elsewhere(key) or Outcome.OTHER_NUMBER


async def enter_number(call: Call, step: Step) -> Outcome:
    """Take a number by keys, ended by # or by a pause; help after one that cannot be a telephone number."""
    prompt = "callback_enter"
    for _ in range(_ENTRIES):
        await call.talk.say(prompt)
        digits = await _digits(call)
        if digits == BACK_KEY and Outcome.BACK in step.exits:
            return Outcome.BACK
        if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
            call.callback.phone = digits
            return Outcome.NUMBER_GIVEN
        prompt = "callback_enter_help"
    return Outcome.WAY_OUT


async def _digits(call: Call) -> str:
    """Keys up to # or a pause. * alone asks to go back; * later begins the number again."""
    digits = ""
    while (key := await call.talk.take_key()) not in (None, END_KEY):
        if key != BACK_KEY:
            digits = (digits + str(key))[: _MOST_DIGITS + 1]  # one too many is wrong enough, and bounded
        elif digits:
            digits = ""
        else:
            return BACK_KEY
    return digits


async def read_back(call: Call, step: Step) -> Outcome:
    """Read the number digit by digit and have it confirmed."""
    number = Digits(call.callback.phone)
    key = await call.ask.choose(
        _question(step, "callback_read_back", number, say_or_press("callback_confirm"), answers=_YES_OR_OTHER)
    )
    if key == YES_KEY:
        await _keep_number(call, call.callback.phone)
        return Outcome.NUMBER_CONFIRMED
    return _elsewhere(key) or Outcome.AGAIN


async def when(call: Call, step: Step) -> Outcome:
    """Ask for the preferred time; without an answer it stays as it is. Whoever goes back hears what is kept first."""
    key = await call.ask.choose(_question(step, say_or_press("callback_when"), answers=_TIME_ANSWERS))
    if key == BACK_KEY:
        await summary(call, step)
        return Outcome.BACK
    if key is not None:
        # The request is open already, so that this one joins it.
        await call.store.keep_callback(call.call_id, _request(call, _TIMES[key]), call.talk.language)
    return Outcome.TIME_CHOSEN


async def reason(call: Call, step: Step) -> Outcome:
    """Record a short reason, where the disk takes voice and the caller does not skip it."""
    del step
    if not await call.takes.has_room():
        return Outcome.REASON_DONE
    await call.talk.say("callback_reason")
    if await call.talk.take_waiting(END_KEY):
        return Outcome.REASON_DONE
    await call.talk.beep()
    try:
        take = await call.takes.record(Purpose.CALLBACK_REASON, _LONGEST_REASON_SECONDS, partial(_keep_reason, call))
    except DiskFull:
        return Outcome.REASON_DONE
    if take.end is RecordingEnd.HANG_UP:
        raise CallerGone(take.evidence.value if take.evidence is not None else "hang_up")
    return Outcome.REASON_DONE


async def summary(call: Call, step: Step) -> Outcome:
    """Say that the request is kept, and its number."""
    del step
    kept = "callback_merged" if call.callback.merged else "callback_kept"
    await call.talk.say(kept, "callback_number", Digits(str(call.callback.number)))
    return Outcome.NEXT


def _question(step: Step, *parts: Part, answers: Mapping[str, SpokenAnswer]) -> Question:
    return Question(parts, tuple(answers), has_back=Outcome.BACK in step.exits, answers=answers)


def _elsewhere(key: str | None) -> Outcome | None:
    if key is None:
        return Outcome.WAY_OUT
    return Outcome.BACK if key == BACK_KEY else None


def _request(call: Call, preferred: Preferred | None = None) -> CallbackRequest:
    return CallbackRequest(call.callback.phone, preferred.value if preferred else None)


async def _keep_number(call: Call, phone: str) -> None:
    draft = call.callback
    draft.phone = phone
    kept = await call.store.keep_callback(call.call_id, _request(call), call.talk.language)
    draft.callback_id, draft.number, draft.merged = kept.callback_id, kept.number, kept.merged
    call.left_something = True
    call.talk.watcher(kept)


async def _keep_reason(call: Call, stored: StoredTake) -> None:
    await call.store.add_callback_reason(call.callback.callback_id, stored)
