"""Done as an office has it: each service a process of its own, modems on ptys, a UPS behind its socket.

A minute of the requirements lasts half a second here.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from benchmarks.appliance import COMMAND, ServiceProcess
from benchmarks.bench_lines import configuration
from benchmarks.many_calls.speech import find_speech, unique_speech
from benchmarks.setting import Setting, bench
from firmware import wav
from firmware.services.control_client import ControlClient
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import Call
from firmware.simulation.ups import SimulatedUps
from firmware.storage.queries import Records

SPEECH = unique_speech(6.0, random.Random(23))
SERVICES = ("calls", "power", "sync")
# `make soak` lets it flap for the ten minutes of the requirement, with its two steady minutes.
_FLAPPING_SECONDS = float(os.environ.get("LINEKEEPER_FLAPPING_SECONDS", "12"))
_SOAKING = _FLAPPING_SECONDS >= 600
_RESTORE_AFTER_SECONDS = 120 if _SOAKING else 5
# Losses too short to be confirmed are none; in the short run they would add up to five steady seconds now and then.
_AWAY_SECONDS = [0.003, 0.05, 0.5, 1.5, 2.5] if _SOAKING else [0.5, 1.0, 1.5]
_THERE_SECONDS = [0.003, 0.05, 0.5, 1.0, 1.6]

_MORE = """\
power:
  profile: bench
  socket: {folder}/power-supply.sock
  mains_steady_seconds: 1
  second_tier_after_seconds: 5
  restore_after_seconds: {restore_after_seconds}
  between_loads_seconds: 0.2
  low_battery_hold_seconds: 7
  charge_gate_seconds: 8
  off_command: [sh, {folder}/off.sh]
  loads:
    - {{name: speech, kind: speech, tier: 1}}
    - {{name: cooling, kind: relay, pin: 22, tier: 1}}
    - {{name: sync, kind: sync, tier: 2}}
