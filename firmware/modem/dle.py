"""DLE shielding, both ways (V.253; modem-reference 6.2). Pure and incremental: no port, no clock.

In voice data the byte 0x10 announces a code. The same pairs come between result lines, so one decoder serves both
states: what is no code is plain bytes, and whoever reads them knows whether they are audio or text.
"""

from __future__ import annotations

from dataclasses import dataclass

DLE = 0x10
ETX = 0x03
CAN = 0x18
SUB = 0x1A

# Codes that end a stream from our side (modem-reference 6.3 to 6.5).
STOP_RECEIVE = ord("!")
STOP_DUPLEX = ord("^")

_DLE_BYTE = b"\x10"
_COMPLEX_START = ord("X")
_COMPLEX_END = ord(".")
# The longest complex event known is a formatted caller ID, some 120 bytes. More than this is no event at all.
_LONGEST_COMPLEX_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Plain:
    """Unshielded bytes: samples in voice data, text in command state."""

    data: bytes


@dataclass(frozen=True, slots=True)
class DleCode:
    """One code from the modem: a key, a tone, the end of a stream. Unknown codes come too and mean nothing."""

    code: int


@dataclass(frozen=True, slots=True)
class ComplexEvent:
    """What stood between `<DLE>X` and `<DLE>.`: lines of text, such as a caller ID on Si24xx."""

    body: bytes


DleItem = Plain | DleCode | ComplexEvent


def shield(audio: bytes) -> bytes:
    """Double every 0x10, so that no sample is taken for a code."""
    return audio.replace(_DLE_BYTE, b"\x10\x10")


def unshield(wire: bytes) -> bytes:
    """The inverse of `shield`."""
    return wire.replace(b"\x10\x10", _DLE_BYTE)


def action(code: int, *, triple: bool) -> bytes:
    """A code for the modem. Some Zoom 3095 obey only after three DLE, which elsewhere is one sample and the code."""
    return (b"\x10\x10\x10" if triple else _DLE_BYTE) + bytes((code,))


def abort_playing(*, triple: bool) -> bytes:
    """Empty the modem's transmit buffer and leave voice data.

    The first byte completes a DLE that a flush may have cut in half (`<DLE><NUL>` is a keep-alive), or is one sample.
    """
    return b"\0" + action(CAN, triple=triple) + action(ETX, triple=triple)


class DleDecoder:
    """Takes chunks of any size; a pair split over two chunks is seen once."""

    def __init__(self) -> None:
        self._after_dle = False
        self._complex: bytearray | None = None
        self._plain = bytearray()
        self._items: list[DleItem] = []

    def feed(self, data: bytes) -> list[DleItem]:
        """The items that `data` completes, in order; neighbouring plain bytes are one item."""
        if _DLE_BYTE not in data and not self._after_dle and self._complex is None:
            return [Plain(data)] if data else []
        position = 0
        if self._after_dle and data:
            self._after_dle = False
            self._pair(data[0])
            position = 1
        while (found := data.find(_DLE_BYTE, position)) >= 0:
            self._take(data[position:found])
            if found + 1 == len(data):
                self._after_dle = True
                return self._done()
            self._pair(data[found + 1])
            position = found + 2
        self._take(data[position:])
        return self._done()

    def _done(self) -> list[DleItem]:
        self._flush()
        items, self._items = self._items, []
        return items

    def _flush(self) -> None:
        if self._plain:
            self._items.append(Plain(bytes(self._plain)))
            self._plain.clear()

    @property
    def in_complex(self) -> bool:
        """Whether a complex event has begun and not ended."""
        return self._complex is not None

    def abandon(self) -> list[DleItem]:
        """Give a complex event up: what it held is plain after all."""
        self._abandon_complex()
        return self._done()

    def _take(self, data: bytes) -> None:
        if self._complex is None:
            self._plain += data
            return
        self._complex += data
        if len(self._complex) > _LONGEST_COMPLEX_BYTES:
            self._abandon_complex()

    def _pair(self, code: int) -> None:
        if code == DLE:
            self._take(_DLE_BYTE)
        elif code == SUB:
            self._take(b"\x10\x10")
        elif code == _COMPLEX_START:
            self._abandon_complex()
            self._complex = bytearray()
        elif code == _COMPLEX_END and self._complex is not None:
            body, self._complex = bytes(self._complex), None
            self._flush()
            self._items.append(ComplexEvent(body))
        else:
            self._code(code)

    def _code(self, code: int) -> None:
        if code == ETX:
            self._abandon_complex()
        self._flush()
        self._items.append(DleCode(code))

    def _abandon_complex(self) -> None:
        """A start without an end was no event: what followed is given back as plain bytes."""
        if self._complex is not None:
            self._plain += self._complex
            self._complex = None
