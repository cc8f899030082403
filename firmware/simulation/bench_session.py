"""A bench that is steered by commands and tells what happens, for `linekeeper bench serve` and its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from firmware.errors import LinekeeperError
from firmware.simulation import bench_commands as commands
from firmware.simulation.bench import Bench
from firmware.simulation.bench_commands import parse_command
from firmware.simulation.bench_listener import follow_call
from firmware.simulation.call import Call, CallOver
from firmware.simulation.callers import Caller
from firmware.simulation.command_fields import BadCommand
from firmware.simulation.exchange_events import ExchangeEvent, Happening
from firmware.simulation.far_end import FarEnd
from firmware.simulation.json_lines import Message
from firmware.simulation.line_card import LineCard
from firmware.simulation.power_commands import PowerCommand
from firmware.simulation.power_obeying import set_power

_DETAIL_OF = {
    Happening.RING: "number",
    Happening.DIALLED: "number",
    Happening.CONNECTED: "number",
    Happening.DIGIT: "key",
}


class BenchSession:
    """Obeys commands; a bad one becomes an `error` event, nothing else.

    Keys and speech of one line follow each other, and wait for the answer; everything else is done at once.
    """

    def __init__(self, bench: Bench, directory: Path, emit: Callable[[Message], None]) -> None:
        self._bench = bench
        self._directory = directory
        self._emit = emit
        self._calls: dict[str, Call] = {}
        self._turns = {line.name: asyncio.Lock() for line in bench.lines}
        self._tasks: set[asyncio.Task[None]] = set()
        bench.exchange.register_others(FarEnd(party=self._dialled_party))
        bench.exchange.watch(self._happened)
        if bench.power is not None:
            bench.power.watch(emit)

    def obey(self, text: str) -> None:
        """Begin to do what one line of text says. Never raises for what the text says."""
        if text.strip():
            self._start(self._obey(text), command=text.strip()[:200])

    async def settle(self) -> None:
        """Hang up every call, and wait until all is told and written."""
        while self._tasks:
            for call in self._calls.values():
                call.hang_up()
            await asyncio.gather(*self._tasks)

    # --- commands ---

    async def _obey(self, text: str) -> None:
        command = parse_command(text)
        if isinstance(command, commands.Keys | commands.Speak):
            await self._act(command)
        elif isinstance(command, PowerCommand):
            self._set_power(command)
        elif isinstance(command, commands.SetFarEnd):
            self._set_far_end(command)
        else:
            await self._change_line(command)

    async def _act(self, command: commands.Keys | commands.Speak) -> None:
        call = self._call(command.line)
        async with self._turns[call.card.name]:
            await call.answered()
            if isinstance(command, commands.Speak):
                await call.speak_wav(Path(command.file))
                return
            for key in command.keys:
                self._tell("key", call.card.name, key=key)
                await call.keys(key)

    async def _change_line(self, command: commands.Ring | commands.HangUp | commands.PlayTone | commands.Plug) -> None:
        line = self._bench.line(command.line)
        match command:
            case commands.Ring():
                await self._ring(command)
            case commands.HangUp():
                self._call(command.line).hang_up()
            case commands.PlayTone(_, kind):
                line.card.play_tone(kind)
                if kind is None and line.name in self._calls:
                    self._calls[line.name].fall_silent()
            case commands.Plug(_, plugged):
                (line.replug if plugged else line.unplug)()
                self._tell("replugged" if plugged else "unplugged", line.name)

    async def _ring(self, command: commands.Ring) -> None:
        caller = Caller(
            self._bench.exchange,
            command.number,
            command.name,
            caller_id=command.caller_id,
            after_hang_up=command.after_hang_up,
        )
        call = await caller.dial(command.line)
        if call.busy:
            self._tell("busy", call.card.name)
        else:
            self._begin(call)

    def _set_far_end(self, command: commands.SetFarEnd) -> None:
        far_end = FarEnd(command.answers, command.rings, self._dialled_party)
        if command.number is not None:
            self._bench.exchange.register(command.number, far_end)
        else:
            line = None if command.line is None else self._bench.line(command.line).name
            self._bench.exchange.register_others(far_end, line)

    def _set_power(self, command: PowerCommand) -> None:
        if self._bench.power is None:
            raise BadCommand("this bench has no UPS")
        set_power(self._bench.power, command)
        self._emit({"event": "power", **self._bench.power.state()})

    # --- calls ---

    def _call(self, line: str) -> Call:
        name = self._bench.line(line).name
        call = self._calls.get(name)
        if call is None or call.over:
            raise BadCommand(f"{name} has no call")
        return call

    def _dialled_party(self, card: LineCard) -> Call:
        call = Call(card)
        self._begin(call)
        return call

    def _begin(self, call: Call) -> None:
        name = call.card.name
        self._calls[name] = call
        self._start(follow_call(call, self._directory, lambda event, **more: self._tell(event, name, **more)))

    # --- telling ---

    def _happened(self, event: ExchangeEvent) -> None:
        detail = {_DETAIL_OF[event.happening]: event.detail} if event.happening in _DETAIL_OF else {}
        self._tell(event.happening.value, event.line, **detail)

    def _tell(self, event: str, line: str, **more: object) -> None:
        at_seconds = round(asyncio.get_running_loop().time(), 3)
        self._emit({"event": event, "line": line, "at": at_seconds, **more})

    def _start(self, doing: Coroutine[Any, Any, None], **context: object) -> None:
        task = asyncio.create_task(self._guard(doing, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, doing: Coroutine[Any, Any, None], context: Message) -> None:
        try:
            await doing
        except CallOver:
            return  # the call ended under a key or a word; its end was told
        except (LinekeeperError, OSError) as error:
            self._emit({"event": "error", "error": " ".join(str(error).split()), **context})
