"""Command state: lines in, handlers run one after the other, results out, as late and as wrong as the faults say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from firmware.simulation.modem.chip import Chip, Mode
from firmware.simulation.modem.command_line import BadCommand, Command, LineEditor, Refused, split
from firmware.simulation.modem.outcome import OK, Handler, Outcome

# V.250 5.6.1: what follows the end of a command line this soon (a line feed, say) aborts nothing.
_ABORT_GRACE_SECONDS = 0.125
# What the host types while a command runs; a UART's FIFO and a little more.
_TYPED_AHEAD_BYTES = 256


class Commands(Protocol):
    """A group of handlers."""

    def find(self, command: Command) -> Handler | None:
        """Who handles a command, if anybody in this group does."""


class Interpreter:
    """One command line at a time. `typed_on` takes what the host sent meanwhile once the line is done."""

    def __init__(
        self,
        chip: Chip,
        groups: tuple[Commands, ...],
        ring: Callable[[], None],
        typed_on: Callable[[bytes], None],
    ) -> None:
        self.lines_run = 0
        self._chip = chip
        self._groups = groups
        self._ring = ring
        self._typed_on = typed_on
        self._editor = LineEditor()
        self._typed_ahead = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._began_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether a command runs."""
        return self._task is not None

    def reset(self) -> None:
        """As after power-on."""
        self._editor.reset()
        self._typed_ahead.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def run(self, command_line: str) -> None:
        """Run a line that the host did not type, such as the `A` of `S0`."""
        if not self.busy:
            self._start(command_line)

    def feed(self, data: bytes) -> None:
        """Bytes from the host while no stream is open."""
        for at, byte in enumerate(data):
            if self.busy:
                self._while_busy(data[at:])
                return
            self._character(byte)

    def _character(self, byte: int) -> None:
        registers = self._chip.registers
        if registers.echo:
            self._chip.outlet.send(bytes((byte,)))
        line = self._editor.feed(byte, registers.s[3], registers.s[5])
        if line and "AT" in line.upper():
            self._start(line)

    def _while_busy(self, data: bytes) -> None:
        waited = asyncio.get_running_loop().time() - self._began_at
        if self._chip.mode is not Mode.DIALLING:
            self._typed_ahead += data[: _TYPED_AHEAD_BYTES - len(self._typed_ahead)]
        elif waited > _ABORT_GRACE_SECONDS and self._task is not None:
            self._task.cancel()

    def _start(self, line: str) -> None:
        loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        self._task = loop.create_task(self._run(line))
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task is not self._task:
            return
        self._task = None
        if task.cancelled():
            self._aborted()
        else:
            task.result()
        ahead = bytes(self._typed_ahead)
        self._typed_ahead.clear()
        if ahead:
            self._typed_on(ahead)

    def _aborted(self) -> None:
        """A key while dialling: back on hook (modem-reference 2.4)."""
        self._chip.mode = Mode.COMMAND
        self._chip.put_down()
        self._chip.result("NO CARRIER")

    async def _run(self, line: str) -> None:
        chip = self._chip
        await asyncio.sleep(chip.profile.command_seconds)
        body = line[2:]
        # Bytes left over from a stream that was ended twice spoil the line they precede (modem-reference 6.4).
        sound = line[:2].upper() == "AT" and len(body) <= chip.profile.longest_command
        lines, outcome = await self._execute(body) if sound else ([], Outcome("ERROR"))
        self._count()
        if chip.hung:
            return
        await asyncio.sleep(chip.faults.late_result_seconds)
        self._ring()
        self._answer(lines, "" if chip.faults.withholds(body.upper()) else outcome.result)
        if outcome.then is not None:
            outcome.then()

    async def _execute(self, body: str) -> tuple[list[str], Outcome]:
        """Every command up to the first result other than OK; the information they gave, and the last outcome."""
        information: list[str] = []
        outcome = OK
        try:
            for command in split(body):
                outcome = await self._one(command)
                information.extend(outcome.lines)
                if outcome.result != "OK":
                    break
        except (BadCommand, Refused):
            outcome = Outcome("ERROR")
        return information, outcome

    async def _one(self, command: Command) -> Outcome:
        handler = next(filter(None, (group.find(command) for group in self._groups)), None)
        if handler is None or self._chip.faults.refuses(command.text):
            raise Refused(command)
        outcome = handler(command)
        return await outcome if isinstance(outcome, Awaitable) else outcome

    def _answer(self, lines: list[str], result: str) -> None:
        first = self._chip.faults.results_before_information
        if result and first:
            self._chip.result(result)
        if not self._chip.registers.quiet:
            for line in lines:
                self._chip.information(line)
        if result and not first:
            self._chip.result(result)

    def _count(self) -> None:
        self.lines_run += 1
        limit = self._chip.faults.hangs_after_commands
        if limit is not None and self.lines_run >= limit:
            self._chip.hung = True
