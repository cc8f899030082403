"""From a flow file to a checked flow: everything is looked at, and every mistake told at once with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path as FilePath

from firmware.errors import ConfigurationError, Problem
from firmware.ivr.flow import UNREAD_EXIT, UNREAD_TARGET, Condition, Flow, Step, StepKind
from firmware.ivr.graph_checks import check_graph
from firmware.ivr.hours_reader import read_hours
from firmware.ivr.schema import KIND_RULES, KINDS_TO_COME, PROMPTS_OF_EVERY_CALL
from firmware.ivr.sections import Notes, Section, quoted
from firmware.ivr.step_reader import read_step
from firmware.yaml_source import did_you_mean, parse_yaml

Prompts = Mapping[str, Collection[str]]
"""The prompts there are, by language."""

BUILTIN = "builtin:"
LOW_BATTERY_FLOW = "builtin:low_battery"
DEFAULT_TIME_ZONE = "Asia/Shanghai"
_STEP_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


def load_flow(reference: str, prompts: Prompts | None = None, time_zone: str = DEFAULT_TIME_ZONE) -> Flow:
    """Read and check a flow: `builtin:NAME`, or a path. Without `prompts` their presence is not checked.

    Raises: ConfigurationError with every mistake.
    """
    return parse_flow(reference, _text_of(reference), prompts, time_zone)


def parse_flow(name: str, text: str, prompts: Prompts | None = None, time_zone: str = DEFAULT_TIME_ZONE) -> Flow:
    """Check the text of a flow file. Raises: ConfigurationError."""
    problems: list[Problem] = []
    source = parse_yaml(name, text, problems)
    notes = Notes(source, problems)
    top = Section(notes, (), source.value, "a flow")
    title = top.text("name", default=name)
    start = top.text("start")
    hours = read_hours(notes, ("hours",), top.ask("hours"), time_zone) if "hours" in top else None
    steps = _read_steps(top)
    top.finish()
    flow = Flow(title, start, steps, hours)
    _check_hours(notes, flow)
    _check_prompts(notes, flow, prompts or {})
    check_graph(notes, flow)
    notes.raise_any()
    return flow


def _text_of(reference: str) -> str:
    try:
        if reference.startswith(BUILTIN):
            return _builtin(reference)
        return FilePath(reference).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError([Problem(reference, 0, f"cannot be read: {error}")]) from error


def _builtin(reference: str) -> str:
    name = reference.removeprefix(BUILTIN)
    folder = resources.files("firmware.ivr") / "flows"
    known = sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    if name not in known:
        hint = did_you_mean(name, known) or f"; there is {', '.join(known)}"
        raise ConfigurationError([Problem(reference, 0, f"no built-in flow is called {quoted(name)}{hint}")])
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def _read_steps(top: Section) -> dict[str, Step]:
    steps = {}
    for place, name, value in top.pairs("steps", "the names of steps to what they do"):
        if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
            top.notes.add(place, f"{quoted(name)} cannot name a step: small letters, digits and single _ between them")
        section = Section(top.notes, place, value, f"step {quoted(name)}")
        kind = _kind(section) if isinstance(value, dict) else None
        steps[str(name)] = read_step(section, str(name), kind) if kind else _unread(str(name))
    return steps


def _unread(name: str) -> Step:
    return Step(name, StepKind.GOTO, {UNREAD_EXIT: UNREAD_TARGET})


def _kind(section: Section) -> StepKind | None:
    word = section.text("kind")
    known = [kind.value for kind in StepKind]
    if word in KINDS_TO_COME:
        section.notes.add((*section.path, "kind"), f"this version has no step kind {quoted(word)}")
    elif word and word not in known:
        hint = did_you_mean(word, known) or f"; there are {', '.join(known)}"
        section.notes.add((*section.path, "kind"), f"unknown step kind {quoted(word)}{hint}")
    return StepKind(word) if word in known else None


def _check_hours(notes: Notes, flow: Flow) -> None:
    for step in flow.steps.values():
        if step.condition is Condition.OPENING_HOURS and flow.hours is None:
            notes.add(("steps", step.name), 'it asks for the opening hours, but the flow has no "hours"')


def _check_prompts(notes: Notes, flow: Flow, prompts: Prompts) -> None:
    for language, there in prompts.items():
        for step in flow.steps.values():
            for missing in [prompt for prompt in _prompts_of(step) if prompt not in there]:
                notes.add(
                    ("steps", step.name), f'prompt "{missing}" is missing in {language}{did_you_mean(missing, there)}'
                )
        for missing in [prompt for prompt in PROMPTS_OF_EVERY_CALL if prompt not in there]:
            notes.add((), f'prompt "{missing}", which every call may need, is missing in {language}')


def _prompts_of(step: Step) -> list[str]:
    named = [prompt for prompt in (step.prompt, step.help_prompt) if prompt]
    by_voice = [f"{prompt}_spoken" for prompt in named] if step.by_voice else []
    chosen = [answer.prompt for answer in step.answers.values()]
    return list(dict.fromkeys([*named, *by_voice, *chosen, *KIND_RULES[step.kind].prompts]))
