"""Subscribers for the exchange's tests: they note every signal with its time, and do what a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from firmware.simulation.exchange import Exchange
from firmware.simulation.exchange_events import ExchangeEvent
from firmware.simulation.line_card import LineCard
from firmware.simulation.loop import CallerIdBurst, ToneKind


class NotingSubscriber:
    """A `SubscriberEnd` that answers at the start of ring `answer_at`, where that is set."""

    def __init__(self, card: LineCard) -> None:
        self.card = card
        self.signals: list[tuple[float, str]] = []
        self.bursts: list[CallerIdBurst] = []
        self.answer_at: int | None = None
        card.loop.subscriber = self

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.signals]

    def times(self, name: str) -> list[float]:
        return [at for at, noted in self.signals if noted == name]

    def say(self, s16: bytes) -> None:
        loop = self.card.loop
        loop.toward_exchange.put(loop.now_sample(), s16)

    def ring_began(self) -> None:
        self._note("ring")
        if self.answer_at is not None and len(self.times("ring")) >= self.answer_at:
            self.card.went_off_hook()

    def ring_ended(self) -> None:
        self._note("ring_end")

    def caller_id(self, burst: CallerIdBurst) -> None:
        self.bursts.append(burst)
        self._note("caller_id")

    def key_down(self, key: str) -> None:
        self._note(f"down {key}")

    def key_up(self, key: str) -> None:
        self._note(f"up {key}")

    def tone_on(self, kind: ToneKind) -> None:
        self._note(kind.value)

    def tone_off(self) -> None:
        self._note("tone_off")

    def loop_break(self) -> None:
        self._note("loop_break")

    def polarity_reversed(self) -> None:
        self._note("polarity")

    def extension_hook(self, *, lifted: bool) -> None:
        self._note(f"extension {lifted}")

    def _note(self, name: str) -> None:
        self.signals.append((round(asyncio.get_running_loop().time(), 6), name))


class ExchangeLine:
    """An exchange with one line, number 8001, and everything that happened."""

    def __init__(self, country: str) -> None:
        self.exchange = Exchange(country)
        self.card = self.exchange.add_line("front", "8001")
        self.subscriber = NotingSubscriber(self.card)
        self.events: list[ExchangeEvent] = []
        self.exchange.watch(self.events.append)

    @property
    def happenings(self) -> list[str]:
        return [event.happening.value for event in self.events]


@pytest.fixture
def new_line() -> Callable[..., ExchangeLine]:
    return ExchangeLine


@pytest.fixture
def line() -> ExchangeLine:
    return ExchangeLine("CN")
