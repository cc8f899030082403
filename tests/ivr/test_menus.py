"""Calls through the built-in flow: language, menus, opening hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from firmware.events import (
    CallEnd,
)
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, SetClock, Stage

SetStage = Callable[..., "Stage"]

MESSAGE_CALL = CallerScript(
    keys_at_prompts={"language_choice": ["1"], "main_menu": ["1"], "message_review": ["1"]}, speeches=[Speech(2.0)]
)


async def test_language_is_asked_in_both_languages_and_remembered(stage: SetStage) -> None:
    call = stage(CallerScript({"language_choice": ["", "2"]}))
    result = await call.run()
    asked = [clip.language for clip in call.line.heard if clip.prompt == "language_choice"]
    assert asked == ["zh", "en"]
    assert result.language == "en"
    assert call.store.languages == {"13800001111": "en"}


async def test_known_number_is_greeted_in_its_language_and_not_asked(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    call = stage(store=memory_store(languages={"13800001111": "en"}))
    await call.run()
    assert (call.line.heard[0].prompt, call.line.heard[0].language) == ("greeting", "en")
    assert "language_choice" not in call.heard


async def test_remembered_language_that_is_no_longer_spoken_is_asked_anew(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    call = stage(store=memory_store(languages={"13800001111": "fr"}))
    await call.run()
    assert "language_choice" in call.heard


async def test_silence_takes_the_default_language_and_remembers_nothing(stage: SetStage) -> None:
    call = stage()
    assert (await call.run()).language == "zh"
    assert call.store.languages == {}


async def test_first_configured_language_is_the_default(stage: SetStage) -> None:
    assert (await stage(languages=("en", "zh")).run()).language == "en"


async def test_single_language_is_never_asked(stage: SetStage) -> None:
    call = stage(languages=("en",))
    assert (await call.run()).language == "en"
    assert "language_choice" not in call.heard
    assert "remembered_language" not in call.store.steps


async def test_back_from_the_main_menu_asks_for_the_language_anew(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    script = CallerScript({"main_menu": ["*"], "language_choice": ["1"]})
    call = stage(script, store=memory_store(languages={"13800001111": "en"}))
    assert (await call.run()).language == "zh"
    assert call.store.languages == {"13800001111": "zh"}


async def test_failing_language_memory_costs_nothing_but_the_memory(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    call = stage(MESSAGE_CALL, store=memory_store(fails_at=0))
    assert (await call.run()).end is CallEnd.COMPLETED
    assert len(call.store.messages) == 1


async def test_keys_typed_ahead_skip_every_prompt_and_are_used(stage: SetStage) -> None:
    call = stage(CallerScript(keys_at_operations={0: "21"}, speeches=[Speech()]))
    result = await call.run()
    assert result.language == "en"
    assert call.heard[0] == "message_intro"
    assert len(call.store.messages) == 1


async def test_first_silence_gets_help_the_third_a_way_out_to_a_message(stage: SetStage) -> None:
    call = stage()
    result = await call.run()
    menu = call.heard[call.heard.index("main_menu") :]
    assert menu[:7] == ["main_menu", "no_input", "menu_help", "main_menu", "no_input", "main_menu", "way_out"]
    offer = ["message_intro", "beep 1000 Hz", "message_empty"]
    assert menu[7:] == [*offer, *offer, "goodbye"]
    assert result.end is CallEnd.NO_ANSWER_FROM_CALLER
    assert result.path == ("opening", "greeting", "language", "main_menu", "way_out", "message", "goodbye")


async def test_wrong_keys_get_help_and_the_way_out(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["5", "8", "7"]}))
    assert (await call.run()).path[-3:] == ("way_out", "message", "goodbye")
    assert call.heard.count("wrong_key") == 2
    assert call.heard.count("menu_help") == 1


async def test_silent_and_wrong_entries_count_together(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["5", "", "7"]}))
    await call.run()
    assert call.heard.count("main_menu") == 3


async def test_entries_are_counted_for_each_prompt_apart(stage: SetStage) -> None:
    script = CallerScript({"main_menu": ["5", "5", "1"], "message_review": ["7", "7", "2"]}, speeches=[Speech()])
    call = stage(script)
    assert (await call.run()).end is CallEnd.COMPLETED
    assert "way_out" not in call.heard
    assert "message" in call.heard


async def test_nine_repeats_without_counting_as_a_failed_entry(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["9"] * 6 + ["1"]}, speeches=[Speech()]))
    assert (await call.run()).end is CallEnd.COMPLETED
    assert call.heard.count("main_menu") == 7
    assert "wrong_key" not in call.heard


@pytest.mark.parametrize(
    ("at", "is_trusted", "greeting"),
    [
        (datetime(2026, 3, 4, 2, 0, tzinfo=UTC), True, "greeting"),
        (datetime(2026, 3, 4, 4, 30, tzinfo=UTC), True, "closed_greeting"),
        (datetime(2026, 3, 7, 2, 0, tzinfo=UTC), True, "closed_greeting"),
        (datetime(2026, 5, 1, 2, 0, tzinfo=UTC), True, "closed_greeting"),
        (datetime(2026, 3, 7, 2, 0, tzinfo=UTC), False, "greeting"),
    ],
)
async def test_greeting_follows_the_opening_hours(
    stage: SetStage, set_clock: type[SetClock], at: datetime, is_trusted: bool, greeting: str
) -> None:
    call = stage(clock=set_clock(at, is_trusted))
    await call.run()
    assert call.heard[0] == greeting
