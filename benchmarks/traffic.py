"""What passed between host and modem, with the time of every piece, and what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from firmware.simulation.modem.outlet import Direction

_PAIR = re.compile(rb"\x10(.)", re.DOTALL)
_CLEAR = b"\x18"
_ETX = b"\x03"
_DLE = b"\x10"
_KEYS = {bytes([key]) for key in b"0123456789*#ABCD"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes at once; `at_seconds` is on the event loop's clock, taken at the modem's own end of the wire."""

    direction: Direction
    data: bytes
    at_seconds: float


class TrafficLog:
    """A modem's onlooker (`outlet.Traffic`)."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def __call__(self, direction: Direction, data: bytes, at_seconds: float) -> None:
        self.pieces.append(Piece(direction, data, at_seconds))

    def forget(self) -> None:
        self.pieces.clear()

    def first(self, direction: Direction, part: bytes = b"", after_seconds: float = 0.0) -> Piece | None:
        """The first piece this way, holding this, later than a time."""
        pieces = (piece for piece in self.pieces if piece.direction is direction and piece.at_seconds > after_seconds)
        return next((piece for piece in pieces if part in piece.data), None)

    def last(self, direction: Direction, part: bytes) -> Piece | None:
        pieces = (piece for piece in reversed(self.pieces) if piece.direction is direction)
        return next((piece for piece in pieces if part in piece.data), None)

    def off_hook_delays(self) -> tuple[float, float] | None:
        """From the last byte of caller ID to the first command, and to the one that takes the line. P1."""
        known = self.last(Direction.FROM_MODEM, b"NAME")
        if known is None:
            return None
        command = self.first(Direction.TO_MODEM, after_seconds=known.at_seconds)
        taken = self.first(Direction.TO_MODEM, b"+VLS=1", known.at_seconds)
        if command is None or taken is None:
            return None
        return command.at_seconds - known.at_seconds, taken.at_seconds - known.at_seconds

    def prompt_delay(self) -> float | None:
        """From the result of going off hook to the first sample of the first prompt. P2."""
        taken = self.first(Direction.TO_MODEM, b"+VLS=1")
        off_hook = taken and self.first(Direction.FROM_MODEM, b"OK", taken.at_seconds)
        connected = off_hook and self.first(Direction.FROM_MODEM, b"CONNECT", off_hook.at_seconds)
        sample = connected and self.first(Direction.TO_MODEM, after_seconds=connected.at_seconds)
        return sample.at_seconds - off_hook.at_seconds if off_hook and sample else None

    def barge_in_delays(self) -> list[float]:
        """From each key that the modem reports during a prompt to `<DLE><CAN>`. P3."""
        delays: list[float] = []
        pressed_at: float | None = None
        for piece, code in self._codes():
            if piece.direction is Direction.FROM_MODEM and code in _KEYS:
                pressed_at = piece.at_seconds
            elif piece.direction is Direction.TO_MODEM and code == _CLEAR and pressed_at is not None:
                delays.append(piece.at_seconds - pressed_at)
                pressed_at = None
        return delays

    def most_ahead_seconds(self, samples_per_second: int) -> float:
        """The most audio that the modem held ahead of the line. P4."""
        most = heard_until = 0.0
        playing = False
        for piece in self.pieces:
            if piece.direction is Direction.FROM_MODEM:
                playing = playing or b"CONNECT" in piece.data
            elif playing and piece.direction is Direction.TO_MODEM:
                heard_until = max(heard_until, piece.at_seconds) + _samples(piece.data) / samples_per_second
                most = max(most, heard_until - piece.at_seconds)
                if any(code in (_ETX, _CLEAR) for code in _PAIR.findall(piece.data)):
                    playing, heard_until = False, 0.0
        return most

    def own_seconds(self) -> float:
        """What the modem itself took: from each command to its first answer. P8."""
        total = 0.0
        asked_at: float | None = None
        for piece in self.pieces:
            if piece.direction is Direction.TO_MODEM:
                asked_at = piece.at_seconds
            elif asked_at is not None:
                total += piece.at_seconds - asked_at
                asked_at = None
        return total

    def _codes(self) -> Iterator[tuple[Piece, bytes]]:
        """Every code behind a DLE, both ways, a pair split over two pieces included."""
        left = {Direction.FROM_MODEM: b"", Direction.TO_MODEM: b"", Direction.DISCARDED: b""}
        for piece in self.pieces:
            data = left[piece.direction] + piece.data
            end = 0
            for match in _PAIR.finditer(data):
                end = match.end()
                yield piece, match[1]
            left[piece.direction] = _DLE if data[end:].endswith(_DLE) else b""


def _samples(data: bytes) -> int:
    """8-bit samples in shielded data; a DLE pair is one sample or none, and one too many does not matter."""
    return len(data) - len(_PAIR.findall(data))
