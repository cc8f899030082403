"""People who call a line, and people whom a line calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from firmware.ports import Clock
from firmware.simulation.call import Call, CallOver
from firmware.simulation.exchange import Exchange
from firmware.simulation.line_card import LineCard
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming, Offer, garbled
from firmware.simulation.loop import CallerIdBurst


class Caller:
    """Somebody with a number and perhaps a name, as the network passes them on.

    `number` may be `P` (withheld) or `O` (unavailable); text goes out in GB 18030, bytes as they are. What is None
    follows the line's options; `noise` garbles the caller ID; `clock` dates it.
    """

    def __init__(
        self,
        exchange: Exchange,
        number: str | bytes | None = None,
        name: str | bytes | None = None,
        *,
        caller_id: CallerIdTiming | None = None,
        after_hang_up: AfterHangUp | None = None,
        noise: random.Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._exchange = exchange
        self._number = number
        self._name = name
        self._caller_id = caller_id
        self._after_hang_up = after_hang_up
        self._noise = noise
        self._clock = clock

    async def dial(self, line: LineCard | str, *, keep_heard: bool = True) -> Call:
        """Ring a line, by name or number. A busy line gives a call that is over. Raises: NoSuchLine."""
        card = self._exchange.line(line) if isinstance(line, str) else line
        call = Call(card, keep_heard=keep_heard)
        if not card.offer(call, self._offer()):
            call.busy = call.over = True
        return call

    def _offer(self) -> Offer:
        number = self._number.decode("latin-1") if isinstance(self._number, bytes) else self._number
        return Offer(number, self._burst(), self._caller_id, self._after_hang_up)

    def _burst(self) -> CallerIdBurst | None:
        if self._number is None and self._name is None:
            return None
        now = self._clock.now() if self._clock else None
        burst = CallerIdBurst(
            number=_on_the_wire(self._number),
            name=_on_the_wire(self._name),
            date=now.strftime("%m%d") if now else None,
            time=now.strftime("%H%M") if now else None,
        )
        return garbled(burst, self._noise) if self._noise else burst


class ScriptedParty(Call):
    """A far party that acts by itself once connected: `FarEnd(party=lambda card: ScriptedParty(card, script))`."""

    def __init__(self, card: LineCard, script: Callable[[Call], Awaitable[None]]) -> None:
        super().__init__(card)
        self._script = script
        self._acting: asyncio.Task[None] | None = None

    def connected(self) -> None:
        """Begin to act."""
        super().connected()
        self._acting = asyncio.create_task(self._act())

    async def _act(self) -> None:
        try:
            await self._script(self)
        except CallOver:
            return  # the subscriber hung up before the script was through


def _on_the_wire(text: str | bytes | None) -> bytes | None:
    return text.encode("gb18030") if isinstance(text, str) else text
