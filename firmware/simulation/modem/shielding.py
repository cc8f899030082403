"""DLE shielding as the modem sees it (V.253; modem-reference 6.2)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

DLE = 0x10
_TWO_DLE = 0x1A


class Action(IntEnum):
    """What the host may say after DLE in a stream (modem-reference 6.3, 6.4)."""

    KEEP_ALIVE = 0x00
    END = 0x03
    CLEAR = 0x18
    END_RECORDING = 0x1B
    ABORT_RECORDING = 0x21
    KEYS_OFF = 0x2F
    END_DUPLEX = 0x5E
    PAUSE = 0x70
    RESUME = 0x72
    KEYS_ON = 0x7E


_ENDS = frozenset({Action.END, Action.END_RECORDING, Action.ABORT_RECORDING, Action.END_DUPLEX})
_KNOWN = frozenset(Action)


def shielded(samples: bytes) -> bytes:
    """Audio for the host: every 0x10 doubled."""
    return samples.replace(b"\x10", b"\x10\x10")


class HostStream:
    """Takes a host's stream apart into samples and actions; a pair may be cut anywhere.

    With `triple_dle` a stream's end counts only right behind a doubled DLE (Zoom 3095; modem-reference 6.3).
    Actions that nobody knows are skipped.
    """

    def __init__(self, *, triple_dle: bool = False) -> None:
        self._triple_dle = triple_dle
        self._dle_pending = False
        self._behind_double = False

    def feed(self, data: bytes) -> Iterator[bytes | Action]:
        """Samples as they would be played, and actions, in order."""
        at = 0
        while at < len(data):
            if self._dle_pending:
                yield from self._pair(data[at])
                at += 1
                continue
            found = data.find(DLE, at)
            stop = len(data) if found < 0 else found
            if stop > at:
                self._behind_double = False
                yield data[at:stop]
            self._dle_pending = found >= 0
            at = stop + 1

    def _pair(self, second: int) -> Iterator[bytes | Action]:
        self._dle_pending = False
        behind_double, self._behind_double = self._behind_double, second == DLE
        if second == DLE:
            yield b"\x10"
        elif second == _TWO_DLE:
            yield b"\x10\x10"
        elif second in _KNOWN and (not self._triple_dle or behind_double or second not in _ENDS):
            yield Action(second)
