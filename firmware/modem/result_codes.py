"""Result lines of a modem (V.250; modem-reference 2.4): split from the bytes, and named. Pure and incremental."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

# A caller ID or identity line stays far below this; more is noise, and is cut.
_LONGEST_LINE_BYTES = 512
_LINE_END = re.compile(rb"[\r\n]")


class ResultKind(Enum):
    """What a line from the modem is."""

    OK = "OK"
    CONNECT = "CONNECT"
    RING = "RING"
    NO_CARRIER = "NO CARRIER"
    ERROR = "ERROR"
    NO_DIALTONE = "NO DIALTONE"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    VCON = "VCON"
    RINGING = "RINGING"
    LINE_IN_USE = "LINE-IN-USE"
    BLACKLISTED = "BLACKLISTED"
    DELAYED = "DELAYED"
    CADENCE = "DRON"
    INFORMATION = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its ends. `bare` tells that no line feed came before it, as before a numeric result."""

    text: bytes
    bare: bool = False


_WORDS = {kind.value: kind for kind in ResultKind if kind.value} | {
    "NO DIAL TONE": ResultKind.NO_DIALTONE,
    "LINE IN USE": ResultKind.LINE_IN_USE,
}
# V.250 table 1: results in numeric form (V0).
_NUMBERS = {
    b"0": ResultKind.OK,
    b"1": ResultKind.CONNECT,
    b"2": ResultKind.RING,
    b"3": ResultKind.NO_CARRIER,
    b"4": ResultKind.ERROR,
    b"6": ResultKind.NO_DIALTONE,
    b"7": ResultKind.BUSY,
    b"8": ResultKind.NO_ANSWER,
}
_PREFIXES = (
    (re.compile(r"CONNECT\b"), ResultKind.CONNECT),
    (re.compile(r"RING( ?[0-9A-E])?$"), ResultKind.RING),
    (re.compile(r"\+CM[ES] ERROR"), ResultKind.ERROR),
    (re.compile(r"DELAYED\b"), ResultKind.DELAYED),
    # +VDR reports ring edges as DRON/DROF, +VDT control tones as CPON/CPOF (modem-reference 4.2, 8).
    (re.compile(r"(DR|CP)O[NF]\s*="), ResultKind.CADENCE),
)


def classify(line: Line) -> ResultKind:
    """Name a line; what is no result is information."""
    if line.bare and line.text in _NUMBERS:
        return _NUMBERS[line.text]
    text = line.text.decode("latin-1").strip().upper()
    word = _WORDS.get(text)
    if word is not None:
        return word
    for pattern, kind in _PREFIXES:
        if pattern.match(text):
            return kind
    return ResultKind.INFORMATION


class LineSplitter:
    """Splits at every carriage return or line feed, whichever comes; empty lines are dropped.

    A line counts as soon as its carriage return is there: the line feed may be a USB frame later.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._last_end_was_feed = False

    def feed(self, data: bytes, stop: Callable[[Line], bool] | None = None) -> tuple[list[Line], bytes]:
        """The lines that `data` completes, and the bytes behind a line at which `stop` says to stop."""
        lines: list[Line] = []
        position = 0
        for end in _LINE_END.finditer(data):
            self._append(data[position : end.start()])
            position = end.end()
            line = self._end_line(feed=data[end.start()] == 0x0A)
            if line is None:
                continue
            lines.append(line)
            if stop is not None and stop(line):
                return lines, data[position:]
        self._append(data[position:])
        return lines, b""

    def forget(self) -> None:
        """Drop a line that has begun."""
        self._text.clear()

    def _append(self, text: bytes) -> None:
        self._text += text[: _LONGEST_LINE_BYTES - len(self._text)]

    def _end_line(self, *, feed: bool) -> Line | None:
        line = Line(bytes(self._text), bare=not self._last_end_was_feed) if self._text else None
        self._text.clear()
        self._last_end_was_feed = feed
        return line
