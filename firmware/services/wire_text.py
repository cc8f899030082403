"""What goes over a modem's wire, as a person reads it: commands, results, events by name; audio left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.modem.dle import DleCode, DleDecoder, Plain

_ETX = 0x03
_NAMES = {0x03: "ETX", 0x18: "CAN", 0x1B: "ESC", 0x00: "NUL"}
_LONGEST_LINE = 100


class WireReader:
    """Reads both directions of one wire. Feed it bytes as they pass; it yields `(from_modem, text)`."""

    def __init__(self) -> None:
        self._decoders = {True: DleDecoder(), False: DleDecoder()}
        self._text = {True: b"", False: b""}
        # Which direction carries audio just now: from the modem while it records, to it while it plays.
        self._audio_from_modem: bool | None = None
        self._expected_audio: bool | None = None

    def feed(self, *, from_modem: bool, data: bytes) -> Iterator[tuple[bool, str]]:
        """The lines and events that `data` completes."""
        for item in self._decoders[from_modem].feed(data):
            match item:
                case DleCode(code):
                    yield from_modem, f"<DLE>{_NAMES.get(code, chr(code))}"
                    if code == _ETX and self._audio_from_modem is from_modem:
                        self._audio_from_modem = None
                case Plain(plain) if self._audio_from_modem is not from_modem:
                    yield from self._lines(from_modem, plain)

    def _lines(self, from_modem: bool, plain: bytes) -> Iterator[tuple[bool, str]]:
        *lines, rest = (self._text[from_modem] + plain).replace(b"\r", b"\n").split(b"\n")
        self._text[from_modem] = rest[-_LONGEST_LINE:]
        for line in filter(None, (line.strip(b"\0 ") for line in lines)):
            text = line[:_LONGEST_LINE].decode("ascii", "replace")
            yield from_modem, text
            self._follow(from_modem, text)
            if self._audio_from_modem is from_modem:
                # What follows CONNECT in the same read is audio already.
                self._text[from_modem] = b""
                return

    def _follow(self, from_modem: bool, text: str) -> None:
        if not from_modem and text.startswith("AT+V") and text[3:] in ("VTX", "VRX"):
            self._expected_audio = text.endswith("VRX")
        if from_modem and text == "CONNECT":
            self._audio_from_modem = self._expected_audio
