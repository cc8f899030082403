"""Caller ID lines to who calls (modem-reference 4.3). Pure.

Fields come in any order, with or without spaces around `=`, and any of them may be missing or garbled. A garbled number
counts as none: a wrong number on a callback list is worse than an empty one.
"""

from __future__ import annotations

import codecs
import re

from firmware.events import CallerId, NumberAbsence
from firmware.modem.caller_packet import parse_packet

_FIELD = re.compile(rb"\s*(DATE|TIME|NMBR|NAME|MESG|DDN|DDN_NMBR|ERRM)\s*=\s*(.*?)\s*$", re.DOTALL | re.IGNORECASE)
_SEPARATORS = re.compile(rb"[\s().\-]")
# ITU-T E.164 has 15 digits; national prefixes and PBX extensions need some more.
_NUMBER = re.compile(rb"\+?[0-9]{1,24}$")
# DTMF caller ID may leave its delimiters in place: A or D before the digits, C or # behind (modem-reference 4.3).
_DTMF_FRAME = re.compile(rb"[ABD]([0-9]+)[C#]$")
_ABSENCES = {
    b"P": NumberAbsence.WITHHELD,
    b"PRIVATE": NumberAbsence.WITHHELD,
    b"O": NumberAbsence.UNAVAILABLE,
    b"OUT OF AREA": NumberAbsence.UNAVAILABLE,
    b"UNAVAILABLE": NumberAbsence.UNAVAILABLE,
}
_LONGEST_NAME_BYTES = 64
_IDEOGRAPHIC_SPACE = "\u3000"


def is_caller_line(line: bytes) -> bool:
    """Whether a line from the modem is part of a caller ID."""
    return _FIELD.match(line) is not None or parse_packet(line) is not None


class CallerIdReader:
    """Collects one caller ID. Later fields replace earlier ones: a second burst is as good as the first."""

    def __init__(self) -> None:
        self._number: str | None = None
        self._name: str | None = None
        self._absence = NumberAbsence.NOT_SENT
        self._number_seen = False
        self._name_seen = False

    @property
    def number_seen(self) -> bool:
        """Whether the field of the number has come, readable or not."""
        return self._number_seen

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come: number and name are there."""
        return self._number_seen and self._name_seen

    @property
    def caller(self) -> CallerId:
        """What is known so far."""
        return CallerId(self._number, self._name, self._absence)

    def feed(self, line: bytes) -> bool:
        """Take one line; False when it is no part of a caller ID."""
        match = _FIELD.match(line)
        if match is not None:
            self._field(match[1].upper(), match[2])
            return True
        fields = parse_packet(line)
        for field in fields or ():
            self._field(field.tag, field.value)
        return fields is not None

    def _field(self, tag: bytes, value: bytes) -> None:
        if tag == b"NMBR":
            self._take_number(value)
        elif tag == b"NAME":
            self._take_name(value)
        elif tag == b"MESG":
            # The fields of a packet are numbers and names only, so this ends here.
            for field in parse_packet(value) or ():
                self._field(field.tag, field.value)

    def _take_number(self, value: bytes) -> None:
        self._number_seen = True
        self._absence = _ABSENCES.get(value.upper(), NumberAbsence.NOT_SENT)
        self._number = None if self._absence is not NumberAbsence.NOT_SENT else _clean_number(value)

    def _take_name(self, value: bytes) -> None:
        self._name_seen = True
        self._name = None if value.upper() in _ABSENCES or not value else _readable_name(value[:_LONGEST_NAME_BYTES])


def _clean_number(value: bytes) -> str | None:
    framed = _DTMF_FRAME.match(value)
    digits = framed[1] if framed else _SEPARATORS.sub(b"", value)
    return digits.decode("ascii") if _NUMBER.match(digits) else None


def _readable_name(value: bytes) -> str:
    """ASCII or GB 18030, as China sends names, else hex: nothing unreadable reaches a page."""
    try:
        # GB 18030 contains ASCII. An incomplete last character, cut off by the network or by us, is left out.
        name = codecs.getincrementaldecoder("gb18030")().decode(value)
    except UnicodeDecodeError:
        return value.hex()
    name = name.replace(_IDEOGRAPHIC_SPACE, " ").strip()
    return name if name and name.isprintable() else value.hex()
