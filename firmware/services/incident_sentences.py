"""Sentences of records in another language: records hold English, and an office may read Chinese. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

_FILE = "incident_sentences.toml"
_PART = "{}"
# A sentence may hold another one, and that a third.
_DEEPEST = 3


def in_language(sentence: str, language: str, depth: int = 0) -> str:
    """The sentence in this language; as it is where no words are known."""
    for pattern, words in _known(language):
        if (found := pattern.fullmatch(sentence)) is not None:
            parts = found.groups()
            if depth < _DEEPEST:
                parts = tuple(in_language(part, language, depth + 1) for part in parts)
            return _filled(words, parts)
    return sentence


def _filled(words: str, parts: Sequence[str]) -> str:
    # Not by str.format: a part may hold braces.
    pieces = words.split(_PART)
    return "".join(piece + part for piece, part in zip(pieces, [*parts, ""], strict=True))


@cache
def _known(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """The most special ones first: those with the most words of their own."""
    text = (resources.files("firmware.services") / _FILE).read_text(encoding="utf-8")
    sentences: dict[str, str] = tomllib.loads(text).get(language, {})
    ordered = sorted(sentences.items(), key=lambda item: -len(item[0].replace(_PART, "")))
    return [(re.compile("(.+?)".join(map(re.escape, said.split(_PART))), re.DOTALL), words) for said, words in ordered]
