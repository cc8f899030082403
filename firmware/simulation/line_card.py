"""The exchange's end of one subscriber line: rings it, listens for digits, plays tones, opens the way to a far end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Protocol

from firmware.simulation.exchange_events import Happening
from firmware.simulation.far_end import Answers, FarEnd, FarParty
from firmware.simulation.line_options import AfterHangUp, LineOptions, Offer
from firmware.simulation.loop import Loop, ToneKind
from firmware.simulation.ringer import Ringer
from firmware.simulation.tone_source import ToneSource
from firmware.simulation.tones import TonePlan

# How quickly an exchange reacts; none of these figures matters to a subscriber, only that they are not zero.
_DIAL_TONE_AFTER_SECONDS = 0.2
_ROUTING_SECONDS = 0.3
_RELEASE_SECONDS = 0.2
_TONE_AFTER_BREAK_SECONDS = 1.0
_NO_ANSWER_SECONDS = 60.0


class CardState(Enum):
    """Where a line is, as the exchange sees it."""

    IDLE = "idle"
    RINGING = "ringing"
    CONNECTED = "connected"
    DIALLING = "dialling"
    CALLING = "calling"  # a dialled number is being reached
    LEFT = "left"  # off hook with nobody there: tones


class Switch(Protocol):
    """What a line card needs of its exchange."""

    def route(self, line: str, number: str) -> FarEnd:
        """What a number does that a line dialled."""

    def complete(self, number: str) -> bool:
        """Whether no further digit can follow."""

    def happened(self, line: str, happening: Happening, detail: str) -> None:
        """Tell the watchers."""


class LineCard:
    """One line; implements `loop.ExchangeEnd`."""

    def __init__(self, name: str, number: str, loop: Loop, switch: Switch, plan: TonePlan) -> None:
        self.name = name
        self.number = number
        self.loop = loop
        self.options = LineOptions()
        self.state = CardState.IDLE
        self._switch = switch
        self._tones = ToneSource(loop, plan)
        self._ringer = Ringer(loop, plan.ring_ms)
        self._timer: asyncio.TimerHandle | None = None
        self._party: FarParty | None = None
        self._offer = Offer()
        self._digits = ""
        loop.exchange = self

    @property
    def rings(self) -> int:
        """Whole rings of the present call, or of the last one."""
        return self._ringer.rings

    @property
    def busy(self) -> bool:
        """Whether another call would get the busy tone."""
        return self.state is not CardState.IDLE

    # --- the far party ---

    def offer(self, party: FarParty, offer: Offer) -> bool:
        """Ring the line for a caller; False where it is busy."""
        if self.busy:
            return False
        self._party, self._offer = party, offer
        self.state = CardState.RINGING
        self._tell(Happening.RING, offer.number or "")
        self._ringer.start(offer.burst, offer.caller_id or self.options.caller_id)
        return True

    def release(self, party: FarParty) -> None:
        """The far party hangs up, before or after the answer. Nothing happens when it has no call here any more."""
        if party is not self._party:
            return
        self._party = None
        if self.state is CardState.RINGING:
            self._ringer.stop()
            self.state = CardState.IDLE
            self._tell(Happening.GAVE_UP)
            return
        self.loop.toward_subscriber.cut(self.loop.now_sample())
        self.state = CardState.LEFT
        self._tell(Happening.HUNG_UP)
        self._after(_RELEASE_SECONDS, self._far_end_is_gone)

    def play_tone(self, kind: ToneKind | None) -> None:
        """Play a tone over whatever goes on, or none any more: a misrouted exchange, or a test of tone detectors."""
        if kind is None:
            self._tones.stop()
        else:
            self._tones.play(kind)

    # --- the subscriber ---

    def went_off_hook(self) -> None:
        """Answers a ring, or asks for the dial tone."""
        if self.state is CardState.RINGING:
            self._ringer.stop()
            self._tell(Happening.ANSWERED)
            self._connect()
        elif self.state is CardState.IDLE:
            self._tell(Happening.OFF_HOOK)
            self._offer_dial_tone()

    def went_on_hook(self) -> None:
        """Ends whatever there was."""
        if self.state in (CardState.IDLE, CardState.RINGING):
            return
        self._stop_timer()
        self._tones.stop()
        party, self._party = self._party, None
        self.state = CardState.IDLE
        self._tell(Happening.ON_HOOK)
        if party is not None:
            party.released()
        self._forget_audio()

    def hook_flash(self) -> None:
        """Is told on; what a PBX makes of it is not modelled."""
        self._tell(Happening.FLASH)

    def digit_dialled(self, key: str) -> None:
        """Collects a number while there is dial tone; otherwise only told on."""
        self._tell(Happening.DIGIT, key)
        if self.state is not CardState.DIALLING:
            return
        self._tones.stop()
        if key == "#" and self._digits:
            self._route()
            return
        self._digits += key
        complete = self._switch.complete(self._digits)
        self._after(_ROUTING_SECONDS if complete else self.options.next_digit_seconds, self._route)

    # --- progress of a call ---

    def _connect(self) -> None:
        self._stop_timer()
        self._tones.stop()
        self.state = CardState.CONNECTED
        if self._party is not None:
            self._party.connected()

    def _offer_dial_tone(self) -> None:
        self.state = CardState.DIALLING
        self._digits = ""
        self._after(_DIAL_TONE_AFTER_SECONDS, self._dial_tone)

    def _dial_tone(self) -> None:
        self._tones.play(ToneKind.DIAL)
        self._after(self.options.first_digit_seconds, self._refuse, ToneKind.BUSY)

    def _route(self) -> None:
        self._tell(Happening.DIALLED, self._digits)
        self.state = CardState.CALLING
        far_end = self._switch.route(self.name, self._digits)
        if far_end.answers is Answers.BUSY:
            self._after(_ROUTING_SECONDS, self._refuse, ToneKind.BUSY)
        elif far_end.answers is Answers.UNKNOWN:
            self._after(_ROUTING_SECONDS, self._refuse, ToneKind.CONGESTION)
        else:
            self._after(_ROUTING_SECONDS, self._ring_far_end, far_end)

    def _ring_far_end(self, far_end: FarEnd) -> None:
        self._tones.play(ToneKind.RINGBACK)
        if far_end.answers is Answers.NO_ANSWER:
            self._after(_NO_ANSWER_SECONDS, self._refuse, ToneKind.BUSY)
            return
        cycle_seconds = self._tones.plan.tones[ToneKind.RINGBACK].cycle_seconds
        self._after(far_end.rings * cycle_seconds, self._far_end_answers, far_end)

    def _far_end_answers(self, far_end: FarEnd) -> None:
        self._offer = Offer()
        self._party = far_end.party(self)
        self._tell(Happening.CONNECTED, self._digits)
        self._connect()

    def _refuse(self, kind: ToneKind) -> None:
        self.state = CardState.LEFT
        self._tones.play(kind)
        self._after(self.options.tone_seconds, self._tones.howl)

    def _far_end_is_gone(self) -> None:
        match self._offer.after_hang_up or self.options.after_hang_up:
            case AfterHangUp.BUSY_TONE:
                self._refuse(ToneKind.BUSY)
            case AfterHangUp.DIAL_TONE:
                self._offer_dial_tone()
            case AfterHangUp.LOOP_BREAK:
                self._after(_TONE_AFTER_BREAK_SECONDS, self._offer_dial_tone)
                self.loop.socket.loop_break()
            case AfterHangUp.POLARITY_REVERSAL:
                self._after(_TONE_AFTER_BREAK_SECONDS, self._refuse, ToneKind.BUSY)
                self.loop.socket.polarity_reversed()
            case AfterHangUp.SILENCE:
                pass

    # --- helpers ---

    def set_options(self, **changes: object) -> None:
        """Change how the line behaves from the next call on; names are those of LineOptions."""
        self.options = replace(self.options, **changes)  # type: ignore[arg-type]

    def _after(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, action, *arguments)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_audio(self) -> None:
        now = self.loop.now_sample()
        for direction in (self.loop.toward_subscriber, self.loop.toward_exchange):
            direction.cut(now)
            direction.forget(now)

    def _tell(self, happening: Happening, detail: str = "") -> None:
        self._switch.happened(self.name, happening, detail)
