"""Reads UPS profiles: those of the package by name, and a user's own file by path.

An own file may begin with `based_on = "x728"` and then say only what differs.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from firmware.errors import ConfigurationError, Problem
from firmware.ups.profile import UpsProfile
from firmware.yaml_source import did_you_mean

_BASE = "based_on"
_Place = tuple[str | int, ...]


@cache
def profiles() -> Mapping[str, UpsProfile]:
    """All profiles of the package, by name."""
    folder = resources.files("firmware.ups") / "profiles"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    loaded = [parse_profile(file.name, file.read_text(encoding="utf-8"), {}) for file in files]
    return {profile.name: profile for profile in loaded}


def find_profile(reference: str) -> UpsProfile:
    """A profile of the package by name, or a file by its whole path. Raises: ConfigurationError."""
    if reference.startswith("/"):
        return _read_own(Path(reference))
    found = profiles().get(reference)
    if found is None:
        raise ConfigurationError([Problem("configuration", 0, unknown_profile(reference))])
    return found


def unknown_profile(reference: str) -> str:
    """The sentence for a name that no file has."""
    near = did_you_mean(reference, profiles()) or f"; there are {', '.join(profiles())}, or the path of your own file"
    return f'power: no UPS profile is called "{reference}"{near}'


def parse_profile(name: str, text: str, bases: Mapping[str, UpsProfile] | None = None) -> UpsProfile:
    """Check the text of a profile; `bases` are those that it may be based on, by default all of the package.

    Raises: ConfigurationError with every mistake.
    """
    data = _read_toml(name, text)
    base = data.pop(_BASE, None)
    if base is not None:
        data = _merged(_base_facts(name, base, profiles() if bases is None else bases), data)
    try:
        return UpsProfile.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise ConfigurationError([_problem(name, text, details) for details in error.errors()]) from error


def _read_own(file: Path) -> UpsProfile:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError([Problem(str(file), 0, f"this UPS profile cannot be read: {error}")]) from error
    return parse_profile(str(file), text)


def _read_toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigurationError([Problem(name, int(line[1]) if line else 0, f"this is no TOML: {error}")]) from error


def _base_facts(name: str, base: object, bases: Mapping[str, UpsProfile]) -> dict[str, Any]:
    found = bases.get(base) if isinstance(base, str) else None
    if found is None:
        raise ConfigurationError([Problem(name, 0, unknown_profile(str(base)))])
    # Its doubts stay, except where the own file says otherwise.
    return found.model_dump(mode="json", by_alias=True, exclude_none=True)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _problem(name: str, text: str, details: Any) -> Problem:
    place: _Place = tuple(details["loc"])
    line = _line_of(text, place)
    message = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        word = str(place[-1])
        return Problem(name, line, f'unknown key "{word}"{did_you_mean(word, _keys_at(place[:-1]))}')
    if details["type"] == "missing":
        return Problem(name, line, f'"{".".join(map(str, place))}" is missing')
    return Problem(name, line, f"{'.'.join(map(str, place))}: {message}" if place else message)


def _line_of(text: str, place: _Place) -> int:
    """The line of a key in its section, as far as it stands on a line of its own; else that of the section, or 0."""
    section, found = "", 0
    wanted = ".".join(str(step) for step in place[:-1] if isinstance(step, str))
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([\w.-]+)\s*\]+", line):
            section = header[1]
            found = number if section in (wanted, ".".join(map(str, place))) else found
        elif place and section == wanted and re.match(rf"\s*{re.escape(str(place[-1]))}\s*=", line):
            return number
    return found


def _keys_at(place: _Place) -> list[str]:
    section: Any = UpsProfile
    for step in place:
        if isinstance(step, str):
            fields = {field.alias or name: field for name, field in section.model_fields.items()}
            section = _section_type(fields[step].annotation)
    keys = [field.alias or name for name, field in section.model_fields.items()]
    return [*keys, _BASE] if not place else keys


def _section_type(annotation: Any) -> type[BaseModel]:
    while get_origin(annotation) in (tuple, UnionType):
        annotation = get_args(annotation)[0]
    assert isinstance(annotation, type)
    return annotation
