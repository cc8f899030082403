"""`kill -9` of the real process while it takes messages on eight lines. `make soak` does it at 200 instants."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from benchmarks.appliance import COMMAND, Appliance
from benchmarks.many_calls.speech import Match, find_speech, unique_speech
from benchmarks.setting import Setting, bench
from firmware import wav
from firmware.errors import ServiceError
from firmware.services.control_client import ControlClient
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import Call, CallOver, Spoken
from firmware.storage.queries import Records
from firmware.units import samples_to_seconds

_INSTANTS = int(os.environ.get("LINEKEEPER_KILLS", "12"))
_LINES = 8
# Somebody who knows the way hears the beep 2 to 3 s after the answer.
_EARLIEST_KILL_SECONDS, _LATEST_KILL_SECONDS = 2.0, 11.0
_MOST_MISSING_SECONDS = 1.0
# Of less than this, all but half a second may be missing, and half a second is no message.
_SHORTEST_JUDGED_SECONDS = 1.5
# The tail of a clean message is cut at silence, and syllables end softly.
_SOFT_TAIL_SECONDS = 0.5
# The caller waits so long after the beep; the appliance records by then.
_AFTER_BEEP_SECONDS = 0.5
_RINGING_APART_SECONDS = 0.15


@dataclass
class Witness:
    """One caller: what was said, and what the control socket told of the call until the kill."""

    line: BenchLine
    call: Call | None = None
    answered_at: float = 0.0
    said: list[tuple[float, Spoken]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def call_id(self) -> str | None:
        return self.events[0]["call_id"] if self.events else None

    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    def in_message(self) -> bool:
        """Whether the kill came while a message was taken."""
        steps = [event["step"] for event in self.events if event["event"] == "step_entered"]
        return bool(steps) and steps[-1] == "message" and "call_ended" not in self.names()

    def hang_up(self) -> None:
        if self.call is not None:
            self.call.hang_up()
            self.said = [
                (self.answered_at + samples_to_seconds(spoken.at_sample), spoken) for spoken in self.call.spoken
            ]


@pytest.mark.timeout(120 + 5 * _INSTANTS)
async def test_after_kill_nine_every_acknowledged_message_is_there_and_unfinished_ones_lack_a_second_at_most(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(9)
    instants = kept = 0
    missing: list[float] = []
    async with bench(_LINES, watched=False) as setting:
        witnesses: list[Witness] = []
        killed_at = 0.0
        while True:
            appliance = await setting.appliance("rings: 1\n").__aenter__()
            messages = _messages(appliance)
            for witness in witnesses:
                kept += _check_acknowledged(setting.folder, witness, messages)
                missing += _check_unfinished(setting.folder, witness, messages, killed_at)
            if instants >= _INSTANTS and kept and missing:
                break
            witnesses = [Witness(line) for line in setting.lines]
            killed_at = await _kill_while_talking(setting, appliance, witnesses, chance)
            instants += sum(witness.in_message() for witness in witnesses)
        _export_by_command(appliance, messages, setting.folder)
        await appliance.kill()
    with capsys.disabled():
        told = f"{kept} acknowledged messages there, {len(missing)} unfinished ones recovered"
        sys.stdout.write(f"\n{instants} instants: {told}, {max(missing, default=0):.2f} s missing at most\n")


async def _kill_while_talking(
    setting: Setting, appliance: Appliance, witnesses: list[Witness], chance: random.Random
) -> float:
    """Call on every line, kill at one instant; returns when, on the loop's clock."""
    watching = asyncio.create_task(_watch(setting.folder / "run" / "calls.sock", witnesses))
    await asyncio.sleep(0.3)
    talking = [
        asyncio.create_task(_talk(setting, witness, random.Random(chance.random()), at * _RINGING_APART_SECONDS))
        for at, witness in enumerate(witnesses)
    ]
    await asyncio.wait(talking, timeout=1.6 + chance.uniform(_EARLIEST_KILL_SECONDS, _LATEST_KILL_SECONDS))
    killed_at = asyncio.get_running_loop().time()
    await appliance.kill()
    for witness in witnesses:
        witness.hang_up()
    await asyncio.gather(*talking)
    await asyncio.wait({watching}, timeout=5.0)
    assert watching.done()
    return killed_at


