"""Checks of a flow as a graph: nothing leads nowhere, and no caller is ever caught in it.

An exit that could not be read, or names no step, may be meant to lead anywhere. The checks then tell only what stays
true wherever it leads, so that one mistake drags no others along, and no mistake waits for another to be mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from firmware.ivr.flow import UNREAD_TARGET, Flow, Outcome, Step, StepKind
from firmware.ivr.sections import Notes, quoted
from firmware.yaml_source import Path, did_you_mean

Edges = Mapping[str, frozenset[str]]

# What happens in a step when the caller says and keys nothing at all, by outcome. A branch may go any way.
_SILENT_EXITS: Mapping[StepKind, frozenset[Outcome]] = {
    StepKind.SAY: frozenset({Outcome.NEXT}),
    StepKind.GOTO: frozenset({Outcome.NEXT}),
    StepKind.LANGUAGE: frozenset({Outcome.NEXT}),
    StepKind.MENU: frozenset({Outcome.WAY_OUT}),
    StepKind.RECORD: frozenset({Outcome.NEXT, Outcome.NO_ROOM}),
    StepKind.CALLBACK: frozenset({Outcome.WAY_OUT}),
    StepKind.BRANCH: frozenset(Outcome),
    StepKind.HANG_UP: frozenset(),
}


def check_graph(notes: Notes, flow: Flow) -> None:
    """Note every mistake of the graph."""
    if not flow.steps:
        return
    _check_targets(notes, flow)
    everywhere = {name: frozenset(step.exits.values()) for name, step in flow.steps.items()}
    _check_reachable(notes, flow, everywhere)
    caught = _check_ends(notes, flow, everywhere)
    _check_silence(notes, flow, caught)


def _check_targets(notes: Notes, flow: Flow) -> None:
    _check_target(notes, flow, ("start",), flow.start)
    for step in flow.steps.values():
        for outcome, target in step.exits.items():
            _check_target(notes, flow, _place(step, outcome), target)


def _check_target(notes: Notes, flow: Flow, place: Path, target: str) -> None:
    if target != UNREAD_TARGET and target not in flow.steps:
        notes.add(place, f"there is no step {quoted(target)}{did_you_mean(target, flow.steps)}")


def _place(step: Step, outcome: Outcome) -> Path:
    if outcome.value.startswith("key_"):
        key = next(key for key in step.keys if outcome.value in (f"key_{key}", "key_hash"))
        return ("steps", step.name, "keys", int(key) if key.isdigit() else key)
    return ("steps", step.name, outcome.value)


def _check_reachable(notes: Notes, flow: Flow, edges: Edges) -> None:
    reached = _reach({flow.start}, edges)
    if reached <= flow.steps.keys():
        for name in flow.steps.keys() - reached:
            notes.add(("steps", name), f"no way leads to step {quoted(name)}")


def _check_ends(notes: Notes, flow: Flow, edges: Edges) -> set[str]:
    """Dead ends: steps from which no hang-up can be reached, nor anything unknown."""
    targets = frozenset().union(flow.steps, *edges.values())
    backwards = {target: frozenset(source for source in edges if target in edges[source]) for target in targets}
    ends = {name for name, step in flow.steps.items() if step.kind is StepKind.HANG_UP}
    caught = flow.steps.keys() - _reach(ends | (targets - flow.steps.keys()), backwards)
    for name in caught:
        notes.add(("steps", name), f"a call that reaches step {quoted(name)} can never end: no hang_up can follow")
    return set(caught)


def _check_silence(notes: Notes, flow: Flow, already_told: set[str]) -> None:
    """A caller who does nothing must come to an end: the silent exits may not run in a circle."""
    silent = {
        name: frozenset(target for outcome, target in step.exits.items() if outcome in _SILENT_EXITS[step.kind])
        for name, step in flow.steps.items()
    }
    for name in flow.steps:
        if name not in already_told and name in _reach(silent[name], silent):
            notes.add(("steps", name), f"a caller who does nothing comes back to step {quoted(name)} for ever")


def _reach(starts: AbstractSet[str], edges: Edges) -> set[str]:
    """What can be reached; targets that are no steps are reached as well, and lead nowhere."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(edges.get(name, ()))
    return reached
