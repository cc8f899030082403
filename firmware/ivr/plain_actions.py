"""What a call does in the plain steps: say, language, menu, branch, goto."""

from __future__ import annotations

from collections.abc import Sequence

from firmware.errors import StorageError
from firmware.ivr.answers import LANGUAGE_ANSWERS
from firmware.ivr.asking import Question
from firmware.ivr.call import Call
from firmware.ivr.dialogue import Part, say_or_press
from firmware.ivr.flow import BACK_KEY, Condition, Outcome, Step, key_outcome
from firmware.journal import journal

_log = journal("ivr")


async def say(call: Call, step: Step) -> Outcome:
    """Say a prompt; a key skips it and waits for the next menu."""
    await call.talk.say(step.prompt, languages=languages_of(call, step))
    return Outcome.NEXT


def languages_of(call: Call, step: Step) -> Sequence[str]:
    """The languages that a step speaks."""
    several = step.every_language and not call.language_remembered
    return call.languages if several else (call.talk.language,)


async def goto(call: Call, step: Step) -> Outcome:
    """Go on elsewhere."""
    del call, step
    return Outcome.NEXT


async def choose_language(call: Call, step: Step) -> Outcome:
    """Ask for the language, once for each number; coming back to this step asks anew. Silence takes the default."""
    offered = {key: language for key, language in step.languages.items() if language in call.languages}
    first_time = call.path.count(step.name) == 1
    if len(offered) < 2 or (first_time and call.language_remembered):
        return Outcome.NEXT
    answers = {key: LANGUAGE_ANSWERS[language] for key, language in offered.items()} if step.by_voice else {}
    question = Question((_offer(step),), tuple(offered), help_prompt=None, silence="", answers=answers)
    key = await call.ask.choose(question, languages=tuple(offered.values()))
    if key:
        call.talk.language = offered[key]
        call.language_remembered = True
        await _remember_language(call)
    return Outcome.NEXT


def _offer(step: Step) -> Part:
    return say_or_press(step.prompt) if step.by_voice else step.prompt


async def remembered_language(call: Call) -> str | None:
    """The language that this number chose before, if it is still spoken here."""
    if call.caller.number is None or len(call.languages) < 2:
        return None
    try:
        language = await call.store.remembered_language(call.caller.number)
    except StorageError as error:
        _log.warning("the caller's language cannot be looked up", call_id=call.call_id, error=str(error))
        return None
    return language if language in call.languages else None


async def _remember_language(call: Call) -> None:
    # A convenience: a store that fails here must not cost the call, in which a message may still be kept.
    if call.caller.number is None:
        return
    try:
        await call.store.remember_language(call.caller.number, call.talk.language)
    except StorageError as error:
        _log.warning("the caller's language cannot be remembered", call_id=call.call_id, error=str(error))


async def menu(call: Call, step: Step) -> Outcome:
    """Let the caller choose a key."""
    has_back = Outcome.BACK in step.exits
    help_prompt = say_or_press(step.help_prompt) if step.by_voice else step.help_prompt
    question = Question((_offer(step),), step.keys, help_prompt, has_back=has_back, answers=step.answers)
    key = await call.ask.choose(question)
    if key is None:
        return Outcome.WAY_OUT
    return Outcome.BACK if key == BACK_KEY else key_outcome(key)


async def branch(call: Call, step: Step) -> Outcome:
    """Choose a way by what is known now."""
    if step.condition is Condition.VOICE_ROOM:
        return Outcome.ROOM if await call.store.voice_room() else Outcome.NO_ROOM
    if step.condition is Condition.CALLER_NUMBER:
        return Outcome.KNOWN if call.caller.number else Outcome.UNKNOWN
    if call.flow.hours is None or not call.clock.trusted():
        return Outcome.UNKNOWN
    return Outcome.OPEN if call.flow.hours.is_open(call.clock.now()) else Outcome.CLOSED
