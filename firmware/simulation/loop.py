"""The pair of wires between the exchange and a modem: signals both ways, audio both ways.

Signals are method calls on whoever hangs at the other end; audio lies on two timelines. A key or a tone is both: a
signal for whoever detects it, and sound for whoever records it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from firmware.simulation.timeline import Timeline
from firmware.units import SAMPLE_RATE_HZ


class ToneKind(Enum):
    """Tones of the exchange."""

    DIAL = "dial"
    BUSY = "busy"
    CONGESTION = "congestion"
    RINGBACK = "ringback"


@dataclass(frozen=True, slots=True)
class CallerIdBurst:
    """What the exchange sends between rings (or before the first): a field left None is not sent.

    `number` and `name` may hold any bytes, as a noisy line delivers them; `P` and `O` are the network's absence codes.
    """

    number: bytes | None = None
    name: bytes | None = None
    date: str | None = None
    time: str | None = None


class SubscriberEnd(Protocol):
    """What hangs at the subscriber's end: a modem. Methods are called from the event loop and must not block."""

    def ring_began(self) -> None:
        """Ring voltage is on."""

    def ring_ended(self) -> None:
        """Ring voltage is off."""

    def caller_id(self, burst: CallerIdBurst) -> None:
        """A caller ID message has been received in full."""

    def key_down(self, key: str) -> None:
        """A DTMF tone from the far end began."""

    def key_up(self, key: str) -> None:
        """It ended."""

    def tone_on(self, kind: ToneKind) -> None:
        """The exchange plays a tone, cadence and all, until `tone_off`."""

    def tone_off(self) -> None:
        """The tone ended."""

    def loop_break(self) -> None:
        """Loop current was interrupted: the far end hung up, where the exchange does this (CPC)."""

    def polarity_reversed(self) -> None:
        """Tip and ring changed places."""

    def extension_hook(self, *, lifted: bool) -> None:
        """Another telephone on the same pair was lifted or put down."""


class ExchangeEnd(Protocol):
    """What hangs at the exchange's end: a line card. The same rules hold."""

    def went_off_hook(self) -> None:
        """The subscriber draws loop current."""

    def went_on_hook(self) -> None:
        """The subscriber does no more."""

    def hook_flash(self) -> None:
        """A short break by the subscriber."""

    def digit_dialled(self, key: str) -> None:
        """The subscriber sent a DTMF digit."""


class EmptySocket:
    """The subscriber's end of a loop with nothing plugged in: takes every signal, and does nothing."""

    def ring_began(self) -> None:
        """Nobody is there."""

    def ring_ended(self) -> None:
        """Nobody is there."""

    def caller_id(self, burst: CallerIdBurst) -> None:
        """Nobody is there."""

    def key_down(self, key: str) -> None:
        """Nobody is there."""

    def key_up(self, key: str) -> None:
        """Nobody is there."""

    def tone_on(self, kind: ToneKind) -> None:
        """Nobody is there."""

    def tone_off(self) -> None:
        """Nobody is there."""

    def loop_break(self) -> None:
        """Nobody is there."""

    def polarity_reversed(self) -> None:
        """Nobody is there."""

    def extension_hook(self, *, lifted: bool) -> None:
        """Nobody is there."""


class Loop:
    """One subscriber line. Plug an end in by assignment; None is an empty socket."""

    def __init__(self) -> None:
        self.subscriber: SubscriberEnd | None = None
        self.exchange: ExchangeEnd | None = None
        self.toward_subscriber = Timeline()
        self.toward_exchange = Timeline()

    @property
    def socket(self) -> SubscriberEnd:
        """Whatever takes the exchange's signals at the subscriber's end."""
        return self.subscriber or _EMPTY_SOCKET

    def now_sample(self) -> int:
        """The sample number of this moment."""
        return round(asyncio.get_running_loop().time() * SAMPLE_RATE_HZ)


_EMPTY_SOCKET = EmptySocket()
