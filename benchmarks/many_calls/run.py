"""The run: an appliance on a real disk, four lines with different modems, callers, trouble; nothing waits for real."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bench_lines import add_line, configuration
from benchmarks.many_calls.ledger import Ledger
from benchmarks.many_calls.people import act, any_person, leaves_message
from benchmarks.many_calls.trouble import Trouble, any_caller, still_there, switched_on, trouble_line
from benchmarks.many_calls.verdict import judge
from firmware.clock import SystemClock
from firmware.services.calls import CallsService
from firmware.settings import parse_settings
from firmware.simulation.bench import BenchLine
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.fast_time import SimulatedClock, run_fast
from firmware.simulation.modem.chip import ModemState
from firmware.simulation.modem.faults import ModemFaults

PROFILES = ("conexant", "usr", "multitech", "conexant")
_START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
_LOOK_SECONDS = 0.5
# What USB modems send at a time; the bench's usual 20 ms cost three times the events.
_STREAM_SECONDS = 0.06
# An unplugged or hung modem is seen within 10 s; opening it again takes a few tries after that.
_RECOVERY_SECONDS = 90.0
# Where nothing tells of a hang-up, all menus are heard to their way out before silence ends the call.
_LAST_WORDS_SECONDS = 300.0
_HUNG_FOR_SECONDS = 30.0


@dataclass(slots=True)
class Report:
    """What came of a run. `findings` should be empty."""

    calls: int
    wall_seconds: float = 0.0
    simulated_seconds: float = 0.0
    tally: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{count} {what}" for what, count in sorted(self.tally.items()))
        hours = self.simulated_seconds / 3600
        return f"{self.calls} calls, {hours:.1f} h in {self.wall_seconds:.1f} s: {told}; {len(self.findings)} findings"


def run_calls(calls: int, folder: Path, seed: int = 1) -> Report:
    """So many calls on a fresh appliance in `folder`."""
    began = time.perf_counter()
    report = run_fast(_Run(calls, folder, seed).run())
    report.wall_seconds = time.perf_counter() - began
    return report


class _Run:
    def __init__(self, calls: int, folder: Path, seed: int) -> None:
        self._report = Report(calls)
        self._folder = folder
        self._chance = random.Random(seed)
        self._left = calls
        self._ledger = Ledger()
        self._exchange = Exchange("CN")
        self._lines = [
            add_line(self._exchange, profile, stream_interval_seconds=_STREAM_SECONDS) for profile in PROFILES
        ]

    async def run(self) -> Report:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unhandled)
        self._exchange.watch(self._ledger.seen)
        with self._nothing_leaks():
            await self._serve()
        self._report.simulated_seconds = loop.time()
        self._report.tally = self._ledger.tally()
        self._report.findings += judge(self._ledger, self._folder / "data")
        return self._report

    async def _serve(self) -> None:
        text = configuration(self._folder, {line.name: f"bench:{line.name}" for line in self._lines})
        clock = SimulatedClock(asyncio.get_running_loop(), _START)
        openers = {line.name: line.opener for line in self._lines if line.opener}
        service = CallsService(parse_settings("run", text), clock=clock, openers=openers, control=False)
        service.hub.listen(self._ledger.told)
        for line in self._lines:
            line.replug()
        async with service:
            await service.ready()
            await asyncio.gather(*(self._busy_line(line, service) for line in self._lines))
            await asyncio.gather(*(self._last_call(line, service) for line in self._lines))
        for line in self._lines:
            line.unplug()

    async def _busy_line(self, line: BenchLine, service: CallsService) -> None:
        """One call after another, until all are made."""
        chance = random.Random(self._chance.random())
        while self._left > 0:
            self._left -= 1
            await asyncio.sleep(chance.uniform(0.1, 15))
            trouble = trouble_line(line, chance)
            await self._one_call(line, trouble, chance)
            for timer in trouble.timers:
                timer.cancel()
            await self._recovered(line, service)

    async def _one_call(self, line: BenchLine, trouble: Trouble, chance: random.Random) -> None:
        person = any_person(chance)
        late_seconds = line.modem.faults.late_result_seconds + line.modem.faults.hold_output_seconds
        facts = self._ledger.begin(line.name, person.__name__, trouble.name, late_seconds)
        call = await any_caller(self._exchange, chance).dial(line.card, keep_heard=False)
        await act(person, call, chance)
        facts.spoken = call.spoken

    async def _last_call(self, line: BenchLine, service: CallsService) -> None:
        """The proof of health: a message on a line without trouble."""
        line.modem.faults = ModemFaults()
        line.modem.unplug()
        line.modem.plug_in()
        await asyncio.sleep(_RECOVERY_SECONDS)
        facts = self._ledger.begin(line.name, "the last caller")
        call = await Caller(self._exchange, "13900139000").dial(line.card, keep_heard=False)
        chance = random.Random(2)  # stays to the end
        await act(leaves_message, call, chance)
        facts.spoken = call.spoken
        await self._recovered(line, service)
        if not facts.messages():
            self._find(f"{facts}: left no message")

    async def _recovered(self, line: BenchLine, service: CallsService) -> None:
        """Wait for the line to be idle and healthy; a hung modem gets its power cycled after a while."""
        await self._until_call_over(line, service)
        line.modem.faults = still_there(line.modem.faults)
        deadline = asyncio.get_running_loop().time() + _RECOVERY_SECONDS
        while not self._healthy(line, service):
            if line.modem.state is ModemState.HUNG:
                await asyncio.sleep(_HUNG_FOR_SECONDS)
                line.modem.faults = ModemFaults()
                line.unplug()
                await asyncio.sleep(1.0)
                line.replug()
                deadline = asyncio.get_running_loop().time() + _RECOVERY_SECONDS
            if asyncio.get_running_loop().time() > deadline:
                self._find(
                    f"{line.name} did not recover from {switched_on(line.modem.faults)}: {_status(line, service)}"
                )
                line.modem.faults = ModemFaults()
                deadline += _RECOVERY_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        # What has not struck yet must not strike a later call that counts as untroubled.
        line.modem.faults = ModemFaults()

    async def _until_call_over(self, line: BenchLine, service: CallsService) -> None:
        deadline = asyncio.get_running_loop().time() + _LAST_WORDS_SECONDS
        while _status(line, service)["state"] in ("ringing", "in_call"):
            if asyncio.get_running_loop().time() > deadline:
                self._find(f"{line.name}: the call goes on without its caller")
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _healthy(self, line: BenchLine, service: CallsService) -> bool:
        status = _status(line, service)
        return status["state"] == "idle" and status["fault"] is None and not line.modem.off_hook

    def _find(self, finding: str) -> None:
        self._report.findings.append(finding)

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._find(f"unhandled in the event loop: {context.get('message')} {context.get('exception')!r}")

    @contextmanager
    def _nothing_leaks(self) -> Iterator[None]:
        """Descriptors and tasks are the same after as before."""
        SystemClock().trusted()  # the C library is opened once, by whoever comes first
        descriptors, tasks = _descriptors(), asyncio.all_tasks()
        yield
        if more := set(_descriptors()) - set(descriptors):
            self._find(f"descriptors leaked: {sorted(_descriptors()[number] for number in more)}")
        if left := asyncio.all_tasks() - tasks:
            self._find(f"tasks leaked: {left}")


def _status(line: BenchLine, service: CallsService) -> dict[str, Any]:
    return next(status for status in service.lines() if status["name"] == line.name)


def _descriptors() -> dict[str, str]:
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[entry.name] = str(entry.readlink())
        except FileNotFoundError:
            continue  # the listing's own
    return found
