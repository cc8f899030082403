"""Reading a checked YAML value by type: every mistake is noted with its line, and reading goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import Path, YamlSource, did_you_mean

_LONGEST_QUOTE = 60


class Notes:
    """The mistakes found so far in one file."""

    def __init__(self, source: YamlSource, problems: Iterable[Problem] = ()) -> None:
        self._source = source
        self._problems = list(problems)

    def add(self, path: Path, text: str) -> None:
        """A mistake at a place."""
        self._problems.append(self._source.problem(path, text))

    def raise_any(self) -> None:
        """Raises: ConfigurationError with all mistakes, where there are any."""
        if self._problems:
            raise ConfigurationError(self._problems)

    @property
    def clean(self) -> bool:
        """Whether nothing was found yet."""
        return not self._problems


def quoted(value: object) -> str:
    """A value as a message shows it; never longer than a line."""
    text = str(value)
    return f'"{text[:_LONGEST_QUOTE]}..."' if len(text) > _LONGEST_QUOTE else f'"{text}"'


class Section:
    """One mapping of the file. Keys that nobody asked for are mistakes: `finish` tells them."""

    def __init__(self, notes: Notes, path: Path, value: object, what: str) -> None:
        self.notes = notes
        self.path = path
        self._asked: dict[str, None] = {}
        self._value: Mapping[Any, object] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            notes.add(path, f"{what} must be a mapping of names to values")

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def ask(self, key: str) -> object:
        """The raw value of a key, or None."""
        self._asked[key] = None
        return self._value.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty text; without a default it must be there. A mistake gives an empty text."""
        value = self.ask(key)
        if key not in self._value:
            if default is None:
                self.notes.add(self.path, f'"{key}" is missing')
            return default or ""
        if not isinstance(value, str) or not value:
            self.notes.add((*self.path, key), f'"{key}" must be a text, not {quoted(value)}')
            return ""
        return value

    def one_of(self, key: str, known: Iterable[str], what: str) -> str:
        """A text out of a list; a mistake gives an empty text."""
        value = self.text(key)
        choices = list(known)
        if value and value not in choices:
            hint = did_you_mean(value, choices) or f"; there are {', '.join(choices)}"
            self.notes.add((*self.path, key), f"{what} {quoted(value)} is not known{hint}")
            return ""
        return value

    def items(self, key: str, what: str) -> list[tuple[Path, object]]:
        """The entries of a list with their places; an absent list is empty."""
        value = self.ask(key)
        if key not in self._value:
            return []
        if not isinstance(value, list):
            self.notes.add((*self.path, key), f"{what} must be a list")
            return []
        return [((*self.path, key, index), item) for index, item in enumerate(value)]

    def pairs(self, key: str, what: str) -> list[tuple[Path, object, object]]:
        """The entries of a mapping with their places; it must be there and hold something."""
        value = self.ask(key)
        if not isinstance(value, dict) or not value:
            place = (*self.path, key) if key in self._value else self.path
            self.notes.add(place, f'"{key}" must map {what}')
            return []
        return [((*self.path, key, name), name, item) for name, item in value.items()]

    def finish(self) -> bool:
        """Note the keys that nobody asked for. True when there were none."""
        strange = [key for key in self._value if key not in self._asked]
        for key in strange:
            self.notes.add((*self.path, key), f"unknown key {quoted(key)}{did_you_mean(str(key), self._asked)}")
        return not strange
