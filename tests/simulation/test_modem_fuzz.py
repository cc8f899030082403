"""Nothing that a host may send, or a line may do, breaks the modem or fills the memory."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.simulation.fast_time import run_fast
from firmware.simulation.loop import CallerIdBurst, ToneKind
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.profile import profile_names
from firmware.simulation.terminal import Desk

COMMANDS = [
    "ATE0", "ATZ", "AT+FCLASS=8", "AT+VLS=1", "AT+VLS=0", "AT+VTX", "AT+VRX", "AT+VTR", "ATH", "ATA", "ATD123", "A/",
    "AT+VTS=1,[900,,9],{2,9}", "AT+VSM=1,8000,0,0", "AT+VCID=1", "AT+VDR=1,0", "AT+VIT=1", "ATV0", "ATS0=1", "ATS5=65",
    "AT+VSD=0,1",
]  # fmt: skip
ACTIONS = [b"\x10\x03", b"\x10!", b"\x10\x1b", b"\x10\x18", b"\x10^", b"\x10p", b"\x10r", b"\x10\x10", b"\x10\x1a"]
WRITES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(COMMANDS).map(lambda line: line.encode() + b"\r"),
    st.sampled_from(ACTIONS),
    st.just(b"\x85" * 3000),
)
HAPPENINGS = st.sampled_from(
    ["ring_began", "ring_ended", "caller_id", "key_down", "key_up", "busy", "quiet", "loop_break", "polarity_reversed"]
)
STEPS = st.lists(st.tuples(st.one_of(WRITES, HAPPENINGS), st.sampled_from([0.0, 0.003, 0.2, 2.0])), max_size=25)


def happen(desk: Desk, what: str) -> None:
    match what:
        case "caller_id":
            desk.modem.caller_id(CallerIdBurst(number=b"1\x10\x00\xff", name=b"", date="0101", time="0000"))
        case "key_down" | "key_up":
            getattr(desk.modem, what)("5")
        case "busy":
            desk.modem.tone_on(ToneKind.BUSY)
        case "quiet":
            desk.modem.tone_off()
        case _:
            getattr(desk.modem, what)()


async def survive(profile: str, faults: ModemFaults, steps: list[tuple[bytes | str, float]]) -> None:
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    async with Desk(profile, faults) as desk:
        for step, pause_seconds in steps:
            if isinstance(step, bytes):
                desk.terminal.write(step)
            else:
                happen(desk, step)
            await asyncio.sleep(pause_seconds)
        await asyncio.sleep(30)
        assert desk.modem.buffered_samples <= 4096
        desk.line.unplug()
        desk.line.replug()
        desk.modem.faults = ModemFaults()
        desk.modem.tone_off()
        await desk.open()
        assert await desk.type("AT") == ["OK"]
    assert not trouble


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(profile_names()),
    st.builds(
        ModemFaults,
        buffer_bytes=st.sampled_from([None, 1, 64, 1024]),
        split_events_seconds=st.sampled_from([0.0, 0.001]),
        hold_output_seconds=st.sampled_from([0.0, 0.05]),
        record_end_crosses_abort=st.booleans(),
        ends_recording_itself=st.booleans(),
        late_result_seconds=st.sampled_from([0.0, 0.5]),
        doubled_results=st.booleans(),
        needs_triple_dle=st.booleans(),
        brown_out_after_bytes=st.one_of(st.none(), st.integers(1, 400)),
        xon_xoff=st.booleans(),
    ),
    STEPS,
)
def test_a_modem_survives_any_host_and_any_line(
    profile: str, faults: ModemFaults, steps: list[tuple[bytes | str, float]]
) -> None:
    run_fast(survive(profile, faults, steps))
