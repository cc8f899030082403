"""What a company's appliances share, and what a good entry of each kind looks like. Pure.

Both ends judge entries by it: a person's typing at a branch, an edit at the collector, a change at the appliance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CONTACT, BLOCKED, ALLOWED = "contact", "blocked", "allowed"
FLOW, PROMPT, CONFIGURATION = "flow", "prompt", "configuration"
ERASE = "erase"
"""No shared item but a command: its key is its receipt, its body says whom or what."""
ERASED_KEY = "erased/"
"""A shared item that was erased has this and the item's own id for a key: nothing else is known of it any more."""

ANONYMOUS = "anonymous"
"""The key of the entry for callers who withhold their number."""
MOST_FLOW_CHARACTERS = 48_000
_NUMBER = re.compile(r"\+?[0-9]{1,24}", re.ASCII)
_PATTERN = re.compile(r"\+?[0-9]{1,24}\*", re.ASCII)
_FLOW_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", re.ASCII)
_PROMPT_NAME = re.compile(r"(zh|en)/[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_MOST_KEY_CHARACTERS = 64

CONFIGURATION_KEYS = frozenset(
    {"rings", "calls.longest_message_seconds", "calls.no_input_seconds", "speech.transcripts"}
)
"""What may be changed from afar: nothing that could cut an appliance off or open it to somebody."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of shared item."""

    is_key: Callable[[str], bool]
    key_words: str
    """What a good key is, for a person."""
    fields: Mapping[str, int]
    """The most characters of each text field."""
    branches_edit: bool
    """Whether a branch may change it; the others are set at the collector only."""
    needs_file: bool = False


def _is_number(key: str) -> bool:
    return bool(_NUMBER.fullmatch(key))


def _is_listed(key: str) -> bool:
    return key == ANONYMOUS or bool(_NUMBER.fullmatch(key) or _PATTERN.fullmatch(key))


_LIST_KEYS = "a number, the beginning of numbers with a * behind it, or anonymous"
KINDS: Mapping[str, Kind] = {
    CONTACT: Kind(_is_number, "a number", {"name": 100, "organisation": 100, "language": 2, "note": 500}, True),
    BLOCKED: Kind(_is_listed, _LIST_KEYS, {"reason": 200}, True),
    ALLOWED: Kind(_is_listed, _LIST_KEYS, {"reason": 200}, True),
    FLOW: Kind(
        lambda key: bool(_FLOW_NAME.fullmatch(key)),
        "small letters, digits, - and _",
        {"text": MOST_FLOW_CHARACTERS},
        False,
    ),
    PROMPT: Kind(
        lambda key: bool(_PROMPT_NAME.fullmatch(key)),
        "language/name, such as en/greeting",
        {"voice": 100},
        False,
        needs_file=True,
    ),
    CONFIGURATION: Kind(CONFIGURATION_KEYS.__contains__, f"one of {', '.join(sorted(CONFIGURATION_KEYS))}", {}, False),
}
_LANGUAGES = ("zh", "en")


def fault_of(kind: str, key: object, body: object) -> str | None:
    """What is wrong with an entry, in a sentence; None where it is good. `body` None is a removal."""
    rules = KINDS.get(kind)
    if rules is None:
        return f"nothing of the kind {str(kind)[:40]!r} is shared; there is {', '.join(KINDS)}"
    if not isinstance(key, str) or len(key) > _MOST_KEY_CHARACTERS or not rules.is_key(key):
        return f"{str(key)[:_MOST_KEY_CHARACTERS]!r} names no {kind}: it is {rules.key_words}"
    if body is None:
        return None
    if not isinstance(body, dict):
        return f"a {kind} is a set of fields"
    return _configuration_fault(body) if kind == CONFIGURATION else _fields_fault(kind, rules, body)


def _configuration_fault(body: Mapping[str, Any]) -> str | None:
    if set(body) != {"value"} or not isinstance(body["value"], bool | int | float):
        return "a configuration entry has one field, value: a number, or true or false"
    return None


def _fields_fault(kind: str, rules: Kind, body: Mapping[str, Any]) -> str | None:
    for name, value in body.items():
        if name not in rules.fields:
            return f"a {kind} has no field {str(name)[:40]!r}; there is {', '.join(rules.fields)}"
        if not isinstance(value, str) or not value.strip():
            return f"{name} is a text"
        if fault := _text_fault(name, value, rules.fields[name]):
            return fault
    if kind == FLOW and "text" not in body:
        return "a flow has a text"
    return None


def _text_fault(name: str, value: str, most: int) -> str | None:
    if len(value) > most:
        return f"{name} is longer than {most} characters"
    if name == "language" and value not in _LANGUAGES:
        return f"language is one of {', '.join(_LANGUAGES)}"
    lines = name == "text"
    if not all(character.isprintable() or (lines and character in "\n\t\r") for character in value):
        return f"{name} holds characters that are no text"
    return None
