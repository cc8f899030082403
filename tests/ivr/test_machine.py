from __future__ import annotations

import asyncio

import pytest
from transitions import MachineError

from firmware.ivr.flow import Flow, Outcome
from firmware.ivr.loader import load_flow
from firmware.ivr.machine import CompiledFlow, Exit, compile_flow, draw_mermaid
from firmware.ivr.places import PLACES, Place


@pytest.fixture(scope="module")
def office() -> Flow:
    return load_flow("builtin:office")


async def walk(compiled: CompiledFlow, *outcomes: Outcome) -> str:
    with compiled.position() as position:
        for outcome in outcomes:
            await position.move(outcome)
            await asyncio.sleep(0)
        return position.state


async def test_call_begins_at_the_start_and_reaches_the_end(office: Flow) -> None:
    to_menu = (Outcome.OPEN, Outcome.NEXT, Outcome.NEXT)
    compiled = compile_flow(office)
    assert await walk(compiled) == "call__opening"
    assert await walk(compiled, *to_menu, Outcome.KEY_1) == "call__message__take"
    assert await walk(compiled, *to_menu, Outcome.KEY_1, Outcome.RECORDED, Outcome.NEXT) == "call__goodbye"
    end = (Outcome.KEY_1, Outcome.NEXT, Outcome.HUNG_UP)
    assert await walk(compiled, *to_menu, *end) == Exit.ENDED.value


async def test_every_place_leads_to_the_fault_exit_and_the_time_limit(office: Flow) -> None:
    compiled = compile_flow(office)
    for state in compiled.places:
        for outcome, way in [(Outcome.FAULT, Exit.FAULT), (Outcome.TIME_IS_UP, Exit.TIME_LIMIT)]:
            with compiled.position() as position:
                compiled.machine.set_state(state, position)
                await position.move(outcome)
                assert position.at is None
                assert position.exit is way


async def test_calls_share_a_machine_without_meeting(office: Flow) -> None:
    compiled = compile_flow(office)
    to_menu = (Outcome.OPEN, Outcome.NEXT, Outcome.NEXT)
    ways = [
        walk(compiled, *to_menu, *((Outcome.KEY_1, Outcome.RECORDED) if number % 2 else (Outcome.KEY_2,)))
        for number in range(50)
    ]
    states = await asyncio.gather(*ways)
    assert set(states[::2]) == {"call__callback__own_number"}
    assert set(states[1::2]) == {"call__message__review"}
    assert compiled.machine.models == []


async def test_outcome_that_has_no_way_is_an_error_and_moves_nothing(office: Flow) -> None:
    with compile_flow(office).position() as position:
        with pytest.raises(MachineError):
            await position.move(Outcome.KEY_1)
        assert position.at is not None
        assert position.at.step.name == "opening"


def test_machine_is_built_once_for_a_flow(office: Flow) -> None:
    assert compile_flow(office) is compile_flow(office)


def test_each_place_belongs_to_a_kind() -> None:
    assert {place for places in PLACES.values() for place in places} == set(Place)


def test_drawing_shows_every_step_and_every_way(office: Flow) -> None:
    drawing = draw_mermaid(office)
    assert "stateDiagram-v2" in drawing
    assert 'title: "office"' in drawing
    for name, step in office.steps.items():
        assert f'state "{name}" as call__{name}\n' in drawing
        for outcome, target in step.exits.items():
            ways = [line for line in drawing.splitlines() if line.strip().startswith(f"call__{name}")]
            assert any(f"--> call__{target}: " in way and outcome.value in way for way in ways)
    assert "call --> fault_exit: fault" in drawing
