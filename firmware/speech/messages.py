"""What recogniser and worker say to each other. Samples travel as they are, everything else as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from firmware.errors import SpeechError


@dataclass(frozen=True, slots=True)
class Prepare:
    """To the worker: load an engine for a language, and check all words that will be asked for."""

    engine: str
    language: str
    model: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """From the worker: the language is ready except for these words, or it is not, because of the problem."""

    language: str
    missing_words: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class Listen:
    """To the worker: one answer begins, which should be one of the phrases."""

    utterance: int
    language: str
    phrases: tuple[str, ...]
    end_silence_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Dictate:
    """To the worker: free speech begins."""

    utterance: int
    language: str


@dataclass(frozen=True, slots=True)
class Sound:
    """To the worker: samples of an utterance, as s16."""

    utterance: int
    s16: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """To the worker: these were all samples of the utterance."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Drop:
    """To the worker: nobody waits for this utterance any more."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Progress:
    """From the worker: so many samples of the utterance are done with."""

    utterance: int
    samples: int


@dataclass(frozen=True, slots=True)
class Began:
    """From the worker: somebody speaks, since this sample."""

    utterance: int
    sample: int


@dataclass(frozen=True, slots=True)
class Ended:
    """From the worker: the words ended at `sample`; that was known `decided_at` samples after the utterance began."""

    utterance: int
    sample: int
    decided_at: int


@dataclass(frozen=True, slots=True)
class Heard:
    """From the worker: the result of an utterance, its last message."""

    utterance: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Failed:
    """From the worker: there will be no result of this utterance."""

    utterance: int
    problem: str


Request = Prepare | Listen | Dictate | Sound | Finish | Drop
Reply = Prepared | Progress | Began | Ended | Heard | Failed
Message = Request | Reply

_SOUND = b"S"
_SOUND_HEADER_BYTES = 9  # the letter and the number of the utterance; whole samples follow
_JSON = b"J"
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Message) if kind is not Sound}
# By the annotations above, which are strings here.
_VALUE_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "str | None": (str, type(None)),
    "tuple[str, ...]": (list,),
}


def to_payload(message: Message) -> bytes:
    """A message as the payload of a frame."""
    if isinstance(message, Sound):
        return _SOUND + message.utterance.to_bytes(8, "big") + message.s16
    return _JSON + json.dumps({"kind": type(message).__name__, **asdict(message)}).encode()


def from_payload(payload: bytes) -> Message:
    """The message in a payload. Raises: SpeechError for one that is none."""
    if payload[:1] == _SOUND and len(payload) >= _SOUND_HEADER_BYTES and len(payload) % 2:
        return Sound(int.from_bytes(payload[1:_SOUND_HEADER_BYTES], "big"), payload[_SOUND_HEADER_BYTES:])
    values = _json_values(payload)
    kind = _KINDS.get(str(values.pop("kind", None)))
    if kind is None or not _fits(kind, values):
        raise SpeechError(f"the speech worker's pipe carries no message but {payload[:40]!r}")
    message: Message = kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    )
    return message


def _json_values(payload: bytes) -> dict[str, Any]:
    try:
        values = json.loads(payload[1:]) if payload[:1] == _JSON else None
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _fits(kind: Any, values: dict[str, Any]) -> bool:
    expected = {field.name: _VALUE_TYPES[str(field.type)] for field in fields(kind)}
    return expected.keys() == values.keys() and all(
        isinstance(value, expected[name]) and not isinstance(value, bool) and _only_words(value)
        for name, value in values.items()
    )


def _only_words(value: object) -> bool:
    return not isinstance(value, list) or all(isinstance(word, str) for word in value)
