"""Leaving a message. Its row is committed before the caller hears of it, so that hanging up at any time keeps it."""

from __future__ import annotations

from functools import partial

from firmware.errors import CallerGone, DiskFull
from firmware.events import MessageKept, RecordingEnd
from firmware.ivr.answers import AGAIN, FINISH, LISTEN, URGENT
from firmware.ivr.asking import Question
from firmware.ivr.call import Call
from firmware.ivr.dialogue import Digits, Part, say_or_press_any
from firmware.ivr.flow import BACK_KEY, END_KEY, Outcome, Step
from firmware.ivr.takes import Purpose
from firmware.ports import Clip, StoredTake, Take

KEEP_KEY, LISTEN_KEY, AGAIN_KEY, URGENT_KEY = "1", "2", "3", "4"
_REVIEW_ANSWERS = {KEEP_KEY: FINISH, LISTEN_KEY: LISTEN, AGAIN_KEY: AGAIN, URGENT_KEY: URGENT}
_OFFERS = 2
_CUT_FROM_OUTSIDE = (RecordingEnd.FAULT, RecordingEnd.INTERRUPTED, RecordingEnd.DISK_FULL)
_CUT_IN_MID_WORD = (RecordingEnd.TIME_LIMIT, RecordingEnd.DISK_FULL, RecordingEnd.FAULT)


async def take(call: Call, step: Step) -> Outcome:
    """Record a message; an empty one is offered again once."""
    if not call.recording_again:
        call.message = None  # an earlier one of this call is finished with
    if not await call.takes.has_room():
        return await _refuse(call)
    introduction: tuple[Part, ...] = ("message_again",) if call.recording_again else (step.prompt,)
    for _ in range(_OFFERS):
        await call.talk.say(*introduction)
        if await _wants_back(call, step):
            return Outcome.RECORDED if call.recording_again else Outcome.BACK
        try:
            said_something = await _record(call)
        except DiskFull:
            return await _refuse(call)
        if said_something:
            return Outcome.RECORDED
        introduction = ("message_empty", step.prompt)
    if call.recording_again:
        return await _leave_as_it_is(call)
    await call.talk.say("message_empty")
    return Outcome.NEXT


async def _wants_back(call: Call, step: Step) -> bool:
    # Any other key only means that the caller knows the words; it is dropped at the beep.
    can_go = Outcome.BACK in step.exits or call.recording_again
    return can_go and await call.talk.take_waiting(BACK_KEY)


async def _refuse(call: Call) -> Outcome:
    return await _leave_as_it_is(call) if call.recording_again else Outcome.NO_ROOM


async def _leave_as_it_is(call: Call) -> Outcome:
    await call.talk.say("message_stays")
    return Outcome.RECORDED


async def _record(call: Call) -> bool:
    await call.talk.beep()
    recorded = await call.takes.record(Purpose.MESSAGE, call.settings.longest_message_seconds, partial(_keep, call))
    if recorded.end is RecordingEnd.HANG_UP:
        raise CallerGone(_evidence(recorded))
    if recorded.voiced and recorded.end in _CUT_IN_MID_WORD:
        await _tell_limit(call)
    return recorded.voiced


async def _tell_limit(call: Call) -> None:
    """The caller was still speaking, and may press the end key only now: it answers nothing that comes next."""
    await call.talk.say_whole("message_limit")
    await call.talk.take_waiting(END_KEY)


def _evidence(recorded: Take) -> str:
    return recorded.evidence.value if recorded.evidence is not None else "hang_up"


async def _keep(call: Call, stored: StoredTake) -> None:
    if call.recording_again and call.message is not None and stored.take.end not in _CUT_FROM_OUTSIDE:
        kept = await call.store.replace_message(call.message.message_id, stored)
    else:
        # A second take that was cut off may hold less than the first: both are kept.
        kept = await call.store.keep_message(call.call_id, stored, call.talk.language)
    call.message = kept
    call.left_something = True
    call.talk.watcher(kept)


async def review(call: Call, step: Step) -> Outcome:
    """Offer to listen, record again or mark urgent. The message is kept already; silence keeps it as it is."""
    assert call.message is not None
    question = Question(
        (say_or_press_any("message_review"),),
        tuple(_REVIEW_ANSWERS),
        has_back=Outcome.BACK in step.exits,
        silence=KEEP_KEY,
        answers=_REVIEW_ANSWERS,
    )
    call.recording_again = False
    while True:
        key = await call.ask.choose(question) or KEEP_KEY
        if key == AGAIN_KEY:
            call.recording_again = True
            return Outcome.AGAIN
        if key == LISTEN_KEY:
            await _play_back(call, call.message)
        elif key == URGENT_KEY:
            await call.store.mark_urgent(call.message.message_id)
            await call.talk.say("message_urgent")
        else:
            number = Digits(str(call.message.number))
            await call.talk.say("message_kept", "message_number", number)
            return Outcome.BACK if key == BACK_KEY else Outcome.NEXT


async def _play_back(call: Call, message: MessageKept) -> None:
    s16 = await call.store.message_audio(message.message_id)
    await call.talk.say(Clip("message", "(the message)", s16))
