"""A technician listens in to a live call: bench, modem, service, control socket, command and loudspeaker, all real."""

from __future__ import annotations

import asyncio
import signal as signals
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firmware.audio.sound import LocalSound
from firmware.services.bench_appliance import BenchAppliance, bench_appliance
from firmware.simulation.call import Call
from tests.pulse import Pulse, pulse_server
from tests.sound_judge import likeness, sounding, speech

WORDS = speech()[:16000]


@pytest.fixture(scope="module")
def server() -> Iterator[Pulse]:
    with pulse_server() as pulse:
        yield pulse


@pytest.fixture(autouse=True)
def card(server: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def technician(appliance: BenchAppliance) -> AsyncIterator[asyncio.subprocess.Process]:
    """`linekeeper lines monitor line1`, once it listens."""
    command = [sys.executable, "-m", "firmware.cli", "--config", str(appliance.config), "lines", "monitor", "line1"]
    process = await asyncio.create_subprocess_exec(
        # A suite that was started in the background ignores Ctrl-C, and so would whoever it starts.
        *command,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: signals.signal(signals.SIGINT, signals.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        assert b"You listen to line line1" in await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def recorded() -> AsyncIterator[bytearray]:
    """What the technician's loudspeaker says inside."""
    heard = bytearray()

    async def listen() -> None:
        async for s16 in microphone.blocks():
            heard.extend(s16)

    async with LocalSound() as sound, sound.microphone() as microphone:
        listening = asyncio.create_task(listen())
        yield heard
        listening.cancel()


async def leave_a_message(call: Call) -> None:
    """English, a message, spoken; then the caller hangs up."""
    await call.answered()
    await call.heard_speech()
    await call.wait(1.0)
    await call.key("2")
    await call.wait(0.8)
    await call.key("1")
    await call.heard_beep()
    await call.wait(0.3)
    await call.speak(WORDS)
    call.hang_up()


async def listeners(appliance: BenchAppliance, count: int) -> None:
    """Until so many hear the line; what they print comes a little earlier."""
    async with asyncio.timeout(20):
        while len(appliance.service._monitors._taps["line1"]._mixers) < count:
            await asyncio.sleep(0.05)  # they are other processes


async def test_technician_hears_the_prompts_and_the_caller(tmp_path: Path) -> None:
    async with (
        bench_appliance(tmp_path / "bench") as appliance,
        technician(appliance) as listening,
        recorded() as heard,
    ):
        async with technician(appliance) as another:
            await listeners(appliance, 2)
            another.send_signal(signals.SIGINT)
            assert await asyncio.wait_for(another.wait(), 20) == 130
        call = await appliance.bench.caller("13800138000").dial("line1")
        await leave_a_message(call)
        assert await asyncio.wait_for(listening.wait(), 20) == 0
        assert listening.stdout is not None
        assert b"The call is over." in await listening.stdout.read()
    prompt = sounding(call.heard())[:16000]
    assert likeness(bytes(heard), prompt) > 0.9
    assert likeness(bytes(heard), WORDS) > 0.9
    assert likeness(bytes(heard), bytes(reversed(WORDS))) < 0.5
