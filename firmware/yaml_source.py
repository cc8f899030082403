"""YAML that remembers its lines: for files in which a person must find the mistake.

The only place that imports PyYAML.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from firmware.errors import ConfigurationError, Problem

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlSource:
    """A parsed file: its value, and the line (from 1) on which each place in it begins."""

    name: str
    value: object
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of a place, or of the nearest place around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def problem(self, path: Path, text: str) -> Problem:
        """A mistake at a place."""
        return Problem(self.name, self.line_of(path), text)


def parse_yaml(name: str, text: str, problems: list[Problem] | None = None) -> YamlSource:
    """Parse one document with the safe subset of YAML.

    Raises: ConfigurationError for a syntax error, or with every mistake in single places, such as a key that stands
    twice in one mapping. Where `problems` is given, the latter are added to it instead, and the rest is parsed.
    """
    reader = _Reader(name)
    try:
        value = reader.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigurationError([Problem(name, mark.line + 1 if mark else 0, str(error.problem))]) from error
    except RecursionError as error:
        raise ConfigurationError([Problem(name, 0, "it is nested too deeply")]) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise ConfigurationError([Problem(name, 0, str(error))]) from error
    if problems is not None:
        problems += reader.problems
    elif reader.problems:
        raise ConfigurationError(reader.problems)
    return YamlSource(name, value, reader.lines)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


class _Reader:
    """Walks the node tree, which still knows its lines, and builds plain values from it."""

    # Aliases can multiply a small file into a huge value; no file of ours comes near this many places.
    _MOST_PLACES = 50_000
    # Python refuses to print integers of more than 4300 digits; nobody means even 20.
    _MOST_BITS = 64

    def __init__(self, name: str) -> None:
        self._name = name
        self._loader = yaml.SafeLoader("")
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def read(self, text: str) -> object:
        self._loader = yaml.SafeLoader(text)
        try:
            node = self._loader.get_single_node()
            return None if node is None else self._value(node, ())
        finally:
            self._loader.dispose()

    def _value(self, node: yaml.Node, path: Path) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(self.lines) > self._MOST_PLACES:
            raise ValueError("it is too large, or its aliases multiply")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._plain(node)

    def _plain(self, node: yaml.Node) -> object:
        try:
            value = self._loader.construct_object(node, deep=True)
            if isinstance(value, int) and value.bit_length() > self._MOST_BITS:
                raise ValueError("the number is too large")
            return value
        # PyYAML lets through what its constructors trip over: a date that no calendar has, a tag that does not fit.
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
            line = node.start_mark.line + 1
            self.problems.append(Problem(self._name, line, f'"{node.value!s:.60}" cannot be read: {error}'))
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str | int | bool, object]:
        result: dict[str | int | bool, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._plain(key_node)
            if not isinstance(key, str | int | bool):
                self.problems.append(Problem(self._name, line, f"{key!r} cannot be a key"))
                continue
            if key in result:
                self.problems.append(Problem(self._name, line, f'"{key}" stands twice'))
            place = (*path, key)
            self.lines[place] = line
            result[key] = self._value(value_node, place)
        return result
