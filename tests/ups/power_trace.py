"""Runs a power policy over a trace: readings at their times, deadlines served in between, decisions noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from firmware.ups.decisions import Decision, PowerOff, ShedTo
from firmware.ups.history import PowerHistory
from firmware.ups.policy import PowerPolicy

TRACES = Path(__file__).parent / "traces"
_READING_KEYS = {"battery_low", "battery_percent", "runtime_seconds", "replace_battery"}


def mains_of(level: str, lost_level: str) -> bool:
    """What a contact whose `lost_level` means "mains away" says at this level."""
    return level != lost_level


@dataclass
class Run:
    """A policy in simulated time. `told` holds what it decided, with the times."""

    policy: PowerPolicy
    now_seconds: float = 0.0
    told: list[tuple[float, Decision]] = field(default_factory=list)

    def note(self, decisions: Iterable[Decision]) -> None:
        self.told += [(self.now_seconds, decision) for decision in decisions]

    def serve(self, until_seconds: float) -> None:
        """Time goes by, each deadline served at its moment."""
        while (deadline := self.policy.next_deadline()) is not None and deadline <= until_seconds:
            self.now_seconds = max(self.now_seconds, deadline)
            self.note(self.policy.passed(self.now_seconds))
            after = self.policy.next_deadline()
            assert after is None or after > self.now_seconds, "a served deadline must not stay"
        self.now_seconds = until_seconds

    def hear(self, reading: PowerReading, at_seconds: float) -> None:
        """A reading at its time."""
        self.serve(at_seconds)
        self.note(self.policy.heard(reading, at_seconds))

    def hold(self, reading: PowerReading, until_seconds: float, every_seconds: float = 1.0) -> None:
        """The source says the same again and again, beginning now."""
        while self.now_seconds < until_seconds:
            self.hear(reading, self.now_seconds)
            self.serve(min(self.now_seconds + every_seconds, until_seconds))

    def names(self) -> list[str]:
        """What was decided, in words."""
        return [in_words(decision) for _, decision in self.told]

    def lines(self) -> list[str]:
        """The same with times."""
        return [f"{round(at, 3):g} {in_words(decision)}" for at, decision in self.told]

    def times_of(self, kind: type[Decision]) -> list[float]:
        """When decisions of a kind came."""
        return [at for at, decision in self.told if isinstance(decision, kind)]


def new_run(
    settings: PowerSettings | None = None,
    history: PowerHistory | None = None,
    boot_id: str = "this boot",
    believed: bool = True,
) -> Run:
    """A policy that begins at 0 s."""
    settings, history = settings or PowerSettings(), history or PowerHistory()
    return Run(PowerPolicy(settings, history, 0.0, boot_id=boot_id, believed=lambda: believed))


def in_words(decision: Decision) -> str:
    """A decision as traces write it: its kind, and what else matters of it."""
    if isinstance(decision, PowerOff) and decision.mains_there:
        return "PowerOff, mains there"
    return f"ShedTo {decision.tier}" if isinstance(decision, ShedTo) else type(decision).__name__


def run_trace(trace: Mapping[str, Any]) -> Run:
    """Play a trace file."""
    settings = PowerSettings(**trace.get("settings", {}))
    history = PowerHistory(**trace.get("history", {}))
    run = new_run(settings, history, trace.get("boot_id", "this boot"), trace.get("believed", True))
    every_seconds = trace.get("every_seconds", 1.0)
    told: PowerReading | None = None
    steps = [*trace["steps"], {"at": trace["until"]}]
    for step in steps:
        if told is None:
            run.serve(step["at"])
        else:
            run.hold(told, step["at"], every_seconds)
        told = _take(run, step, told, trace.get("lost_level", "low"))
    return run


def _take(run: Run, step: Mapping[str, Any], told: PowerReading | None, lost_level: str) -> PowerReading | None:
    if "lost" in step:
        run.note(run.policy.source_lost(step["lost"], run.now_seconds))
    if step.get("callers_gone"):
        run.note(run.policy.callers_gone(run.now_seconds))
    if step.get("silent") or "lost" in step:
        return None
    said = {key: step[key] for key in _READING_KEYS & step.keys()}
    if "level" in step:
        said["mains"] = None if step["level"] is None else mains_of(step["level"], lost_level)
    return replace(told or PowerReading(mains=None), **said) if said else told


def load_traces() -> list[tuple[str, dict[str, Any]]]:
    """All trace files, by name."""
    return [
        (f"{file.stem}: {trace['name']}", trace)
        for file in sorted(TRACES.glob("*.yaml"))
        for trace in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]


def check_end(run: Run, trace: Mapping[str, Any]) -> None:
    """Where the trace says how it ends, it does."""
    if "ends" in trace:
        assert run.policy.state is PowerState(trace["ends"])
    if "tier" in trace:
        assert run.policy.tier == trace["tier"]
