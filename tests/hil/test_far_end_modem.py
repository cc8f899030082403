"""The far-end modem hears, keys, speaks and hangs up. Its modem is the bench's, and so is who answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from firmware.simulation.bench import Bench
from firmware.simulation.call import Call
from firmware.simulation.callers import ScriptedParty
from firmware.simulation.far_end import Answers, FarEnd
from firmware.simulation.synthesis import dtmf, tone
from firmware.simulation.voices import babble
from hil.checks import heard_seconds
from hil.far_end_modem import FarEndModem, FarEndOver
from hil.rig import RigAbsent
from hil.rig_file import FarEndEntry

pytestmark = pytest.mark.fast_time

NUMBER = "8001"
ENTRY = FarEndEntry(port="(none)", country="CN", profile="auto")
# The modem's guess of an answer comes 5 s after the ringback; what is to be heard comes later.
UNHEARD_SECONDS = 8.0


@pytest_asyncio.fixture(params=["conexant", "usr"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with Bench(1, request.param, wire="memory") as bench:
        yield bench


@pytest_asyncio.fixture
async def modem(bench: Bench) -> AsyncIterator[FarEndModem]:
    modem = FarEndModem("front", ENTRY, bench.lines[0].opener)
    await modem.open()
    yield modem
    await modem.close()
    assert not bench.lines[0].card.busy


def answers_with(bench: Bench, script: Callable[[Call], Awaitable[None]]) -> list[ScriptedParty]:
    """Whoever answers follows the script; the list gets each of them."""
    parties: list[ScriptedParty] = []

    def party(card: object) -> ScriptedParty:
        parties.append(ScriptedParty(bench.lines[0].card, script))
        return parties[-1]

    bench.exchange.register(NUMBER, FarEnd(party=party))
    return parties


async def wait(call: Call) -> None:
    await call.wait(60)


async def test_speech_beep_and_silence_are_told_apart(bench: Bench, modem: FarEndModem) -> None:
    async def attendant(call: Call) -> None:
        await call.wait(UNHEARD_SECONDS)
        await call.speak(babble(4.0, random.Random(1)))
        await call.wait(2.0)
        await call.speak(tone((1000.0,), 0.5))
        await call.wait(60.0)

    answers_with(bench, attendant)
    call = await modem.call(NUMBER)
    await call.answered()
    assert not await call.heard_beep(timeout=1.0)
    assert await call.heard_speech()
    assert await call.heard_silence(1.0)
    assert await call.heard_beep(timeout=5.0)
    assert not await call.heard_speech(timeout=2.0)


async def test_what_is_spoken_and_keyed_reaches_the_other_side(bench: Bench, modem: FarEndModem) -> None:
    parties = answers_with(bench, wait)
    words = babble(2.0, random.Random(2))
    call = await modem.call(NUMBER)
    await call.answered()
    await call.keys("1#")
    await call.speak(words)
    heard = parties[0].heard()
    for sound in (dtmf("1"), dtmf("#"), words):
        assert heard_seconds(heard, sound) == pytest.approx(len(sound) / 16000)


async def test_end_of_the_call_is_noticed_while_listening(bench: Bench, modem: FarEndModem) -> None:
    async def hangs_up(call: Call) -> None:
        await call.wait(UNHEARD_SECONDS)
        call.hang_up()

    answers_with(bench, hangs_up)
    call = await modem.call(NUMBER)
    await call.answered()
    async with asyncio.timeout(40):
        await call.ended()
    with pytest.raises(FarEndOver):
        await call.keys("1")


async def test_hanging_up_frees_the_line_for_the_next_call(bench: Bench, modem: FarEndModem) -> None:
    parties = answers_with(bench, wait)
    for _ in range(2):
        call = await modem.call(NUMBER)
        await call.answered()
        call.hang_up()
    await call.line_is_free()
    assert [party.subscriber_hung_up for party in parties] == [True, True]


async def test_hanging_up_in_mid_word_ends_the_speaking(bench: Bench, modem: FarEndModem) -> None:
    parties = answers_with(bench, wait)
    call = await modem.call(NUMBER)
    await call.answered()
    speaking = asyncio.create_task(call.speak(babble(8.0, random.Random(3))))
    await asyncio.sleep(2.0)
    call.hang_up()
    with pytest.raises(FarEndOver):
        await speaking
    await call.line_is_free()
    assert parties[0].subscriber_hung_up


async def test_giving_up_while_it_rings_ends_the_call(bench: Bench, modem: FarEndModem) -> None:
    bench.exchange.register(NUMBER, FarEnd(Answers.NO_ANSWER))
    call = await modem.call(NUMBER)
    await asyncio.sleep(10)
    assert bench.lines[0].card.busy
    call.hang_up()
    with pytest.raises(FarEndOver):
        await call.answered()
    await call.line_is_free()


async def test_busy_number_is_no_answer(bench: Bench, modem: FarEndModem) -> None:
    bench.exchange.register(NUMBER, FarEnd(Answers.BUSY))
    call = await modem.call(NUMBER)
    with pytest.raises(FarEndOver, match="busy"):
        await call.answered()


async def test_number_that_rings_too_long_is_no_answer(bench: Bench, modem: FarEndModem) -> None:
    bench.exchange.register(NUMBER, FarEnd(Answers.NO_ANSWER))
    call = await modem.call(NUMBER)
    with pytest.raises(FarEndOver, match="within 15 s"):
        await call.answered(timeout=15)


async def test_absent_modem_is_an_absent_rig(tmp_path: object) -> None:
    modem = FarEndModem("front", FarEndEntry(f"{tmp_path}/none", "CN", "auto"))
    with pytest.raises(RigAbsent, match="far-end modem cannot be used"):
        await modem.open()
    await modem.close()
