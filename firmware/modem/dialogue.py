"""One AT dialogue over one wire: a command at a time, each with a deadline, failures raised.

What the modem says of itself (rings, caller ID, keys, tones, audio) goes to the events side, whenever it comes, also in
the middle of a command. A result that comes after its command's deadline never answers the next command.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from firmware.errors import CommandRefused, CommandTimeout, PortError
from firmware.modem.caller_id import is_caller_line
from firmware.modem.decoder import Audio, AudioEnd, Item, ModemDecoder
from firmware.modem.dle import ComplexEvent, DleCode
from firmware.modem.result_codes import Line, LineSplitter, ResultKind, classify
from firmware.ports import ByteWire

COMMAND_SECONDS = 3.0
OK_ONLY = frozenset({ResultKind.OK})
CONNECT_ONLY = frozenset({ResultKind.CONNECT})
# VCON ends voice data and answers on Rockwell descendants (modem-reference 5, 6.3).
OK_OR_VCON = frozenset({ResultKind.OK, ResultKind.VCON})
_REFUSALS = frozenset({ResultKind.ERROR, ResultKind.LINE_IN_USE, ResultKind.BLACKLISTED, ResultKind.DELAYED})
_MOST_INFORMATION_LINES = 64
_RESYNC_TRIES = 3
LATEST_RESULT_SECONDS = 1.0
"""A modem whose results come later than this cannot be kept in step."""
_RESYNC_QUIET_SECONDS = 0.2
_STRAY_QUIET_SECONDS = 0.05
_BEHIND_RESULT_SECONDS = 0.1
# A modem sends the bytes of one event together; behind such a pause there is something else, and a RING must be seen.
_LONGEST_EVENT_GAP_SECONDS = 0.5


class DialogueEvents(Protocol):
    """Who hears what the modem says of itself. Methods must not block or raise."""

    def ring(self) -> None:
        """RING."""

    def caller_line(self, line: bytes) -> None:
        """A line of caller ID."""

    def dle_code(self, code: int) -> None:
        """A DLE code that ends no audio."""

    def audio(self, data: bytes) -> None:
        """Samples."""

    def audio_ended(self) -> None:
        """`<DLE><ETX>` behind the samples."""

    def wire_lost(self, error: PortError) -> None:
        """The wire is gone."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A result, with the information lines before it."""

    result: ResultKind
    information: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The information as one text."""
        return "\n".join(self.information)


@dataclass(eq=False, slots=True)
class Expectation:
    """A result to come. Made before the bytes that cause it are written, so that it cannot be missed."""

    label: str
    accepted: frozenset[ResultKind]
    future: asyncio.Future[Reply | PortError]
    information: list[str] = field(default_factory=list)


class Dialogue:
    """`ports.WireReceiver`, and the only one that writes to its wire."""

    def __init__(self, wire: ByteWire, events: DialogueEvents) -> None:
        self._wire = wire
        self._events = events
        self._decoder = ModemDecoder()
        self._loop = asyncio.get_running_loop()
        self._pending: Expectation | None = None
        self._behind_result: list[str] = []
        self._lost: PortError | None = None
        self._out_of_step = False
        self._stray_bytes_possible = False
        self._last_byte_at = self._loop.time()
        self.proved_alive_at: float | None = None
        self.unknown_lines = 0
        self.received_bytes = 0
        self._unanswered_after_bytes = -1
        wire.start(self)

    # --- receiving ---

    def bytes_received(self, data: bytes) -> None:
        """Bytes from the modem."""
        if self._loop.time() - self._last_byte_at > _LONGEST_EVENT_GAP_SECONDS:
            self._abandon_event()
        self._last_byte_at = self._loop.time()
        self.received_bytes += len(data)
        for item in self._decoder.feed(data):
            self._take(item)

    def _abandon_event(self) -> None:
        if self._decoder.in_event:
            for item in self._decoder.abandon_event():
                self._take(item)

    def wire_lost(self, error: PortError) -> None:
        """The wire is gone: whoever waits is told."""
        self._lost = error
        if self._pending is not None and not self._pending.future.done():
            self._pending.future.set_result(error)
        self._events.wire_lost(error)

    def _take(self, item: Item) -> None:
        if isinstance(item, Audio):
            self._events.audio(item.data)
        elif isinstance(item, DleCode):
            self._events.dle_code(item.code)
        elif isinstance(item, Line):
            self._take_line(item)
        elif isinstance(item, AudioEnd):
            self._events.audio_ended()
        else:
            self._take_complex(item)

    def _take_complex(self, event: ComplexEvent) -> None:
        lines, _ = LineSplitter().feed(event.body + b"\n")
        for line in lines:
            if is_caller_line(line.text):
                self._events.caller_line(line.text)

    def _take_line(self, line: Line) -> None:
        kind = classify(line)
        if kind is ResultKind.INFORMATION:
            self._take_information(line.text)
        elif kind is ResultKind.RING:
            self._events.ring()
        elif kind not in (ResultKind.RINGING, ResultKind.CADENCE):
            self._take_result(kind)

    def _take_information(self, text: bytes) -> None:
        if is_caller_line(text):
            self._events.caller_line(text)
        elif self._pending is None or self._pending.future.done():
            self.unknown_lines += 1
            self._behind_result = [*self._behind_result, text.decode("latin-1").strip()][:_MOST_INFORMATION_LINES]
        elif len(self._pending.information) < _MOST_INFORMATION_LINES and not self._is_echo(text):
            self._pending.information.append(text.decode("latin-1").strip())

    def _is_echo(self, text: bytes) -> bool:
        assert self._pending is not None
        return text.strip().upper() == self._pending.label.strip().upper().encode("latin-1")

    def _take_result(self, kind: ResultKind) -> None:
        pending = self._pending
        if pending is None or pending.future.done() or not (kind in pending.accepted or kind in _REFUSALS):
            self.unknown_lines += 1
            return
        self.proved_alive_at = self._last_byte_at
        pending.future.set_result(Reply(kind, tuple(pending.information)))

    # --- asking ---

    @property
    def lost(self) -> PortError | None:
        """Why the wire is gone, if it is."""
        return self._lost

    @property
    def mute(self) -> bool:
        """Whether the modem left something unanswered, and has not said a word since."""
        return self.received_bytes == self._unanswered_after_bytes

    @property
    def left_unanswered(self) -> bool:
        """Whether the modem ever failed to answer in time."""
        return self._unanswered_after_bytes >= 0

    def send(self, data: bytes) -> None:
        """Bytes as they are: audio, or codes."""
        self._wire.write(data)

    def discard_output(self) -> None:
        """Throw away what has not left yet."""
        self._wire.discard_output()

    def gather_input(self, gathering: bool) -> None:
        """Whether what comes may be up to 0.1 s late."""
        self._wire.gather_input(gathering)

    def expect(self, label: str, accepted: frozenset[ResultKind]) -> Expectation:
        """Announce that a result will come. `label` names its cause in errors."""
        if not self._decoder.in_audio:
            self._abandon_event()  # or noise that looks like the beginning of one would swallow the result
        self._behind_result = []
        self._pending = Expectation(label, accepted, self._loop.create_future())
        return self._pending

    async def outcome(self, expectation: Expectation, timeout_seconds: float) -> Reply:
        """The result. Raises: CommandTimeout, CommandRefused, PortError."""
        if self._lost is not None:
            raise self._lost
        try:
            async with asyncio.timeout(timeout_seconds):
                reply = await expectation.future
        except TimeoutError:
            raise self.no_answer(expectation.label, timeout_seconds) from None
        finally:
            self._settle(expectation)
        if isinstance(reply, PortError):
            raise reply
        if reply.result not in expectation.accepted:
            raise CommandRefused(expectation.label, reply.result.value)
        return reply

    async def command(
        self, text: str, timeout_seconds: float = COMMAND_SECONDS, accepted: frozenset[ResultKind] = OK_ONLY
    ) -> Reply:
        """Send a command and await its result. Raises: CommandTimeout, CommandRefused, PortError.

        Right behind a stream the modem may hold bytes of ours that came too late for it; they spoil one command, which
        is then sent again (modem-reference 6.4).
        """
        if self._out_of_step:
            await self.resynchronise()
        crossed, self._stray_bytes_possible = self._stray_bytes_possible, False
        try:
            return await self._ask(text, timeout_seconds, accepted)
        except (CommandRefused, CommandTimeout):
            if not crossed:
                raise
        return await self._ask_again(text, timeout_seconds, accepted)

    async def check(self, text: str, timeout_seconds: float) -> Reply:
        """Like `command`, but as it is: no second try, no repair. Raises: CommandTimeout, CommandRefused, PortError."""
        return await self._ask(text, timeout_seconds, OK_ONLY)

    async def optional(self, text: str, timeout_seconds: float = COMMAND_SECONDS) -> Reply | None:
        """Like `command`, but None where the modem refuses. Raises: CommandTimeout, PortError."""
        try:
            return await self.command(text, timeout_seconds)
        except CommandRefused:
            return None

    async def question(self, text: str) -> tuple[str, ...] | None:
        """The lines that answer a question, also where they come behind its result (modem-reference 13, point 8).

        None where the modem refuses. Raises: CommandTimeout, PortError.
        """
        reply = await self.optional(text)
        if reply is None:
            return None
        if reply.information:
            return reply.information
        await self.quiet(_BEHIND_RESULT_SECONDS, at_most_seconds=LATEST_RESULT_SECONDS)
        return tuple(self._behind_result)

    async def _ask(self, text: str, timeout_seconds: float, accepted: frozenset[ResultKind]) -> Reply:
        expectation = self.expect(text, accepted)
        self._wire.write(text.encode("latin-1") + b"\r")
        return await self.outcome(expectation, timeout_seconds)

    async def _ask_again(self, text: str, timeout_seconds: float, accepted: frozenset[ResultKind]) -> Reply:
        self._wire.write(b"\r")
        await self.quiet(_STRAY_QUIET_SECONDS, at_most_seconds=0.5)
        self._out_of_step = False
        return await self._ask(text, timeout_seconds, accepted)

    def _settle(self, expectation: Expectation) -> None:
        if self._pending is expectation:
            self._pending = None
        if not expectation.future.done() or expectation.future.cancelled():
            # Timed out or cancelled: its result may still come.
            self._out_of_step = True

    # --- streams ---

    def expect_audio(self, expected: bool) -> None:
        """Whether the next CONNECT begins audio from the modem."""
        self._decoder.expect_audio(expected)

    def leave_audio(self) -> None:
        """Take what comes from here on for command state."""
        self._wire.gather_input(False)
        self._decoder.leave_audio()

    def stream_closed(self) -> None:
        """A stream has just ended, and bytes of ours may have crossed its end."""
        self._stray_bytes_possible = True

    # --- repair ---

    def no_answer(self, label: str, timeout_seconds: float) -> CommandTimeout:
        """The modem left this unanswered: the error to raise. Before the next command the step is found again."""
        self._unanswered_after_bytes = self.received_bytes
        self._out_of_step = True
        return CommandTimeout(label, timeout_seconds)

    def doubt(self) -> None:
        """Find the step again before the next command."""
        self._out_of_step = True

    async def quiet(self, seconds: float, at_most_seconds: float) -> bool:
        """Until the modem has said nothing for a while; False when it goes on talking."""
        deadline = self._loop.time() + at_most_seconds
        start = self._loop.time()
        while (rest := max(start, self._last_byte_at) + seconds - self._loop.time()) > 0:
            if self._lost is not None:
                raise self._lost
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(rest)
        return True

    async def resynchronise(self) -> None:
        """Let late results pass, and find the modem in command state. Raises: CommandTimeout, PortError."""
        # A modem that says nothing at all is asked once: it hangs, or is somewhere that only a reset leads out of.
        tries = 1 if self.mute else _RESYNC_TRIES
        for attempt in range(tries):
            try:
                await self._ask("\rAT" if attempt else "AT", LATEST_RESULT_SECONDS, OK_ONLY)
            except (CommandRefused, CommandTimeout):
                continue
            if await self.quiet(_RESYNC_QUIET_SECONDS, at_most_seconds=LATEST_RESULT_SECONDS):
                self._out_of_step = False
                return
        raise CommandTimeout("AT", LATEST_RESULT_SECONDS * tries)
