"""Calls through the built-in flow that ask to be called back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from firmware.events import (
    CallbackKept,
    CallEnd,
    RecordingEnd,
)
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, Stage

SetStage = Callable[..., "Stage"]

CALLBACK_CALL = CallerScript(
    keys_at_prompts={
        "language_choice": ["2"],
        "main_menu": ["2"],
        "callback_own_choice": ["2"],
        "callback_enter": ["02112345678#"],
        "callback_confirm": ["1"],
        "callback_when": ["2"],
    },
    speeches=[Speech(1.5)],
)


async def test_callback_with_another_number_is_read_back_and_kept_with_everything(stage: SetStage) -> None:
    call = stage(CALLBACK_CALL)
    assert (await call.run()).end is CallEnd.COMPLETED
    kept = call.store.callbacks["b0"]
    assert (kept.request.phone, kept.request.preferred) == ("02112345678", "morning")
    assert kept.request.reason is not None
    assert call.store.files[kept.request.reason.file] == call.line.spoken[0]
    at = call.heard.index("callback_read_back")
    assert call.heard[at + 1 : at + 13] == [f"digit_{digit}" for digit in "02112345678"] + ["callback_confirm"]
    assert call.heard[-6:] == ["callback_kept", "callback_number", "digit_5", "digit_0", "digit_1", "goodbye"]


async def test_own_number_is_confirmed_by_one_key(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": ["3"]}))
    await call.run()
    request = call.store.callbacks["b0"].request
    assert (request.phone, request.preferred, request.reason) == ("13800001111", "afternoon", None)


@pytest.mark.parametrize("number", [None, "", "12", "1" * 16, "9" * 500])
async def test_number_that_cannot_be_read_out_is_not_offered(stage: SetStage, number: str | None) -> None:
    call = stage(CallerScript({"main_menu": ["2"]}), number=number)
    await call.run()
    assert "callback_own" not in call.heard
    assert "callback_enter" in call.heard


async def test_request_is_kept_as_soon_as_its_number_is_confirmed(stage: SetStage) -> None:
    whole = stage(CallerScript({"main_menu": ["2"], "callback_own_choice": ["1"]}))
    await whole.run()
    asked = whole.line.operations.index("beep") - 3
    call = stage(CallerScript({"main_menu": ["2"], "callback_own_choice": ["1"]}, hangs_up_at=asked))
    assert (await call.run()).end is CallEnd.CALLER_HUNG_UP
    assert call.store.callbacks["b0"].request.preferred == "as_soon_as_possible"


@pytest.mark.parametrize("keyed", ["123456#", "1234567890123456#", "#", ""])
async def test_impossible_number_gets_help_and_another_try(stage: SetStage, keyed: str) -> None:
    keys = {"main_menu": ["2"], "callback_enter": [keyed], "callback_enter_help": ["5551234#"]}
    call = stage(CallerScript({**keys, "callback_confirm": ["1"]}), number=None)
    await call.run()
    assert call.heard.count("callback_enter_help") == 1
    assert [kept.request.phone for kept in call.store.callbacks.values()] == ["5551234"]


async def test_pause_ends_a_number_that_is_long_enough(stage: SetStage) -> None:
    call = stage(
        CallerScript({"main_menu": ["2"], "callback_enter": ["5551234"], "callback_confirm": ["1"]}), number=None
    )
    await call.run()
    assert call.store.callbacks["b0"].request.phone == "5551234"


async def test_star_begins_a_number_again(stage: SetStage) -> None:
    keys = {"main_menu": ["2"], "callback_enter": ["999*5551234#"], "callback_confirm": ["1"]}
    call = stage(CallerScript(keys), number=None)
    await call.run()
    assert call.store.callbacks["b0"].request.phone == "5551234"


async def test_number_is_keyed_again_when_not_confirmed(stage: SetStage) -> None:
    keys = {"main_menu": ["2"], "callback_enter": ["5551234#", "5559999#"], "callback_confirm": ["2", "1"]}
    call = stage(CallerScript(keys), number=None)
    await call.run()
    assert [kept.request.phone for kept in call.store.callbacks.values()] == ["5559999"]


async def test_no_number_at_all_leads_to_a_message(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["2"]}, speeches=[Speech()]), number=None)
    result = await call.run()
    assert result.path[-4:] == ("callback", "way_out", "message", "goodbye")
    assert len(call.store.messages) == 1


async def test_hash_skips_the_reason(stage: SetStage) -> None:
    keys = {"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": ["1"], "callback_reason": ["#"]}
    call = stage(CallerScript(keys))
    await call.run()
    assert "record" not in call.line.operations
    assert "callback_kept" in call.heard


async def test_whole_callback_typed_ahead(stage: SetStage) -> None:
    call = stage(CallerScript(keys_at_operations={0: "2225551234#13#"}))
    await call.run()
    request = call.store.callbacks["b0"].request
    assert (request.phone, request.preferred, request.reason) == ("5551234", "afternoon", None)
    assert call.heard == ["callback_kept", "callback_number", "digit_5", "digit_0", "digit_1", "goodbye"]


async def test_reason_is_kept_on_hang_up(stage: SetStage) -> None:
    keys = {"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": ["1"]}
    call = stage(CallerScript(keys, speeches=[Speech(1.0, RecordingEnd.HANG_UP)]))
    assert (await call.run()).end is CallEnd.CALLER_HUNG_UP
    assert call.store.callbacks["b0"].request.reason is not None


async def test_repeated_request_is_said_to_be_merged(stage: SetStage, memory_store: type[MemoryStore]) -> None:
    store = memory_store()
    script = CallerScript({"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": ["2"]})
    first = stage(script, store=store)
    await first.run()
    assert "callback_kept" in first.heard
    second = stage(script, store=store)
    await second.run()
    assert "callback_merged" in second.heard
    assert len(store.callbacks) == 1
    assert [event.merged for event in second.events if isinstance(event, CallbackKept)] == [True]


async def test_whoever_goes_back_from_the_time_hears_what_is_kept(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": ["*"]}))
    await call.run()
    asked = call.heard.index("callback_when")
    assert call.heard[asked + 1 : asked + 3] == ["callback_kept", "callback_number"]
    assert "main_menu" in call.heard[asked:]
    assert call.store.callbacks["b0"].request.preferred == "as_soon_as_possible"


async def test_request_without_a_chosen_time_leaves_an_earlier_choice(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    store = memory_store()
    keys = {"main_menu": ["2"], "callback_own_choice": ["1"]}
    await stage(CallerScript({**keys, "callback_when": ["2"]}), store=store).run()
    whole = stage(CallerScript(keys))
    await whole.run()
    asked = whole.line.operations.index("beep") - 3
    again = stage(CallerScript(keys, hangs_up_at=asked), store=store)
    assert (await again.run()).end is CallEnd.CALLER_HUNG_UP
    assert "callback_when" in again.heard
    assert store.callbacks["b0"].request.preferred == "morning"


async def test_chosen_time_replaces_an_earlier_choice(stage: SetStage, memory_store: type[MemoryStore]) -> None:
    store = memory_store()
    for key, preferred in [("2", "morning"), ("1", "as_soon_as_possible"), ("3", "afternoon")]:
        keys = {"main_menu": ["2"], "callback_own_choice": ["1"], "callback_when": [key]}
        await stage(CallerScript(keys), store=store).run()
        assert store.callbacks["b0"].request.preferred == preferred
