"""One stream of a modem, decoded: results and events in command state, audio and events in voice data.

The switch happens exactly behind CONNECT, and back at `<DLE><ETX>`, also within one read (modem-reference 13, point 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware.modem.dle import ETX, ComplexEvent, DleCode, DleDecoder, DleItem, Plain
from firmware.modem.result_codes import Line, LineSplitter, ResultKind, classify

# What a modem that says every result twice (modem-reference 13, point 8) sends before its first sample.
_CONNECT_AGAIN = b"\r\nCONNECT\r\n"


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples as the modem sent them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AudioEnd:
    """The modem ended its audio; what follows is command state."""


Item = Line | DleCode | ComplexEvent | Audio | AudioEnd


class ModemDecoder:
    """Bytes in, items out. Whoever asks for audio says so first with `expect_audio`."""

    def __init__(self) -> None:
        self._dle = DleDecoder()
        self._lines = LineSplitter()
        self._audio_expected = False
        self._in_audio = False
        self._skip_line_feed = False
        self._first_bytes: bytes | None = None

    @property
    def in_audio(self) -> bool:
        """Whether plain bytes are samples now."""
        return self._in_audio

    def expect_audio(self, expected: bool) -> None:
        """Whether the next CONNECT begins audio from the modem."""
        self._audio_expected = expected

    def leave_audio(self) -> None:
        """Take everything from here on for command state, whatever the modem thinks."""
        self._in_audio = False
        self._audio_expected = False
        self._first_bytes = None
        self._lines.forget()

    @property
    def in_event(self) -> bool:
        """Whether an event of several bytes has begun and not ended."""
        return self._dle.in_complex

    def feed(self, data: bytes) -> list[Item]:
        """The items that `data` completes."""
        return self._items(self._dle.feed(data))

    def abandon_event(self) -> list[Item]:
        """The items in an event that does not end: it was none, such as a caller ID of noise with `<DLE>X` in it."""
        return self._items(self._dle.abandon())

    def _items(self, pieces: list[DleItem]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, Plain):
                self._plain(piece.data, items)
            elif self._in_audio and piece == DleCode(ETX):
                self._in_audio = False
                self._first_bytes_were_all(items)
                items.append(AudioEnd())
            else:
                items.append(piece)
        return items

    def _plain(self, data: bytes, items: list[Item]) -> None:
        if not self._in_audio:
            lines, data = self._lines.feed(data, self._begins_audio)
            items.extend(lines)
            if not self._in_audio:
                return
        if self._skip_line_feed and data:
            self._skip_line_feed = False
            data = data.removeprefix(b"\n")
        if self._first_bytes is not None:
            data = self._without_second_connect(self._first_bytes + data)
        if data:
            items.append(Audio(data))

    def _without_second_connect(self, first_bytes: bytes) -> bytes:
        """The first samples, once they are told from a result said twice; nothing before that."""
        if _CONNECT_AGAIN.startswith(first_bytes):
            self._first_bytes = first_bytes
            return b""
        self._first_bytes = None
        return first_bytes.removeprefix(_CONNECT_AGAIN)

    def _first_bytes_were_all(self, items: list[Item]) -> None:
        held, self._first_bytes = self._first_bytes or b"", None
        if held not in (b"", _CONNECT_AGAIN):
            items.append(Audio(held))

    def _begins_audio(self, line: Line) -> bool:
        if not self._audio_expected or classify(line) is not ResultKind.CONNECT:
            return False
        self._audio_expected = False
        self._in_audio = True
        self._first_bytes = b""
        # A numeric result ends in a carriage return alone.
        self._skip_line_feed = not line.bare or not line.text.isdigit()
        return True
