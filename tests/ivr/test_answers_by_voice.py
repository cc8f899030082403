"""Answers by voice: say or press, little confidence, garbage, and a recogniser that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from firmware.errors import CallerGone
from firmware.events import CallEnd, KeyPressed, WordsHeard
from firmware.ivr.answers import ANSWERS, every_phrase, vocabulary
from firmware.ports import Understood
from firmware.simulation.scripted_line import CallerScript, Speech
from firmware.simulation.scripted_recognizer import ScriptedAnswer, ScriptedRecognizer, Silence

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, Stage

SetStage = Callable[..., "Stage"]

pytestmark = pytest.mark.fast_time

SILENT = Silence.KEPT
GARBAGE = Understood("", 0.0)


def said(text: str, confidence: float = 0.95) -> Understood:
    return Understood(text, confidence)


def english(*answers: ScriptedAnswer) -> ScriptedRecognizer:
    return ScriptedRecognizer(answers, ["en"])


@pytest.fixture
def caller(stage: SetStage, memory_store: type[MemoryStore]) -> Callable[..., Stage]:
    """A caller whose language is English already."""

    def set_up(recognizer: ScriptedRecognizer, keys: dict[str, list[str]] | None = None) -> Stage:
        script = CallerScript(keys or {}, speeches=[Speech(2.0), Speech(2.0)])
        store = memory_store(languages={"13800001111": "en"})
        return stage(script, store=store, timed=True, recognizer=recognizer)

    return set_up


def words(call: Stage) -> list[tuple[str, str]]:
    return [(event.text, event.key) for event in call.events if isinstance(event, WordsHeard)]


async def test_message_is_left_without_a_key(caller: Callable[..., Stage]) -> None:
    call = caller(english(said("message"), said("finish")))
    result = await call.run()
    assert (result.end, len(call.store.messages)) == (CallEnd.COMPLETED, 1)
    assert words(call) == [("message", "1"), ("finish", "1")]
    assert [event.key for event in call.events if isinstance(event, KeyPressed)] == ["#"]  # the script's end of take
    assert {"main_menu_spoken", "say_or_press", "message_review"} <= set(call.heard)
    assert "main_menu" not in call.heard


async def test_digit_that_is_said_is_its_key(caller: Callable[..., Stage]) -> None:
    call = caller(english(said("one"), said("one")))
    await call.run()
    assert len(call.store.messages) == 1


async def test_language_is_chosen_by_its_name_and_offered_in_each_form(stage: SetStage) -> None:
    call = stage(CallerScript({}), timed=True, recognizer=english(said("english")))
    result = await call.run()
    assert result.language == "en"
    offered = [(clip.prompt, clip.language) for clip in call.line.heard if clip.prompt.startswith("language_choice")]
    assert offered == [("language_choice", "zh"), ("language_choice_spoken", "en")]


async def test_little_confidence_is_confirmed_by_voice_or_key(caller: Callable[..., Stage]) -> None:
    for yes, keys in ((said("yes"), None), (SILENT, {"heard_confirm": ["1"]})):
        call = caller(english(said("message", 0.5), yes, said("finish")), keys)
        await call.run()
        heard = call.heard
        at = heard.index("heard")
        assert heard[at : at + 3] == ["heard", "choice_message", "heard_confirm"]
        assert len(call.store.messages) == 1


async def test_words_that_were_not_meant_are_asked_again(caller: Callable[..., Stage]) -> None:
    call = caller(english(said("call back", 0.5), said("no"), said("message"), said("finish")))
    await call.run()
    assert len(call.store.messages) == 1
    assert "callback_own" not in call.heard
    assert call.heard.count("main_menu_spoken") == 2


async def test_garbage_gets_help_and_keys_always_work(caller: Callable[..., Stage]) -> None:
    call = caller(english(GARBAGE, said("back", 0.1)), {"main_menu_spoken": ["", "", "1"], "message_review": ["1"]})
    result = await call.run()
    assert result.end is CallEnd.COMPLETED
    assert len(call.store.messages) == 1
    assert call.heard.count("not_understood") == 2
    assert call.heard.count("menu_help_spoken") == 1


async def test_three_misunderstandings_lead_to_the_way_out(caller: Callable[..., Stage]) -> None:
    call = caller(english(GARBAGE, GARBAGE, GARBAGE))
    assert "way_out" in (await call.run()).path


async def test_recogniser_that_fails_leaves_the_time_for_a_key(caller: Callable[..., Stage]) -> None:
    call = caller(english(None, None, None, None), {"no_input": ["1"], "message_review": ["1"]})
    result = await call.run()
    assert result.end is CallEnd.COMPLETED
    assert len(call.store.messages) == 1


async def test_language_without_a_model_is_served_by_keys(stage: SetStage) -> None:
    call = stage(
        CallerScript({"main_menu": ["1"], "message_review": ["1"]}, speeches=[Speech(2.0)]),
        timed=True,
        recognizer=english(),
        languages=("zh",),
    )
    result = await call.run()
    assert result.end is CallEnd.COMPLETED
    assert not [name for name in call.heard if name.endswith("_spoken")]


async def test_caller_who_is_speaking_at_the_time_out_may_finish(caller: Callable[..., Stage]) -> None:
    slow = ScriptedRecognizer([said("message"), said("finish")], ["en"], begins_seconds=4.5, delay_seconds=7.0)
    call = caller(slow)
    await call.run()
    assert words(call) == [("message", "1"), ("finish", "1")]


async def test_hang_up_while_words_are_awaited_ends_the_call(stage: SetStage) -> None:
    for operation in range(1, 8):
        call = stage(CallerScript(hangs_up_at=operation), timed=True, recognizer=english(SILENT, SILENT, SILENT))
        assert (await call.run()).end is CallEnd.CALLER_HUNG_UP


async def test_line_fault_while_words_are_awaited_goes_up(stage: SetStage) -> None:
    fault = CallerGone("loop_break")
    call = stage(CallerScript(errors_at={2: fault}), timed=True, recognizer=english(SILENT))
    assert (await call.run()).evidence == "loop_break"


async def test_only_what_is_offered_is_listened_for(caller: Callable[..., Stage]) -> None:
    recognizer = english(said("message"), said("finish"))
    await caller(recognizer).run()
    menu = recognizer.grammars[0]
    assert {"message", "call back", "operator", "repeat", "one", "two", "zero", "nine"} <= set(menu.phrases)
    assert not {"seven", "finish", "yes", "english"} & set(menu.phrases)


def test_no_phrase_means_two_things_in_one_question() -> None:
    for language in ("en", "zh"):
        for answers in (
            {"1": ANSWERS["message"], "2": ANSWERS["callback"], "0": ANSWERS["operator"]},
            {"1": ANSWERS["yes"], "2": ANSWERS["no"]},
        ):
            found = vocabulary(answers, language, has_back=True)
            said_for = [word for answer in answers.values() for word in answer.words[language]]
            assert {found.keys[word] for word in said_for} == set(answers)
    assert {"en", "zh"} == set(every_phrase())
