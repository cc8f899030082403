"""Fields of the bench's commands: read, checked, and refused in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from firmware.errors import LinekeeperError

Fields = Mapping[str, Any]
Choice = TypeVar("Choice", bound=Enum)


class BadCommand(LinekeeperError):
    """A line that is no command; the message says what is wrong."""


def optional_text(fields: Fields, key: str) -> str | None:
    """Text, or None where it is not given. Raises: BadCommand."""
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise BadCommand(f"{key} is text, not {value!r}")
    if value is not None and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
        raise BadCommand(f"{key} holds what is no text: {value!r}")
    return value


def flag(fields: Fields, key: str, default: bool | None) -> bool:
    """Raises: BadCommand."""
    value = fields.get(key, default)
    if not isinstance(value, bool):
        raise BadCommand(f"{key} is true or false, not {value!r}")
    return value


def number(fields: Fields, key: str, default: float, most: float) -> float:
    """From 0 to `most`. Raises: BadCommand."""
    value = fields.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise BadCommand(f"{key} is a number from 0 on, not {value!r}")
    if value > most:
        raise BadCommand(f"{key} is at most {most:g}, not {value!r}")
    return float(value)


def one_of(choices: type[Choice], fields: Fields, key: str) -> Choice:
    """Raises: BadCommand."""
    value = fields.get(key)
    for choice in choices:
        if choice.value == value:
            return choice
    raise BadCommand(f"{key} is one of {', '.join(choice.value for choice in choices)}, not {value!r}")
