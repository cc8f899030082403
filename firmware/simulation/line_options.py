"""How one line of the exchange behaves: what differs between countries, operators and bad days."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum

from firmware.simulation.loop import CallerIdBurst


class CallerIdTiming(Enum):
    """When the caller ID message comes (modem-reference 4.3)."""

    AFTER_FIRST_RING = "after_first_ring"  # FSK, the public network's usual form
    BEFORE_RING = "before_ring"  # DTMF, met on PBX extension ports in China
    DURING_RING = "during_ring"
    AFTER_SECOND_RING = "after_second_ring"
    ABSENT = "absent"


class AfterHangUp(Enum):
    """What a subscriber gets when the far end has hung up (modem-reference 10)."""

    BUSY_TONE = "busy_tone"
    DIAL_TONE = "dial_tone"
    SILENCE = "silence"
    LOOP_BREAK = "loop_break"
    POLARITY_REVERSAL = "polarity_reversal"


@dataclass(frozen=True, slots=True)
class LineOptions:
    """Behaviour of one line; times in seconds."""

    caller_id: CallerIdTiming = CallerIdTiming.AFTER_FIRST_RING
    after_hang_up: AfterHangUp = AfterHangUp.BUSY_TONE
    tone_seconds: float = 40.0  # how long busy or dial tone goes on before the howler
    first_digit_seconds: float = 20.0
    next_digit_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Offer:
    """One call as the exchange offers it to a line. What is None follows the line's own options."""

    number: str | None = None
    burst: CallerIdBurst | None = None
    caller_id: CallerIdTiming | None = None
    after_hang_up: AfterHangUp | None = None


def garbled(burst: CallerIdBurst, chance: random.Random) -> CallerIdBurst:
    """The message as a noisy line delivers it: some bytes of number and name are others."""
    return replace(
        burst,
        number=None if burst.number is None else _garble(burst.number, chance),
        name=None if burst.name is None else _garble(burst.name, chance),
    )


def _garble(text: bytes, chance: random.Random) -> bytes:
    return bytes(chance.randrange(256) if chance.random() < 0.3 else byte for byte in text)
