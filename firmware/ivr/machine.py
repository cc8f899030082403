"""A checked flow as a `transitions` machine: the only importer of that library.

Every place of every step is a state; outcomes are the only triggers, and `Position.move` the only place that fires
them. Two observations (transitions 0.9.3) shape this file:

- With `queued`, an exception in a callback leaves the model in the new state and clears its queue; cancellation inside
  a trigger is swallowed (`process_context`); and a hierarchical machine keeps its scope on a stack of its own, which
  two calls that suspend inside a trigger would mix up. So states have no callbacks: the session runs the action of the
  state it is in, catches what the action raises, and fires an outcome. A trigger never suspends, and one machine
  serves all calls at once.
- A trigger with no transition in the present state raises MachineError, or AttributeError where no state has it.
  It cannot come from a checked flow; the session treats it as every other internal error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from transitions.extensions.asyncio import HierarchicalAsyncMachine, NestedAsyncState
from transitions.extensions.factory import HierarchicalAsyncGraphMachine

from firmware.ivr.flow import Flow, Outcome, Step, StepKind
from firmware.ivr.places import PLACES, Place, leaves_by

# Step names hold single underscores only (the loader's rule), so this never splits one.
_SEPARATOR = "__"
_CALL = "call"


class Exit(Enum):
    """Where a call has left its flow."""

    FAULT = "fault_exit"
    TIME_LIMIT = "time_limit"
    ENDED = "ended"


class _State(NestedAsyncState):
    separator = _SEPARATOR


class _Machine(HierarchicalAsyncMachine):
    state_cls = _State


class _DrawnMachine(HierarchicalAsyncGraphMachine):
    state_cls = _State


@dataclass(frozen=True, slots=True)
class At:
    """Where a call is: a place in a step of the flow."""

    step: Step
    place: Place


class Position:
    """One call's way through a flow."""

    def __init__(self, flow: CompiledFlow) -> None:
        self._flow = flow
        self.state = ""

    @property
    def at(self) -> At | None:
        """The place to act in; None once the call is at an exit of the whole flow."""
        return self._flow.places.get(self.state)

    @property
    def exit(self) -> Exit:
        """The exit where the call is, once it is in no place any more."""
        return Exit(self.state)

    async def move(self, outcome: Outcome) -> None:
        """Leave the present place by an outcome. Raises: MachineError where the flow has no such way."""
        await self._flow.machine.trigger_event(self, outcome.value)


class CompiledFlow:
    """A flow and its machine, shared by all calls."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.machine = _Machine(**_definition(flow))
        self.places = {
            _state_name(step, place): At(step, place) for step in flow.steps.values() for place in PLACES[step.kind]
        }

    @contextmanager
    def position(self) -> Iterator[Position]:
        """A call at the start of the flow, for as long as the context lasts."""
        position = Position(self)
        self.machine.add_model(position)
        try:
            yield position
        finally:
            self.machine.remove_model(position)


@lru_cache(maxsize=16)
def compile_flow(flow: Flow) -> CompiledFlow:
    """The machine of a flow, built once for all its calls."""
    return CompiledFlow(flow)


def draw_mermaid(flow: Flow) -> str:
    """The flow as a Mermaid state diagram, drawn from the machine that calls run on."""
    # Mermaid reads its title from YAML front matter, of which a JSON string is a part.
    title = f"title: {json.dumps(flow.name, ensure_ascii=False)}"
    machine = _DrawnMachine(**_definition(flow), graph_engine="mermaid", title=title)
    machine.add_model(Position(CompiledFlow(flow)))
    return f"{machine.get_combined_graph().draw(None)}\n"


def _definition(flow: Flow) -> dict[str, Any]:
    return {
        "model": None,
        "states": [
            {"name": _CALL, "initial": flow.start, "children": [_state(step) for step in flow.steps.values()]},
            Exit.FAULT.value,
            Exit.TIME_LIMIT.value,
            {"name": Exit.ENDED.value, "final": True},
        ],
        "transitions": [
            *(way for step in flow.steps.values() for way in _ways(step)),
            _way(Outcome.FAULT, _CALL, Exit.FAULT.value),
            _way(Outcome.TIME_IS_UP, _CALL, Exit.TIME_LIMIT.value),
            _way(Outcome.HUNG_UP, Exit.FAULT.value, Exit.ENDED.value),
            _way(Outcome.HUNG_UP, Exit.TIME_LIMIT.value, Exit.ENDED.value),
        ],
        "initial": _CALL,
        "queued": "model",
        "auto_transitions": False,
    }


def _state(step: Step) -> str | dict[str, Any]:
    places = [place.value for place in PLACES[step.kind]]
    return step.name if len(places) == 1 else {"name": step.name, "initial": places[0], "children": places}


def _ways(step: Step) -> Iterator[dict[str, str]]:
    for place, inner in PLACES[step.kind].items():
        source = _state_name(step, place)
        for outcome, inner_target in inner.items():
            yield _way(outcome, source, _state_name(step, inner_target))
        for outcome, target in step.exits.items():
            if leaves_by(place, outcome):
                yield _way(outcome, source, _join(_CALL, target))
    if step.kind is StepKind.HANG_UP:
        yield _way(Outcome.HUNG_UP, _join(_CALL, step.name), Exit.ENDED.value)


def _way(outcome: Outcome, source: str, target: str) -> dict[str, str]:
    return {"trigger": outcome.value, "source": source, "dest": target}


def _state_name(step: Step, place: Place) -> str:
    names = [_CALL, step.name] if len(PLACES[step.kind]) == 1 else [_CALL, step.name, place.value]
    return _join(*names)


def _join(*names: str) -> str:
    return _SEPARATOR.join(names)
