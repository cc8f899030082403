"""Voice data states of a modem: into them, and out of them whatever the modem does (modem-reference 6.3 to 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firmware.errors import CommandRefused, CommandTimeout
from firmware.modem.dialogue import CONNECT_ONLY, OK_OR_VCON, Dialogue, Expectation
from firmware.modem.dle import ETX, STOP_DUPLEX, STOP_RECEIVE, abort_playing, action
from firmware.modem.monitor_tap import MonitorTap
from firmware.modem.options import Timings
from firmware.modem.pacing import Pacer
from firmware.modem.prompts import Block
from firmware.modem.waking import Bell
from firmware.pcm import SampleFormat


@dataclass(slots=True)
class StreamContext:
    """What every stream of a line needs. `triple_dle` is corrected when the modem proves to want the other form."""

    dialogue: Dialogue
    bell: Bell
    timings: Timings
    triple_dle: bool
    sample_format: SampleFormat
    tap: MonitorTap

    def say(self, block: Block) -> None:
        """Samples for the line."""
        self.dialogue.send(block.wire)
        self.tap.caller_hears(block.wire, self.sample_format)


class Transmission:
    """+VTX: audio to the line. `cut` acts within the caller's own call stack, for barge-in."""

    def __init__(self, context: StreamContext, blocks: Iterator[Block]) -> None:
        self._context = context
        self._pacer = Pacer(blocks, context.say, self._all_written)
        self._asked = False
        self._open = False
        self._closing: Expectation | None = None
        self._left_to_hear_seconds = 0.0
        self.was_cut = False

    async def run(self, longest_seconds: float) -> None:
        """Play everything, or until cut. Raises: ModemError, PortError."""
        dialogue = self._context.dialogue
        self._asked = True
        try:
            await dialogue.command("AT+VTX", accepted=CONNECT_ONLY)
        except CommandRefused:
            self._asked = False
            raise
        self._open = True
        if self.was_cut:
            self._close(action(ETX, triple=self._context.triple_dle))
        else:
            self._pacer.start()
        await self._context.bell.wait_until(
            lambda: self._closing is not None or dialogue.lost is not None, longest_seconds
        )
        await self.settle()

    def cut(self) -> None:
        """Silence the line now: what is queued here, in the kernel and in the modem is thrown away."""
        if self._closing is not None:
            return
        self.was_cut = True
        self._pacer.stop()
        if self._open:
            self._context.dialogue.discard_output()
            self._close(abort_playing(triple=self._context.triple_dle))
            self._left_to_hear_seconds = self._pacer.ahead_seconds

    async def settle(self) -> None:
        """Back to command state. Raises: CommandTimeout, PortError."""
        if not self._asked:
            return
        # Asked for and never confirmed: the modem may well be there.
        self._open = True
        if self._closing is None:
            self.cut()
        assert self._closing is not None
        await _command_state(self._context, self._closing, self._left_to_hear_seconds, ETX)
        self._asked = False

    def _all_written(self) -> None:
        self._left_to_hear_seconds = self._pacer.ahead_seconds
        self._close(action(ETX, triple=self._context.triple_dle))

    def _close(self, farewell: bytes) -> None:
        self._closing = self._context.dialogue.expect("<DLE><ETX>", OK_OR_VCON)
        self._context.dialogue.send(farewell)
        self._context.bell.ring()


