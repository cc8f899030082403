"""What a collector answers, checked before it is believed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware.errors import DeliveryError
from firmware.ports import Answer, Outcome
from firmware.sync.mail import one_line

# Numbers beyond are no counts: SQLite would keep them, JSON at the other end might not.
_MOST = 2**53
_MOST_REASON_CHARACTERS = 300
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


class NoSense(DeliveryError):
    """A collector answered something that does not fit the question."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the collector's answer makes no sense: {what}; is its version the right one?")


class RequestRefused(DeliveryError):
    """The collector finds this very request wrong; the same again is as wrong. `fields` is its answer."""

    def __init__(self, status: int, fields: Mapping[str, Any]) -> None:
        self.status = status
        self.code = one_line(fields.get("error", ""), _MOST_REASON_CHARACTERS)
        self.fields = fields
        self.sentence = one_line(fields.get("message") or fields.get("error") or "", _MOST_REASON_CHARACTERS)
        super().__init__(f"the collector refuses a request ({status} {self.code}): {self.sentence}")


@dataclass(frozen=True, slots=True)
class Greeting:
    """What it knows of this appliance."""

    highest_seq: int
    highest_version: int
    down: int
    company: str = ""


def json_object(body: bytes) -> dict[str, Any] | None:
    """None where this is no JSON object, or holds what no database and no screen can bear: NaN, half surrogates."""
    try:
        value = json.loads(body, parse_constant=_refuse)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def number_in(fields: Mapping[str, Any], name: str) -> int:
    """Raises: NoSense."""
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    raise NoSense(f"{name} is no number")


def read_greeting(fields: Mapping[str, Any]) -> Greeting:
    """Raises: NoSense."""
    seq, version, down = (number_in(fields, name) for name in ("highest_seq", "highest_version", "down"))
    return Greeting(seq, version, down, str(fields.get("company", ""))[:_MOST_REASON_CHARACTERS])


def read_blob_state(fields: Mapping[str, Any], byte_count: int) -> int:
    """How many bytes it has; all of them once it has checked the whole. Raises: NoSense."""
    if fields.get("complete") is True:
        return byte_count
    offset = number_in(fields, "offset")
    if offset > byte_count:
        raise NoSense("it has more of a recording than there is")
    # It has each byte and did not say that it is whole: the last part is sent once more.
    return offset if offset < byte_count else max(0, byte_count - 1)


def read_answers(fields: Mapping[str, Any], sent: Mapping[int, int]) -> Sequence[Answer]:
    """One for each of what was `sent` (seq, version) that it spoke on; anything else is left out. Raises: NoSense."""
    answers = fields.get("answers")
    if not isinstance(answers, list):
        raise NoSense("it holds no answers")
    read = (_answer(item) for item in answers if isinstance(item, dict))
    kept = {answer.seq: answer for answer in read if answer and sent.get(answer.seq) == answer.version}
    return list(kept.values())


def _answer(item: Mapping[str, Any]) -> Answer | None:
    outcome = item.get("outcome")
    if not isinstance(outcome, str) or outcome not in _OUTCOMES:
        return None
    try:
        seq, version = number_in(item, "seq"), number_in(item, "version")
    except NoSense:
        return None
    return Answer(seq, version, _OUTCOMES[outcome], one_line(item.get("reason") or "", _MOST_REASON_CHARACTERS))
