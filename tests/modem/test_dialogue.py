"""The AT dialogue against far ends that answer late, twice, wrongly, in pieces or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.errors import CommandRefused, CommandTimeout, ModemError, PortError, PortLost
from firmware.modem.dialogue import CONNECT_ONLY, OK_OR_VCON, Dialogue
from firmware.modem.result_codes import ResultKind
from firmware.simulation.fast_time import run_fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.ports import WireReceiver
    from tests.modem.conftest import ScriptedWire

    WireMaker = Callable[..., ScriptedWire]

pytestmark = pytest.mark.fast_time


@dataclass
class Heard:
    """Keeps what the modem says of itself."""

    rings: int = 0
    lines: list[bytes] = field(default_factory=list)
    codes: bytearray = field(default_factory=bytearray)
    samples: bytearray = field(default_factory=bytearray)
    ends: int = 0
    lost: PortError | None = None

    def ring(self) -> None:
        self.rings += 1

    def caller_line(self, line: bytes) -> None:
        self.lines.append(line)

    def dle_code(self, code: int) -> None:
        self.codes.append(code)

    def audio(self, data: bytes) -> None:
        self.samples += data

    def audio_ended(self) -> None:
        self.ends += 1

    def wire_lost(self, error: PortError) -> None:
        self.lost = error


def ok(_: bytes) -> bytes:
    return b"\r\nOK\r\n"


@pytest.mark.parametrize("temper", ["whole", "one byte", "delayed"])
async def test_information_comes_with_the_result(make_wire: WireMaker, temper: str) -> None:
    wire = make_wire(lambda _: b"AT+VSM=?\r\r\none\r\n\r\ntwo\r\n\r\nOK\r\n", temper)
    reply = await Dialogue(wire, Heard()).command("AT+VSM=?")
    assert reply.information == ("one", "two")


@pytest.mark.parametrize("temper", ["whole", "one byte", "delayed"])
async def test_what_the_modem_says_of_itself_answers_no_command(make_wire: WireMaker, temper: str) -> None:
    heard = Heard()
    noise = b"\r\nRING\r\n\x10R\r\nNMBR = 10086\r\n\x10XCIDM\r\nNAME=ACME\r\n\x10.\r\nDRON=20\r\n\x10\x07"
    wire = make_wire(lambda _: noise + b"\r\n8\r\n" + noise + b"\r\nOK\r\n", temper)
    reply = await Dialogue(wire, heard).command("AT+FCLASS?")
    assert reply.information == ("8",)
    assert heard.rings == 2
    assert heard.lines == [b"NMBR = 10086", b"NAME=ACME"] * 2
    assert heard.codes == b"R\x07R\x07"


async def test_a_refusal_is_raised(make_wire: WireMaker) -> None:
    wire = make_wire(lambda _: b"\r\nERROR\r\n")
    with pytest.raises(CommandRefused, match="ERROR"):
        await Dialogue(wire, Heard()).command("AT+FCLASS=8")
    assert await Dialogue(make_wire(lambda _: b"\r\nERROR\r\n"), Heard()).optional("AT+GCI=26") is None


async def test_silence_is_a_timeout(make_wire: WireMaker) -> None:
    with pytest.raises(CommandTimeout):
        await Dialogue(make_wire(lambda _: None), Heard()).command("AT", 1)


async def test_a_late_result_does_not_answer_the_next_command(make_wire: WireMaker) -> None:
    wire = make_wire(lambda command: None if command == b"AT+SLOW" else ok(command))
    dialogue = Dialogue(wire, Heard())
    with pytest.raises(CommandTimeout):
        await dialogue.command("AT+SLOW", 1)
    asyncio.get_running_loop().call_later(0.1, wire.say, b"\r\nlate\r\n\r\nERROR\r\n")
    reply = await dialogue.command("AT+VLS=1")
    assert reply.information == ()
    assert bytes(wire.sent).endswith(b"AT+VLS=1\r")


async def test_a_cancelled_command_leaves_no_result_behind(make_wire: WireMaker) -> None:
    wire = make_wire(lambda command: b"\r\nstale\r\n\r\nOK\r\n" if command == b"AT+ONE" else ok(command), "delayed")
    dialogue = Dialogue(wire, Heard())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await dialogue.command("AT+ONE")
    assert (await dialogue.command("AT+TWO")).information == ()


async def test_a_doubled_result_does_not_pass_for_connect(make_wire: WireMaker) -> None:
    answers = {b"AT+VLS=1": b"\r\nOK\r\n", b"AT+VTX": b"\r\nOK\r\n\r\nCONNECT\r\n"}
    dialogue = Dialogue(make_wire(answers.get), Heard())
    await dialogue.command("AT+VLS=1")
    assert (await dialogue.command("AT+VTX", accepted=CONNECT_ONLY)).result is ResultKind.CONNECT


async def test_bytes_that_crossed_the_end_of_a_stream_spoil_nothing(make_wire: WireMaker) -> None:
    wire = make_wire(lambda command: ok(command) if command.startswith(b"AT") else b"\r\nERROR\r\n")
    dialogue = Dialogue(wire, Heard())
    dialogue.send(b"\x10!")
    dialogue.stream_closed()
    assert (await dialogue.command("AT+VLS=0")).result is ResultKind.OK
    assert bytes(wire.sent).count(b"AT+VLS=0") == 2


async def test_a_lost_wire_is_told_to_whoever_waits_and_to_whoever_comes(make_wire: WireMaker) -> None:
    wire = make_wire(lambda _: None)
    heard = Heard()
    dialogue = Dialogue(wire, heard)
    asyncio.get_running_loop().call_later(0.5, wire.lose, PortLost("gone"))
    with pytest.raises(PortLost):
        await dialogue.command("AT", 5)
    with pytest.raises(PortLost):
        await dialogue.command("AT", 5)
    assert heard.lost is not None


ANSWERS = st.sampled_from(
    [
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\nCONNECT\r\n",
        b"\r\nVCON\r\n",
        b"\r\nRING\r\n",
        b"\r\nNMBR = 123\r\n",
        b"\r\nNO CARRIER\r\n",
        b"\r\nCONNECT\r\nabc\x10\x10\x10\x03\r\nOK\r\n",
        b"0\r",
        b"4\r",
        b"\x10/\x105\x10~",
        b"\x10",
        b"\x10X",
        b"\xff\x00garbage\r",
        b"",
    ]
)


@settings(max_examples=60)
@given(st.lists(st.lists(st.tuples(ANSWERS, st.sampled_from([0.0, 0.001, 0.5, 4.0])), max_size=3), max_size=12))
def test_any_answers_at_any_time_end_in_a_result_or_an_error(plan: list[list[tuple[bytes, float]]]) -> None:
    """Wrong order, late, doubled, missing, rings in the middle: every command ends within its deadlines."""

    async def talk() -> None:
        wire = _PlannedWire(plan)
        dialogue = Dialogue(wire, Heard())
        for number, accepted in enumerate([OK_OR_VCON, CONNECT_ONLY] * 3):
            started = asyncio.get_running_loop().time()
            dialogue.expect_audio(number == 3)
            try:
                reply = await dialogue.command("AT+TEST", 2, accepted)
                assert reply.result in accepted
            except ModemError:
                pass
            dialogue.leave_audio()
            assert asyncio.get_running_loop().time() - started < 15
            await asyncio.sleep(0.1)

    run_fast(talk())


class _PlannedWire:
    """Says what the plan says, one entry per command, whatever the command."""

    def __init__(self, plan: list[list[tuple[bytes, float]]]) -> None:
        self._plan = iter(plan)
        self._receiver: WireReceiver | None = None

    def start(self, receiver: WireReceiver) -> None:
        self._receiver = receiver

    def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        assert self._receiver is not None
        for _ in range(data.count(b"\r")):
            for answer, delay in next(self._plan, []):
                loop.call_later(delay, self._receiver.bytes_received, answer)

    def gather_input(self, gathering: bool) -> None:
        """All comes as it comes."""

    def discard_output(self) -> None:
        return

    async def close(self) -> None:
        return


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_arbitrary_bytes_never_raise(chunks: list[bytes]) -> None:
    async def listen() -> None:
        dialogue = Dialogue(_PlannedWire([]), Heard())
        dialogue.expect_audio(True)
        for chunk in chunks:
            dialogue.bytes_received(chunk)

    run_fast(listen())
