"""Whole calls over simulated modems of every family, well-behaved and not."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from firmware.events import RecordingEnd
from firmware.ports import Clip, RecordLimits
from firmware.simulation.call import CallOver
from firmware.simulation.modem.faults import OPTIONAL_COMMANDS, ModemFaults
from firmware.simulation.voices import babble

if TYPE_CHECKING:
    from firmware.simulation.call import Call
    from tests.modem.conftest import Bench, BenchMaker, Sink

pytestmark = pytest.mark.fast_time

FAMILIES = ("conexant", "usr", "multitech", "agere", "silabs", "generic")
MISDEEDS = {
    "tiny buffer": ModemFaults(buffer_bytes=1024),
    "result before the end of the audio": ModemFaults(play_result_at_once=True),
    "single-code keys": ModemFaults(single_code_dtmf=True),
    "split events": ModemFaults(split_events_seconds=0.01),
    "held output": ModemFaults(hold_output_seconds=0.05),
    "one-byte reads": ModemFaults(hold_output_seconds=0.005, burst_bytes=1),
    "record end crosses abort": ModemFaults(record_end_crosses_abort=True),
    "abort drops audio": ModemFaults(abort_drops_audio=True),
    "slow caller id": ModemFaults(caller_id_line_seconds=0.25),
    "name first": ModemFaults(caller_id_name_first=True),
    "ring into command": ModemFaults(ring_into_command=True),
    "late results": ModemFaults(late_result_seconds=0.5),
    "doubled results": ModemFaults(doubled_results=True),
    "optional commands refused": ModemFaults(commands_refused=OPTIONAL_COMMANDS),
    "garbage after plug in": ModemFaults(garbage_after_plug_in=bytes(range(256))),
    "numeric results at start": ModemFaults(numeric_results=True),
    "echo always": ModemFaults(echo_always=True),
    "triple DLE": ModemFaults(needs_triple_dle=True),
    "software flow control": ModemFaults(xon_xoff=True),
}


async def converse(bench: Bench, call: Call, speech: bytes) -> None:
    """The far end's part: a key into the prompt, a key on request, speech, the end key."""
    await call.answered()
    await call.heard_speech(10)
    await call.wait(0.5)
    await call.key("5")
    await call.wait(3)
    await call.key("7")
    await call.wait(3)
    await call.speak(speech)
    with suppress(CallOver):
        # The line may hang up before the finger is lifted.
        await call.key("#")


async def take_a_message(bench: Bench, sink: Sink, prompt: Clip, limits: RecordLimits) -> None:
    await bench.line.open()
    speech = babble(4, random.Random(1))
    call = await bench.ring()
    await bench.line.wait_for_ring()
    caller = await bench.line.read_caller(2)
    assert caller is not None
    if not bench.faults.refuses("+VCID=1"):
        assert (caller.number, caller.name) == ("13800138000", "ZHANG SAN")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(converse(bench, call, speech))
        async with bench.line.answer() as voice:
            assert await voice.play([prompt]) is False
            assert await voice.take_key(1) == "5"
            assert await voice.take_key(8) == "7"
            await voice.beep()
            take = await voice.record(sink, limits)
            sample_format = voice.sample_format
            # The far end is through; nothing waits for its hang-up here.
            assert voice.waiting_keys == ""
    assert take.end is RecordingEnd.KEY
    assert take.voiced
    assert take.total_samples == len(sink.data) // sample_format.sample_bytes
    assert 0 < take.kept_samples < take.total_samples
    assert bench.idle
    assert bench.modem.underruns == 0
    call.hang_up()


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_message_is_taken(
    make_bench: BenchMaker, sink: Sink, long_prompt: Clip, limits: RecordLimits, family: str
) -> None:
    await take_a_message(make_bench(family), sink, long_prompt, limits)


@pytest.mark.parametrize("misdeed", MISDEEDS)
@pytest.mark.parametrize("family", ["conexant", "usr"])
async def test_a_message_is_taken_from_a_modem_with(
    make_bench: BenchMaker, sink: Sink, long_prompt: Clip, limits: RecordLimits, family: str, misdeed: str
) -> None:
    await take_a_message(make_bench(family, MISDEEDS[misdeed]), sink, long_prompt, limits)