class Reception:
    """+VRX: audio from the line, until `stop` or until the modem ends it by itself.

    What comes in a reception that is not `hurried` may be up to 0.1 s late, keys included.
    """

    _command = "AT+VRX"
    _stop_code = STOP_RECEIVE

    def __init__(self, context: StreamContext, *, hurried: bool = True) -> None:
        self._context = context
        self._hurried = hurried
        self._goes_on = False
        self._asked = False
        self._open = False
        self._stopped = False
        self._closing: Expectation | None = None

    @property
    def over(self) -> bool:
        """Whether the modem has ended the audio."""
        return self._closing is not None

    @property
    def flows(self) -> bool:
        """Whether audio comes and will go on to."""
        return self._open and not self._stopped and not self.over

    async def open(self) -> None:
        """Raises: ModemError, PortError."""
        dialogue = self._context.dialogue
        dialogue.expect_audio(True)
        self._asked = True
        try:
            await dialogue.command(self._command, accepted=CONNECT_ONLY)
        except CommandRefused:
            dialogue.expect_audio(False)
            self._asked = False
            raise
        self._open = True
        if self._stopped:
            self._send_stop()
        elif not self.over:
            dialogue.gather_input(not self._hurried)

    def stop(self) -> None:
        """Ask the modem to end the audio."""
        if self._stopped or self.over:
            return
        self._stopped = True
        if self._open:
            self._send_stop()

    def audio_ended(self) -> None:
        """`<DLE><ETX>` came: a result follows."""
        if self._closing is None:
            self._context.dialogue.gather_input(False)
            self._closing = self._context.dialogue.expect("<DLE><ETX>", OK_OR_VCON)
            self._context.bell.ring()

    async def settle(self) -> None:
        """Back to command state. Raises: CommandTimeout, PortError."""
        if not self._asked:
            return
        # Asked for and never confirmed: the modem may well be there.
        unconfirmed, self._open = not self._open, True
        if unconfirmed and self._stopped:
            self._send_stop()
        self.stop()
        if not await self._audio_over() and not await self._obeys_the_other_form():
            self._context.dialogue.leave_audio()
            raise self._context.dialogue.no_answer("<DLE>" + chr(self._stop_code), self._context.timings.stream_answer)
        assert self._closing is not None
        await _command_state(self._context, self._closing, 0.0, None)
        self._asked = False

    async def _obeys_the_other_form(self) -> bool:
        """Whether a modem that goes on and on wanted the other form of DLE (modem-reference 6.3, Zoom 3095)."""
        if not self._goes_on:
            return False
        self._context.triple_dle = not self._context.triple_dle
        self._send_stop()
        if not await self._audio_over():
            self._context.triple_dle = not self._context.triple_dle
        return self.over

    def _send_stop(self) -> None:
        self._context.dialogue.gather_input(False)
        self._context.dialogue.send(action(self._stop_code, triple=self._context.triple_dle))

    async def _audio_over(self) -> bool:
        dialogue = self._context.dialogue
        received_bytes = dialogue.received_bytes
        await self._context.bell.wait_until(
            lambda: self.over or dialogue.lost is not None, self._context.timings.stream_answer
        )
        if dialogue.lost is not None:
            raise dialogue.lost
        self._goes_on = dialogue.received_bytes > received_bytes
        return self.over


class Duplex(Reception):
    """+VTR: audio both ways; ends when all is said, or like a reception."""

    _command = "AT+VTR"
    _stop_code = STOP_DUPLEX

    def __init__(self, context: StreamContext, blocks: Iterator[Block]) -> None:
        super().__init__(context)
        self.all_said = False
        self._pacer = Pacer(blocks, context.say, self._all_written)

    def start(self) -> None:
        """Begin to speak."""
        if not self._stopped and not self.over:
            self._pacer.start()

    def stop(self) -> None:
        """Silence the line and ask the modem to end."""
        self._pacer.stop()
        if not self._stopped and not self.over and not self.all_said:
            self._context.dialogue.discard_output()
        super().stop()

    def audio_ended(self) -> None:
        """`<DLE><ETX>` came."""
        self._pacer.stop()
        super().audio_ended()

    def _all_written(self) -> None:
        self.all_said = True
        # The modem plays its buffer out before it ends (modem-reference 6.5).
        super().stop()


async def _command_state(
    context: StreamContext, closing: Expectation, left_to_hear_seconds: float, retry_code: int | None
) -> None:
    """Await the result that ends a stream. A missing one only costs a look whether the modem follows at all."""
    dialogue = context.dialogue
    dialogue.stream_closed()
    if closing.future.cancelled():
        dialogue.doubt()
        return
    try:
        await dialogue.outcome(closing, left_to_hear_seconds + context.timings.stream_answer)
    except CommandRefused:
        return
    except CommandTimeout:
        if retry_code is None or not await _other_form_works(context, retry_code):
            await dialogue.resynchronise()


async def _other_form_works(context: StreamContext, code: int) -> bool:
    """Whether the modem obeys the other form of DLE (modem-reference 6.3, Zoom 3095); it is kept then."""
    closing = context.dialogue.expect("<DLE><ETX>", OK_OR_VCON)
    context.dialogue.send(action(code, triple=not context.triple_dle))
    try:
        await context.dialogue.outcome(closing, context.timings.stream_answer)
    except (CommandTimeout, CommandRefused):
        return False
    context.triple_dle = not context.triple_dle
    return True
