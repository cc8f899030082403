"""The YAML file that describes a hardware rig, read and checked. `rig.example.yaml` explains every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import YamlSource, did_you_mean, parse_yaml

_Place = tuple[str | int, ...]
# The rest of the file may be labgrid's own (targets, imports, options ...), which labgrid checks.
_SECTION = "linekeeper"
_DEFAULT_READY_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class ApplianceEntry:
    """The appliance under test. `command` and `reset` are shell commands on it."""

    command: str
    reset: str
    supply: str
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class FarEndEntry:
    """The modem on the rig host that calls a line."""

    port: str
    country: str
    profile: str


@dataclass(frozen=True, slots=True)
class LineEntry:
    """One line under test: its name at the appliance, the number to dial, and its modem's USB power switch."""

    name: str
    number: str
    plug: str
    far_end: FarEndEntry


@dataclass(frozen=True, slots=True)
class RigFile:
    """The whole file. `environment` is labgrid's file, often this one itself; `target` the name in it."""

    path: Path
    environment: Path
    target: str
    appliance: ApplianceEntry
    lines: tuple[LineEntry, ...]


def read_rig_file(path: Path) -> RigFile:
    """Raises: ConfigurationError with every mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(path), 0, f"cannot be read: {error}")]) from error
    source = parse_yaml(str(path), text)
    top = source.value if isinstance(source.value, dict) else {}
    if not isinstance(top.get(_SECTION), dict):
        raise ConfigurationError([source.problem((), f'it has no section "{_SECTION}"')])
    problems: list[Problem] = []
    rig_file = _rig_file(path, _Section(source, (_SECTION,), top[_SECTION], problems))
    if problems:
        raise ConfigurationError(problems)
    return rig_file


class _Section:
    """One mapping of the file; mistakes are collected, so that all are told at once."""

    def __init__(self, source: YamlSource, place: _Place, value: object, problems: list[Problem]) -> None:
        self._source = source
        self._place = place
        self._problems = problems
        self._values: Mapping[Any, Any] = value if isinstance(value, dict) else {}
        self._known: set[str] = set()
        if not isinstance(value, dict):
            self.complain("a mapping is needed here")

    def complain(self, text: str, *deeper: str | int) -> None:
        self._problems.append(self._source.problem((*self._place, *deeper), text))

    def text(self, key: str, default: str | None = None) -> str:
        self._known.add(key)
        value = self._values.get(key, default)
        if value is None:
            self.complain(f'"{key}" is missing')
        elif not isinstance(value, str) or not value:
            self.complain(f"{key}: text is needed; put numbers into quotes", key)
        return str(value)

    def seconds(self, key: str, default: float) -> float:
        self._known.add(key)
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            self.complain(f"{key}: a positive number of seconds is needed", key)
            return default
        return float(value)

    def section(self, key: str, default: object = None) -> _Section:
        self._known.add(key)
        return _Section(self._source, (*self._place, key), self._values.get(key, default), self._problems)

    def sections(self, key: str) -> list[_Section]:
        self._known.add(key)
        values = self._values.get(key)
        if not isinstance(values, list) or not values:
            self.complain(f"{key}: a list with at least one entry is needed")
            return []
        return [
            _Section(self._source, (*self._place, key, index), value, self._problems)
            for index, value in enumerate(values)
        ]

    def close(self) -> None:
        """Complain of the keys that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                self.complain(f'unknown key "{key}"{did_you_mean(str(key), self._known)}', key)


def _rig_file(path: Path, section: _Section) -> RigFile:
    labgrid = section.section("labgrid", {})
    environment = path.parent / labgrid.text("environment", path.name)
    target = labgrid.text("target", "main")
    labgrid.close()
    appliance = _appliance(section.section("appliance"))
    lines = tuple(_line(line) for line in section.sections("lines"))
    section.close()
    return RigFile(path, environment, target, appliance, lines)


def _appliance(section: _Section) -> ApplianceEntry:
    entry = ApplianceEntry(
        command=section.text("command"),
        reset=section.text("reset"),
        supply=section.text("supply"),
        ready_seconds=section.seconds("ready_seconds", _DEFAULT_READY_SECONDS),
    )
    section.close()
    return entry


def _line(section: _Section) -> LineEntry:
    far_end = section.section("far_end")
    entry = LineEntry(
        name=section.text("name"),
        number=section.text("number"),
        plug=section.text("plug"),
        far_end=FarEndEntry(far_end.text("modem"), far_end.text("country", "CN"), far_end.text("profile", "auto")),
    )
    far_end.close()
    section.close()
    return entry