async def _talk(setting: Setting, witness: Witness, chance: random.Random, delay_seconds: float) -> None:
    await asyncio.sleep(delay_seconds)
    call = witness.call = await setting.call(witness.line, f"1390000{chance.randrange(10000):04d}")
    witness.answered_at = asyncio.get_running_loop().time()
    try:
        await call.heard_speech()
        await call.keys("21", 0.08, 0.3)
        await call.key("1", 0.08)
        while True:
            await call.heard_beep()
            await call.wait(_AFTER_BEEP_SECONDS)
            await call.speak(unique_speech(chance.uniform(1, 7), chance))
            await call.wait(chance.uniform(0.2, 0.6))
            await call.key("#", 0.08)
            await call.wait(chance.uniform(0.2, 1.0))
            if chance.random() < 0.4:
                break
            await call.key("3", 0.08)
        await call.key("1", 0.08)
        await call.ended()
    except CallOver:
        return  # by the kill, or in good form


async def _watch(socket: Path, witnesses: list[Witness]) -> None:
    """What somebody at the control socket saw before the process died: it was told before, so it must be true."""
    by_line = {witness.line.name: witness for witness in witnesses}
    with contextlib.suppress(ServiceError):  # the connection breaks
        async for event in ControlClient(socket).events():
            if "call_id" in event:
                by_line[event["line"]].events.append(event)


def _messages(appliance: Appliance) -> list[dict[str, Any]]:
    command = [str(COMMAND), "--config", str(appliance.config), "messages", "list", "--json"]
    listed: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return listed


def _export_by_command(appliance: Appliance, messages: list[dict[str, Any]], folder: Path) -> None:
    target = folder / "exported.wav"
    command = [str(COMMAND), "--config", str(appliance.config), "messages", "export", messages[-1]["id"], str(target)]
    subprocess.run(command, check=True)
    assert wav.parse(target.read_bytes()).data


def _check_acknowledged(folder: Path, witness: Witness, messages: list[dict[str, Any]]) -> int:
    """Every message that was acknowledged is listed and holds what was said last before it, or something newer."""
    kept = [event for event in witness.events if event["event"] == "message_kept"]
    for message_id, number in {event["message_id"]: event["number"] for event in kept}.items():
        (message,) = [message for message in messages if message["id"] == message_id]
        assert message["number"] == number
        # One thing is said in each take, and each take that is kept is told: an older one must be gone.
        newest = [spoken for _, spoken in witness.said[len(kept) - 1 :]]
        found = [(match, spoken) for spoken in newest if (match := _find(folder, message_id, spoken))]
        assert found, f"message {number} does not hold what was said last"
        for match, spoken in found:
            said = len(spoken.s16) // 2
            assert match.spoken_from == 0
            assert samples_to_seconds(said - match.spoken_to) <= _SOFT_TAIL_SECONDS
    return len({event["message_id"] for event in kept})


def _check_unfinished(folder: Path, witness: Witness, messages: list[dict[str, Any]], killed_at: float) -> list[float]:
    """How many seconds are missing, if a recording was cut off.

    A recording that was going on, or not acknowledged yet, is a message that lacks a second at most.
    """
    recordings = [name for name in witness.names() if name in ("recording_started", "message_kept")]
    if not witness.said or not recordings or recordings[-1] != "recording_started":
        return []
    began_at, spoken = witness.said[-1]
    last_heard = min(killed_at, began_at + samples_to_seconds(len(spoken.s16) // 2))
    if recordings.count("recording_started") > len(witness.said) or last_heard - began_at < _SHORTEST_JUDGED_SECONDS:
        return []  # too little was said to ask for any of it
    acknowledged = {event["message_id"] for event in witness.events if event["event"] == "message_kept"}
    of_call = [m for m in messages if m["call_id"] == witness.call_id]
    left = [message for message in of_call if message["id"] not in acknowledged]
    matches = [match for message in (left or of_call) if (match := _find(folder, message["id"], spoken))]
    assert matches, f"nothing of {last_heard - began_at:.2f} s was recovered: {of_call}, {witness.names()}"
    missing = last_heard - began_at - samples_to_seconds(matches[0].spoken_to)
    assert matches[0].spoken_from == 0
    assert missing <= _MOST_MISSING_SECONDS, f"{missing:.2f} s are missing"
    if left and "recording_stopped" not in witness.names()[-2:]:
        assert all(message["interrupted"] for message in left)
    return [missing]


def _find(folder: Path, message_id: str, spoken: Spoken) -> Match | None:
    target = folder / "one.wav"
    with Records(folder / "data", ZoneInfo("Asia/Shanghai")) as records:
        records.export_message(message_id, target)
    parsed = wav.parse(target.read_bytes())
    return find_speech(spoken.s16, parsed.data, parsed.sample_format)
