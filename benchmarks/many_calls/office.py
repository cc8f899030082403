"""A bench in memory with a whole appliance at it, for whole calls in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.bench_lines import add_line, configuration
from benchmarks.many_calls.speech import find_speech
from firmware import wav
from firmware.events import CallEnded, CallEvent, LineChanged, MessageKept
from firmware.services.calls import CallsService
from firmware.settings import Settings, parse_settings
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import Call
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.fast_time import SimulatedClock
from firmware.storage.queries import Records

_NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@dataclass
class Office:
    """An appliance that answers, its lines, and everything that it told."""

    folder: Path
    exchange: Exchange
    lines: list[BenchLine]
    service: CallsService
    settings: Settings
    events: list[CallEvent | LineChanged] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, event: CallEvent | LineChanged) -> None:
        self.events.append(event)
        self.changed.set()

    def all(self, kind: type[Any], line: BenchLine | None = None) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and line in (None, self._line(event))]

    def _line(self, event: CallEvent | LineChanged) -> BenchLine:
        return next(line for line in self.lines if line.name == event.line)

    async def until(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def until_ended(self, line: BenchLine, calls: int = 1) -> None:
        await self.until(lambda: len(self.all(CallEnded, line)) >= calls)

    async def ring(self, line: BenchLine, number: str = "13800138000") -> Call:
        call = await Caller(self.exchange, number).dial(line.card)
        await call.answered()
        return call

    async def to_the_beep(self, line: BenchLine, number: str = "13800138000") -> Call:
        """A caller who chose English and a message, and has heard the beep."""
        call = await self.ring(line, number)
        await call.heard_speech()
        await call.keys("21", 0.1, 1.0)
        assert await call.heard_beep()
        await call.wait(0.5)
        return call

    async def leave_message(self, line: BenchLine, speech: bytes, number: str = "13800138000") -> MessageKept:
        """A whole good call."""
        calls, kept = len(self.all(CallEnded, line)), len(self.all(MessageKept, line))
        call = await self.to_the_beep(line, number)
        await call.speak(speech)
        await call.wait(0.3)
        await call.key("#")
        await call.wait(1.0)
        await call.key("1")
        await call.ended()
        await self.until_ended(line, calls + 1)
        (message,) = self.all(MessageKept, line)[kept:]
        assert isinstance(message, MessageKept)
        return message

    def records(self) -> Records:
        return Records(self.folder / "data", ZoneInfo("Asia/Shanghai"))

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """`messages`, `callbacks`, `calls` or `incidents`, as the command lists them."""
        with self.records() as records:
            found: list[dict[str, Any]] = getattr(records, kind)()
            return found

    def found(self, message: MessageKept, speech: bytes) -> int:
        """Samples of the speech that the message holds, as it is exported; every one exact."""
        target = self.folder / f"{message.number}.wav"
        with self.records() as records:
            records.export_message(message.message_id, target)
        parsed = wav.parse(target.read_bytes())
        match = find_speech(speech, parsed.data, parsed.sample_format)
        return match.samples if match else 0

    def incidents(self, kind: str) -> list[dict[str, Any]]:
        return [incident for incident in self.listed("incidents") if incident["kind"] == kind]


OfficeMaker = Callable[..., AbstractAsyncContextManager[Office]]


@asynccontextmanager
async def office(
    folder: Path,
    lines: int = 1,
    more: str = "",
    *,
    country: str = "CN",
    profile: str = "conexant",
    control: bool = False,
) -> AsyncIterator[Office]:
    """An appliance with so many lines; its records lie in `folder`, `more` is added to its configuration.

    `control` opens its control socket, for which time must be real.
    """
    exchange = Exchange(country)
    built = [add_line(exchange, profile) for _ in range(lines)]
    more += f"country: {country}\n"
    text = configuration(folder, {line.name: f"bench:{line.name}" for line in built}, more)
    clock = SimulatedClock(asyncio.get_running_loop(), _NOON)
    openers = {line.name: line.opener for line in built if line.opener}
    settings = parse_settings("office", text)
    service = CallsService(settings, clock=clock, openers=openers, control=control)
    opened = Office(folder, exchange, built, service, settings)
    service.hub.listen(opened.told)
    for line in built:
        line.replug()
    async with service:
        await service.ready()
        yield opened
    for line in built:
        line.unplug()
