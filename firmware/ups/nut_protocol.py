r"""Lines of NUT's network protocol: bytes in, words out. Pure and incremental.

A line is words between spaces; a word in double quotes may hold spaces, and `\"` and `\\` in it stand for the sign
itself (RFC 9271, "Upsd Commands and Responses"; NUT developer guide, "Network protocol information").
"""

from __future__ import annotations

from firmware.errors import LinekeeperError

# The longest line of NUT 2.8 is a variable of 512 bytes with its names.
_LONGEST_LINE_BYTES = 8192
_ESCAPED = {'"', "\\"}

Words = tuple[str, ...]


class BadNutLine(LinekeeperError):
    """What came is no line of this protocol."""


def as_line(*words: str) -> bytes:
    """A request. Raises: BadNutLine for a word that no line can carry."""
    return (" ".join(_quoted(word) for word in words) + "\n").encode()


class NutLines:
    """Cuts a stream into lines, wherever the stream was cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Words]:
        """The lines that are complete with these bytes. Raises: BadNutLine; what follows is then worth nothing."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if any(len(line) > _LONGEST_LINE_BYTES for line in (*lines, self._rest)):
            raise BadNutLine("the server sent a line without an end")
        return [split_words(line.decode("utf-8", "replace").rstrip("\r")) for line in lines]


def split_words(line: str) -> Words:
    """The words of one line. Raises: BadNutLine for a quote without an end."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        word, at = _quoted_word(line, at + 1) if line[at] == '"' else _plain_word(line, at)
        words.append(word)
    return tuple(words)


def _plain_word(line: str, at: int) -> tuple[str, int]:
    end = line.find(" ", at)
    end = len(line) if end < 0 else end
    return line[at:end], end


def _quoted_word(line: str, at: int) -> tuple[str, int]:
    signs: list[str] = []
    while at < len(line):
        sign = line[at]
        if sign == '"':
            return "".join(signs), at + 1
        if sign == "\\" and line[at + 1 : at + 2] in _ESCAPED:
            at += 1
        signs.append(line[at])
        at += 1
    raise BadNutLine(f"a quote has no end: {line[:80]}")


def _quoted(word: str) -> str:
    if any(sign in word for sign in "\n\r\0"):
        raise BadNutLine("a word for the server holds a line break")
    if word and not any(sign in word for sign in ' "\\'):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
