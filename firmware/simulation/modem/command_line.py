"""Command lines: collecting them from bytes, and taking them apart (V.250; modem-reference 2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PATTERNS = (
    re.compile(r"(?P<name>[+\-#%*][A-Z][A-Z0-9]*)(?P<action>=\?|\?|=(?P<value>[^;]*)|)(?:;|$)"),
    re.compile(r"(?P<name>S)(?P<register>\d+)(?P<action>\?|=)(?P<value>\d*)"),
    re.compile(r"(?P<name>D)(?P<action>)(?P<value>.*)$"),
    re.compile(r"(?P<name>[&\\]?[A-Z])(?P<action>)(?P<value>\d*)"),
)
# More than this of a line without an end is not kept: whatever it is, it is no command.
_LONGEST_KEPT_BYTES = 512


class BadCommand(ValueError):
    """A command line that no modem understands."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a line. `action` is `=`, `?`, `=?`, or empty for a plain one such as `E0` or `+VTX`."""

    name: str
    action: str
    value: str

    @property
    def text(self) -> str:
        """As on the line."""
        return f"{self.name}{self.action}{self.value}"

    @property
    def number(self) -> int:
        """The value of a basic command; a missing one is 0."""
        return int(self.value or 0)


class Refused(ValueError):
    """A command that gets ERROR; carries it."""


def split(body: str) -> Iterator[Command]:
    """The commands behind `AT`, in order. Raises: BadCommand when it comes to one that has no form."""
    rest = "".join(body.split()).upper()
    while rest := rest.lstrip(";"):
        match = next(filter(None, (pattern.match(rest) for pattern in _PATTERNS)), None)
        if match is None:
            raise BadCommand(rest)
        found = match.groupdict()
        action = "=" if found["action"].startswith("=") and found["action"] != "=?" else found["action"]
        yield Command(found["name"] + (found.get("register") or ""), action, found["value"] or "")
        rest = rest[match.end() :]


class LineEditor:
    """Collects bytes until the end of the line: back space, and `A/` which needs no end."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._last = ""

    def reset(self) -> None:
        """Forget everything, the last command too."""
        self._line.clear()
        self._last = ""

    def feed(self, byte: int, end: int, back_space: int) -> str | None:
        """One byte; returns a finished line, as it was typed. The line to repeat is returned for `A/`."""
        if byte == end:
            line = self._line.decode("latin-1").strip("\0\n ")
            self._line.clear()
            if line[:2].upper() == "AT":
                self._last = line
            return line
        if byte == back_space:
            del self._line[-1:]
        elif len(self._line) < _LONGEST_KEPT_BYTES:
            self._line.append(byte)
        if bytes(self._line).upper() == b"A/":
            self._line.clear()
            return self._last
        return None
