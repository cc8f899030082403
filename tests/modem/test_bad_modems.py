"""A whole line against far ends that are hardly modems: it ends in an error or in an open line, always in time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from firmware.errors import CallerGone, LinekeeperError, ModemError, PortLost, UnsupportedModem
from firmware.modem.line import ModemLine
from firmware.ports import RecordLimits
from firmware.simulation.fast_time import run_fast
from firmware.simulation.modem.faults import ModemFaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.ports import ByteWire, Clip, WireReceiver
    from tests.modem.conftest import BenchMaker, ScriptedOpener, ScriptedWire, Sink

    WireMaker = Callable[..., ScriptedWire]
    OpenerMaker = Callable[[ScriptedWire], ScriptedOpener]

pytestmark = pytest.mark.fast_time

CODECS = b'\r\n1,"UNSIGNED PCM",8,0,8000,0,0\r\n'


def decent(command: bytes) -> bytes:
    """A modem that can do what is needed."""
    if command.endswith(b"AT+FCLASS=?"):
        return b"\r\n0,1,8\r\n\r\nOK\r\n"
    if command.endswith(b"AT+VSM=?"):
        return CODECS + b"\r\nOK\r\n"
    return b"\r\nOK\r\n" if b"AT" in command else b""


@pytest.mark.parametrize("temper", ["whole", "one byte", "delayed"])
async def test_a_decent_modem_opens_over_any_wire(make_wire: WireMaker, make_opener: OpenerMaker, temper: str) -> None:
    line = ModemLine("front", make_opener(make_wire(decent, temper)))
    await line.open()
    assert line.identity.profile == "generic"
    await line.close()


async def test_a_lossy_wire_ends_in_time(make_wire: WireMaker, make_opener: OpenerMaker) -> None:
    wire = make_wire(decent, "lossy")
    line = ModemLine("front", make_opener(wire))
    async with asyncio.timeout(600):
        with pytest.raises(LinekeeperError):
            await line.open()
    assert wire.closed


class _Talker:
    """Answers every write with bytes of its own choosing, some of them late."""

    def __init__(self, seed: int, words: list[bytes]) -> None:
        self._chance = random.Random(seed)
        self._words = words
        self._receiver: WireReceiver | None = None
        self._open = True

    def start(self, receiver: WireReceiver) -> None:
        self._receiver = receiver

    def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(min(data.count(b"\r") + data.count(b"\x10"), 4)):
            word = self._chance.choice([*self._words, decent(data.strip())])
            loop.call_later(self._chance.choice([0, 0.002, 0.3, 3.5]), self._say, word)

    def _say(self, word: bytes) -> None:
        if self._open and self._receiver is not None:
            self._receiver.bytes_received(word)

    def lose(self) -> None:
        if self._open and self._receiver is not None:
            self._receiver.wire_lost(PortLost("gone"))

    def gather_input(self, gathering: bool) -> None:
        """All comes as it comes."""

    def discard_output(self) -> None:
        return

    async def close(self) -> None:
        self._open = False


class _TalkerOpener:
    place = "/dev/talker"

    def __init__(self, talker: _Talker) -> None:
        self._talker = talker

    async def __call__(self) -> ByteWire:
        await asyncio.sleep(0)
        return self._talker


WORDS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"\r\nOK\r\n",
            b"\r\nERROR\r\n",
            b"\r\nCONNECT\r\n",
            b"\r\nRING\r\n",
            b"\r\nOK\r\n\r\nOK\r\n",
            b"\x10\x03\r\nOK\r\n",
            b"\r\nNMBR = 10086\r\n\r\nNAME = A\r\n",
            CODECS + b"\r\nOK\r\n",
            b"\x10b\x10b\x10/\x105\x10~",
            b"\x10R",
        ]
    ),
)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(WORDS, max_size=6), st.none() | st.floats(0, 60))
def test_nothing_a_modem_says_leaves_anyone_hanging(seed: int, words: list[bytes], lost_after: float | None) -> None:
    async def live() -> None:
        talker = _Talker(seed, [*words, b"\r\nOK\r\n"])
        line = ModemLine("front", _TalkerOpener(talker))
        if lost_after is not None:
            asyncio.get_running_loop().call_later(lost_after, talker.lose)
        try:
            async with asyncio.timeout(2000):
                await _use(line)
        except (LinekeeperError, _Idle):
            pass
        await line.close()
        assert len(asyncio.all_tasks()) == 1

    run_fast(live())


class _Idle(Exception):
    """It never rang."""


async def _use(line: ModemLine) -> None:
    await line.open()
    try:
        async with asyncio.timeout(60):
            await line.wait_for_ring()
    except TimeoutError:
        raise _Idle from None
    if await line.read_caller(2) is None:
        return
    async with line.answer() as voice:
        await voice.take_key(2)
        await voice.beep()
        await voice.record(_Nowhere(), RecordLimits(5, 2, -38))


class _Nowhere:
    def write(self, data: bytes) -> None:
        assert data


async def test_a_cancelled_call_stays_cancelled_when_the_modem_is_lost(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()

    async def talk() -> None:
        async with bench.line.answer() as voice:
            await voice.take_key(60)

    talking = asyncio.create_task(talk())
    await asyncio.sleep(1)
    bench.modem.hang()
    talking.cancel()
    await asyncio.sleep(0.5)
    # A second one does not hurry it.
    talking.cancel()
    await asyncio.wait([talking])
    assert talking.cancelled()


async def test_a_second_call_follows_a_lost_one(make_bench: BenchMaker, sink: Sink) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    asyncio.get_running_loop().call_later(2, bench.modem.unplug)
    with pytest.raises(PortLost):
        async with bench.line.answer() as voice:
            await voice.record(sink, RecordLimits(30, 20, -38))
    call.hang_up()
    with pytest.raises((ModemError, PortLost)):
        await bench.line.wait_for_ring()
    bench.modem.plug_in()
    await asyncio.sleep(60)
    await bench.line.open()
    again = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        again.hang_up()
        with pytest.raises(CallerGone):
            await voice.take_key(30)


@pytest.mark.parametrize("late_seconds", [1.3, 2.7, 4.0, 7.0])
async def test_a_slow_modem_is_called_slow_and_nothing_else(make_bench: BenchMaker, late_seconds: float) -> None:
    bench = make_bench("conexant", ModemFaults(late_result_seconds=late_seconds))
    with pytest.raises(UnsupportedModem, match="takes more than 1 s to answer"):
        await bench.line.open()


async def test_a_modem_that_is_not_slow_is_not_called_so(make_wire: WireMaker, make_opener: OpenerMaker) -> None:
    def old(command: bytes) -> bytes:
        answers = {b"AT+FCLASS=?": b"\r\n0,1,2\r\n", b"AT#CLS=?": b"\r\n0,1,8\r\n"}
        return answers.get(command, b"") + b"\r\nOK\r\n"

    wire = make_wire(old)
    with pytest.raises(UnsupportedModem, match="old #V voice commands"):
        await ModemLine("front", make_opener(wire)).open()


async def test_trouble_on_the_wire_is_journalled_once_at_the_end_of_its_call(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    with capture_logs() as logs:
        await bench.ring_and_see()
        async with bench.line.answer() as voice:
            voice.state.dle_code(0x80)
            voice.state.dle_code(ord("o"))
            voice.state.dle_code(ord("o"))
        again = await bench.ring_and_see()
        async with bench.line.answer() as voice:
            await voice.take_key(1)
        again.hang_up()
    (told,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (told["unknown_codes"], told["overruns"], told["line"]) == (1, 2, "front")
    assert "underruns" not in told


@pytest.mark.parametrize("family", ["conexant", "usr"])
@pytest.mark.parametrize("doing", ["play", "record", "take_key"])
async def test_a_modem_that_hangs_in_a_call_is_noticed_within_ten_seconds(
    make_bench: BenchMaker, sink: Sink, long_prompt: Clip, family: str, doing: str
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    await bench.ring_and_see()
    loop = asyncio.get_running_loop()
    hung: list[float] = []

    def hang() -> None:
        bench.modem.hang()
        bench.wire.modem_reads = False
        hung.append(loop.time())

    loop.call_later(1.0, hang)
    with pytest.raises((ModemError, PortLost)):
        await _talk_on(bench.line, doing, sink, long_prompt)
    assert loop.time() - hung[0] <= 10.0


async def _talk_on(line: ModemLine, doing: str, sink: Sink, prompt: Clip) -> None:
    async with line.answer() as voice:
        if doing == "play":
            await voice.play([prompt] * 6)
        elif doing == "record":
            await voice.record(sink, RecordLimits(60, 30, -38))
        while await voice.take_key(3) is None:
            await voice.play([prompt])
