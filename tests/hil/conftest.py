"""A hardware rig whose hardware is the bench: far-end modems, switches and a shell that labgrid drives."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest

from firmware.pcm import to_array
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.far_end import FarEnd
from firmware.simulation.line_card import LineCard
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import DTMF_KEYS, dtmf_frequencies
from firmware.units import SAMPLE_RATE_HZ

_TICK_SECONDS = 0.02
_TICK_SAMPLES = round(_TICK_SECONDS * SAMPLE_RATE_HZ)
# Audio passes this much later, so that a late tick leaves no gap.
_DELAY_SAMPLES = 10 * _TICK_SAMPLES
_KEY_PEAK = 1500.0


class Trunk:
    """Joins a line that dialled to another line of the exchange, as a real exchange does."""

    def __init__(self, card: LineCard, exchange: Exchange, line: str, number: str | None) -> None:
        self._card = card
        self._line = line
        self._caller = Caller(exchange, number)
        self._work: asyncio.Task[None] | None = None
        self._key = ""

    def connected(self) -> None:
        self._card.play_tone(ToneKind.RINGBACK)
        self._work = asyncio.create_task(self._join())

    def released(self) -> None:
        assert self._work is not None
        self._work.cancel()

    async def _join(self) -> None:
        call = await self._caller.dial(self._line)
        try:
            await call.answered()
            self._card.play_tone(None)
            await self._carry(call.card, lambda: call.over)
        finally:
            call.hang_up()
        self._card.release(self)

    async def _carry(self, called: LineCard, over: Callable[[], bool]) -> None:
        at = called.loop.now_sample()
        while not over():
            await asyncio.sleep(_TICK_SECONDS)
            while at + _TICK_SAMPLES <= called.loop.now_sample():
                sent = self._card.loop.toward_exchange.read(at, at + _TICK_SAMPLES)
                called.loop.toward_subscriber.put(at + _DELAY_SAMPLES, sent)
                back = called.loop.toward_exchange.read(at, at + _TICK_SAMPLES)
                self._card.loop.toward_subscriber.put(at + _DELAY_SAMPLES, back)
                self._tell_key(called, key_in(sent))
                at += _TICK_SAMPLES

    def _tell_key(self, called: LineCard, key: str) -> None:
        if key == self._key:
            return
        if self._key:
            called.loop.socket.key_up(self._key)
        if key:
            called.loop.socket.key_down(key)
        self._key = key


def key_in(s16: bytes) -> str:
    """The key whose two tones sound in a block, or nothing."""
    samples = to_array(s16)
    peaks = {hz: _peak(list(samples), hz) for key in DTMF_KEYS for hz in dtmf_frequencies(key)}
    loudest = max(DTMF_KEYS, key=lambda key: min(peaks[hz] for hz in dtmf_frequencies(key)))
    row, column = (peaks[hz] for hz in dtmf_frequencies(loudest))
    others = [peak for hz, peak in peaks.items() if hz not in dtmf_frequencies(loudest)]
    return loudest if min(row, column) > max(_KEY_PEAK, 3 * max(others)) else ""


def _peak(samples: list[int], hz: float) -> float:
    """Peak of one frequency in a block (a single bin of a Fourier transform)."""
    if not any(samples):
        return 0.0
    step = 2 * math.pi * hz / SAMPLE_RATE_HZ
    real = sum(sample * math.cos(step * at) for at, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * at) for at, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


@pytest.fixture
def trunk() -> Callable[[Exchange, str, str], FarEnd]:
    """Makes the far end of a number that is another line of the exchange: exchange, line, number told."""

    def make(exchange: Exchange, line: str, number: str) -> FarEnd:
        return FarEnd(rings=0, party=lambda card: Trunk(card, exchange, line, number))

    return make