"""


@dataclass
class Office:
    folder: Path
    setting: Setting
    ups: SimulatedUps
    config: Path
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All services up; what `power` tells is noted with its time."""
        async with AsyncExitStack() as running:
            for name in SERVICES:
                process = ServiceProcess(self.config, self.folder / f"{name}.txt", (name,))
                self.processes[name] = await running.enter_async_context(process)
            # What systemd does at power-off: every service is told to stop.
            pids = " ".join(str(process.pid) for process in self.processes.values())
            (self.folder / "off.sh").write_text(f"touch {self.folder}/off\nkill -TERM {pids}\n")
            watching = asyncio.create_task(self._watch())
            running.push_async_callback(_stop, watching)
            yield

    async def _watch(self) -> None:
        client = ControlClient(self.folder / "run" / "power.sock")
        async with aclosing(client.events()) as events:  # type: ignore[type-var]
            async for event in events:
                self.events.append((asyncio.get_running_loop().time(), event))

    def switched(self, *, shed: bool) -> dict[str, float]:
        told = [(at, event) for at, event in self.events if event["event"] == "load_switched" and event["shed"] is shed]
        assert not [event for _, event in told if event["fault"]]
        assert len({event["load"] for _, event in told}) == len(told), "a load was switched twice"
        return {event["load"]: at for at, event in told}

    def states(self) -> list[str]:
        return [event["state"] for _, event in self.events if event["event"] == "power_changed"]

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)  # other processes tell when they like

    async def until_status(self, good: Callable[[dict[str, Any]], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not good(await self.status()):
                await asyncio.sleep(0.1)

    async def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await self.command("power", "status", "--json"))
        return told

    async def command(self, *words: str) -> str:
        """Beside the bench, which must not stand still."""
        run = [str(COMMAND), "--config", str(self.config), *words]
        process = await asyncio.create_subprocess_exec(*run, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
        assert process.returncode == 0, words
        return told.decode()

    async def settled(self) -> None:
        """Mains is known, and every load is where it should be."""
        await self.until_status(lambda status: status["state"] == "on_mains" and len(status["loads"]) == 3)

    async def to_the_beep(self, line: BenchLine, number: str) -> Call:
        call = await self.setting.call(line, number)
        await call.heard_speech()
        await call.keys("21", 0.1, 1.0)
        assert await call.heard_beep()
        await call.wait(0.5)
        return call

    def messages(self) -> list[dict[str, Any]]:
        with Records(self.folder / "data", ZoneInfo("Asia/Shanghai")) as records:
            return records.messages()

    async def found(self, number: int) -> int:
        target = self.folder / f"{number}.wav"
        await self.command("messages", "export", str(number), str(target))
        parsed = wav.parse(target.read_bytes())
        match = find_speech(SPEECH, parsed.data, parsed.sample_format)
        return match.samples if match else 0


@asynccontextmanager
async def office(lines: int) -> AsyncIterator[Office]:
    async with bench(lines, watched=False) as setting:
        folder = setting.folder
        ports = {line.name: str(line.tty) for line in setting.lines}
        config = folder / "linekeeper.yaml"
        config.write_text(
            configuration(folder, ports, _MORE.format(folder=folder, restore_after_seconds=_RESTORE_AFTER_SECONDS))
        )
        async with SimulatedUps(folder / "power-supply.sock") as ups:
            yield Office(folder, setting, ups, config)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_loads_are_shed_within_a_second_and_a_generator_ends_it_while_a_caller_speaks() -> None:
    async with office(lines=1) as at, at.running():
        await at.settled()
        call = await at.to_the_beep(at.setting.lines[0], "13800138000")
        speaking = asyncio.create_task(call.speak(SPEECH))
        await asyncio.sleep(1.0)
        lost_at = asyncio.get_running_loop().time()
        at.ups.set_mains(on=False)
        await at.until(lambda: at.switched(shed=True).keys() >= {"speech", "cooling"})
        assert max(at.switched(shed=True).values()) - lost_at < 1.0
        assert (await at.status())["tier"] == 1
        await asyncio.sleep(max(0.0, lost_at + 4.0 - asyncio.get_running_loop().time()))
        at.ups.set_mains(on=True)
        await speaking
        await call.wait(0.3)
        await call.key("#")
        await call.wait(1.0)
        await call.key("1")
        await call.ended()
        await at.until(lambda: at.switched(shed=False).keys() >= {"speech", "cooling"})
        assert at.switched(shed=True).keys() == {"speech", "cooling"}
        assert await at.found(1) == len(SPEECH) // 2
        report = await _report_with(at, "cooling is back")
        assert "power failure" in report
        assert "1 offered, 1 answered, 0 cut short" in report


@pytest.mark.timeout(300 + 2 * _FLAPPING_SECONDS)
async def test_flapping_mains_switches_each_load_once_each_way() -> None:
    chance = random.Random(31)
    async with office(lines=1) as at, at.running():
        await at.settled()
        ends_at = asyncio.get_running_loop().time() + _FLAPPING_SECONDS
        on = True
        while asyncio.get_running_loop().time() < ends_at:
            on = not on
            at.ups.set_mains(on=on)
            await asyncio.sleep(chance.choice(_THERE_SECONDS if on else _AWAY_SECONDS))
        at.ups.set_mains(on=True)
        call = await at.to_the_beep(at.setting.lines[0], "13800138000")
        call.hang_up()
        await at.until(lambda: at.switched(shed=False).keys() == at.switched(shed=True).keys(), 200)
        assert {"speech", "cooling"} <= at.switched(shed=True).keys()


async def _report_with(at: Office, words: str) -> str:
    """Incidents are written beside everything else."""
    async with asyncio.timeout(20):
        while True:
            report = await at.command("incidents", "report", "1", "--language", "en")
            if words in report:
                return report


async def test_low_battery_in_three_calls_ends_clean_and_the_next_start_waits_for_charge() -> None:
    async with office(lines=3) as at:
        first, second, third = at.setting.lines
        async with at.running():
            await at.settled()
            speaker = await at.to_the_beep(first, "13800138000")
            speaking = asyncio.create_task(speaker.speak(SPEECH))
            others = [await at.setting.call(second, "13900139000"), await at.setting.call(third, "13700137000")]
            for call in others:
                await call.heard_speech()
            at.ups.set_mains(on=False)
            await at.until(lambda: "on_battery" in at.states())
            at.ups.set_battery_low()
            for call in (speaker, *others):
                await asyncio.wait_for(call.ended(), 30)
                assert call.subscriber_hung_up
            await asyncio.gather(speaking, return_exceptions=True)
            ends = [await asyncio.wait_for(process.ended(), 40) for process in at.processes.values()]
            assert ends == [0, 0, 0]
            assert (at.folder / "off").exists()
        assert not (at.folder / "data" / "linekeeper.db-wal").exists()
        (message,) = at.messages()
        assert message["interrupted"] is True
        assert message["duration_seconds"] > 1.0
        at.ups.set_mains(on=True)
        at.events.clear()
        async with at.running():
            # The battery was empty: loads stay off until it was charged for a while, and calls are answered at once.
            assert (await at.status())["tier"] == 2
            call = await at.to_the_beep(first, "13600136000")
            call.hang_up()
            await at.until(lambda: at.switched(shed=False).keys() == {"speech", "cooling", "sync"})
            outage = json.loads(await at.command("incidents", "list", "--json"))
            (power,) = [incident for incident in outage if incident["kind"] == "power"]
            assert power["ended_at"] is not None
            assert [notice["who"] for notice in power["notices"]] == ["callers on the lines"]


async def test_each_service_keeps_its_promises_while_another_is_dead() -> None:
    async with office(lines=1) as at, at.running():
        await at.settled()
        await at.processes["power"].kill()
        call = await at.to_the_beep(at.setting.lines[0], "13800138000")
        await call.speak(SPEECH)
        await call.key("#")
        await call.wait(1.0)
        call.hang_up()
        await at.until(lambda: bool(at.messages()))
        async with ServiceProcess(at.config, at.folder / "power.txt", ("power",)) as power:
            at.processes["power"] = power
            await at.processes["calls"].kill()
            at.ups.set_mains(on=False)
            await at.until_status(lambda status: status["state"] == "on_battery")
            cooling = [load for load in (await at.status())["loads"] if load["load"] == "cooling"]
            assert cooling[0]["shed"] is True
