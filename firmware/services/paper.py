"""Text for paper: fixed width, Chinese and English mixed, and nothing in it that a terminal would obey. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

WIDTH = 78
"""Columns of a page."""

_NARROWEST = 20
_UNSEEN = "\N{REPLACEMENT CHARACTER}"
# Control, format (such as reversed writing), surrogate, private, unassigned; separators of lines and paragraphs.
_NOT_PRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text in one line, with a sign for each letter that has no shape of its own."""
    return "".join(_UNSEEN if unicodedata.category(letter) in _NOT_PRINTABLE else letter for letter in text)


def columns(text: str) -> int:
    """How many columns a text takes: a Chinese letter takes two, a combining one none."""
    return sum(_columns_of(letter) for letter in text)


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns (at least 2), broken at spaces and between Chinese letters; one at least."""
    lines = [""]
    for piece in _pieces(text):
        if columns(lines[-1] + piece.rstrip(" ")) > width and lines[-1]:
            lines[-1] = lines[-1].rstrip(" ")
            lines.append("")
            piece = piece.lstrip(" ")
        *full, rest = _cut(lines[-1] + piece, width)
        lines[-1:] = [*full, rest]
    return [line.rstrip(" ") for line in lines]


def _pieces(text: str) -> Iterator[str]:
    """What may stay together: a word with the spaces behind it, or one wide letter."""
    piece = ""
    for letter in text:
        wide = _columns_of(letter) == 2
        if piece and (wide or (piece.endswith(" ") and letter != " ") or _columns_of(piece[0]) == 2):
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def _cut(text: str, width: int) -> list[str]:
    """A word that is longer than a line, in pieces."""
    lines = [""]
    for letter in text:
        if letter != " " and columns(lines[-1] + letter) > width:
            lines.append("")
        lines[-1] += letter
    return lines


def entry(label: str, text: str, label_columns: int) -> str:
    """A bullet with its label, the text beside it in as many lines as it needs. Good as Markdown too."""
    head = f"- {label}:"
    indent = label_columns + 4
    first, *more = wrapped(printable(text), max(_NARROWEST, WIDTH - indent))
    gap = " " * max(1, indent - columns(head))
    return "\n".join([f"{head}{gap}{first}", *(" " * indent + line for line in more)])


def bullet(text: str) -> str:
    """A bullet of a list."""
    return "- " + "\n  ".join(wrapped(printable(text), WIDTH - 2))


def blank(label: str) -> str:
    """A line to be filled in by hand."""
    return f"{label}: {'_' * (WIDTH - 2 - columns(label))}"
