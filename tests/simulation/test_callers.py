from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wav
from firmware.errors import ConfigurationError
from firmware.pcm import SampleFormat
from firmware.simulation.call import Call, CallOver, NotConnected, read_speech
from firmware.simulation.caller_scripts import Script, Step, parse_script, random_script
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.fast_time import SimulatedClock, run_fast
from firmware.simulation.loop import CallerIdBurst
from firmware.simulation.synthesis import dtmf, tone
from firmware.simulation.voices import babble

pytestmark = pytest.mark.fast_time


def talk(seconds: float) -> bytes:
    return babble(seconds, random.Random(1))


def now() -> float:
    return asyncio.get_running_loop().time()


async def connect(line: Any, **options: Any) -> Call:
    line.subscriber.answer_at = 1
    call = await Caller(line.exchange, "123").dial("front", **options)
    await call.answered()
    return call


async def test_nobody_answers(line: Any) -> None:
    call = await Caller(line.exchange, "123").dial("front")
    with pytest.raises(NotConnected, match="nobody answered"):
        await call.answered(timeout=12)
    assert now() == 12
    with pytest.raises(CallOver):
        await call.key("1")
    call.hang_up()


async def test_a_busy_line_never_answers(line: Any) -> None:
    await connect(line)
    with pytest.raises(NotConnected, match="busy"):
        await (await Caller(line.exchange).dial("front")).answered()


async def test_the_message_is_dated(line: Any) -> None:
    clock = SimulatedClock(asyncio.get_running_loop(), datetime(2024, 4, 10, 9, 5, tzinfo=UTC))
    call = await Caller(line.exchange, b"\xff1", clock=clock).dial("front")
    await asyncio.sleep(2)
    call.hang_up()
    assert line.subscriber.bursts == [CallerIdBurst(number=b"\xff1", date="0410", time="0905")]


async def test_what_was_heard_is_what_was_said_sample_for_sample(line: Any) -> None:
    line.subscriber.say(talk(1))  # before the answer: nobody hears it
    await asyncio.sleep(3)
    call = await connect(line)
    prompt = talk(2)
    await call.wait(0.5)
    line.subscriber.say(prompt)
    await call.wait(2.5)
    expected = bytes(8000) + prompt + bytes(8000)
    assert call.heard() == expected
    call.hang_up()
    assert call.heard() == expected


async def test_what_the_subscriber_says_after_the_end_is_not_heard(line: Any) -> None:
    call = await connect(line)
    line.subscriber.say(talk(5))
    await call.wait(1)
    line.card.went_on_hook()
    assert call.subscriber_hung_up
    assert call.heard() == talk(5)[:16000]
    await asyncio.sleep(1)
    assert call.heard() == talk(5)[:16000]


async def test_without_keeping_old_audio_is_let_go(line: Any) -> None:
    call = await connect(line, keep_heard=False)
    for _ in range(5):
        line.subscriber.say(talk(20))
        assert not await call.heard_beep(timeout=30)
    assert not line.card.loop.toward_exchange.sounds(0, line.card.loop.now_sample() - 60 * 8000)
    call.hang_up()
    assert call.heard() == b""


async def test_silence_is_heard_when_the_talk_ends(line: Any) -> None:
    call = await connect(line)
    line.subscriber.say(tone((400,), 4.0))
    assert await call.heard_silence(1.0)
    assert now() == pytest.approx(5, abs=0.11)


async def test_silence_that_does_not_come_times_out(line: Any) -> None:
    call = await connect(line)
    line.subscriber.say(tone((400,), 30.0))
    assert not await call.heard_silence(1.0, timeout=7.3)
    assert now() == pytest.approx(7.3)


async def test_speech_is_heard_within_a_moment(line: Any) -> None:
    call = await connect(line)
    asyncio.get_running_loop().call_later(3, line.subscriber.say, talk(2))
    assert await call.heard_speech()
    assert 3 < now() < 3.6
    await call.wait(4)
    assert not await call.heard_speech(timeout=5)


async def test_the_end_of_a_beep_is_heard_after_speech_and_is_no_speech(line: Any) -> None:
    call = await connect(line)
    line.subscriber.say(talk(6) + bytes(8000) + tone((1000,), 0.4))
    assert await call.heard_beep()
    assert 6.9 <= now() < 7.15
    await call.wait(1)
    line.subscriber.say(tone((1000,), 1.0))
    assert not await call.heard_speech(timeout=3)


async def test_a_key_is_a_signal_and_a_sound(line: Any) -> None:
    call = await connect(line)
    line.subscriber.signals.clear()
    await call.wait(1)
    await call.keys("1#", seconds=0.2, pause_seconds=0.3)
    assert line.subscriber.signals == [(1.0, "down 1"), (1.2, "up 1"), (1.5, "down #"), (1.7, "up #")]
    assert line.card.loop.toward_subscriber.read(12000, 13600) == dtmf("#", 0.2)
    assert call.keyed == [(8000, "1"), (12000, "#")]


async def test_a_key_is_released_when_the_call_ends_under_it(line: Any) -> None:
    call = await connect(line)
    asyncio.get_running_loop().call_later(0.1, line.card.went_on_hook)
    with pytest.raises(CallOver, match="subscriber"):
        await call.key("5", seconds=2)
    assert line.subscriber.names[-2:] == ["down 5", "up 5"]
    assert now() == pytest.approx(0.1)


async def test_what_was_said_is_known_with_its_place(line: Any, tmp_path: Path) -> None:
    call = await connect(line)
    speech = talk(1)
    file = tmp_path / "speech.wav"
    file.write_bytes(wav.dump(SampleFormat.S16, speech))
    await call.wait(0.25)
    await call.speak_wav(file)
    assert now() == 1.25
    assert line.card.loop.toward_subscriber.read(2000, 10000) == speech
    (spoken,) = call.spoken
    assert (spoken.at_sample, spoken.s16) == (2000, speech)


async def test_a_hang_up_cuts_the_speech(line: Any) -> None:
    call = await connect(line)
    asyncio.get_running_loop().call_later(0.5, call.hang_up)
    with pytest.raises(CallOver):
        await call.speak(talk(3))
    (spoken,) = call.spoken
    assert spoken.s16 == talk(3)[:8000]
    assert line.card.loop.toward_subscriber.read(4000, 4100) == bytes(200)


async def test_falling_silent_keeps_the_call(line: Any) -> None:
    call = await connect(line)
    asyncio.get_running_loop().call_later(0.5, call.fall_silent)
    await call.speak(talk(2))
    assert call.is_connected
    assert call.spoken[0].s16 == talk(2)[:8000]


async def test_the_end_wakes_everybody(line: Any) -> None:
    call = await connect(line)
    ended = asyncio.create_task(call.ended())
    waits = [asyncio.create_task(call.wait(1000)), asyncio.create_task(call.heard_speech(1000))]
    await asyncio.sleep(2)
    line.card.went_on_hook()
    await ended
    results = await asyncio.gather(*waits, return_exceptions=True)
    assert all(isinstance(result, CallOver) for result in results)
    assert now() == 2


def test_a_wav_of_another_rate_is_refused() -> None:
    content = bytearray(wav.dump(SampleFormat.ALAW, b"\xd5" * 10))
    assert len(read_speech(bytes(content))) == 20
    content[24:28] = (16000).to_bytes(4, "little")
    with pytest.raises(wav.NotAWav, match="16000"):
        read_speech(bytes(content))


SCRIPT = """
- hear_speech: 10
- hear_silence: 0.5
- key: 1
- hear_beep: 30
- speak: 2.5
- keys: "13#"
- wait: 1
- hang_up_within: 5
- hang_up
"""


async def test_a_script_is_acted_out(line: Any) -> None:
    script = parse_script("caller", SCRIPT)
    line.subscriber.answer_at = 1
    call = await Caller(line.exchange).dial("front")
    acting = asyncio.create_task(script.run(call))
    await asyncio.sleep(1)
    line.subscriber.say(talk(2))
    await asyncio.sleep(6)
    line.subscriber.say(tone((950,), 0.4))
    await acting
    assert [key for _, key in call.keyed] == ["1", "1", "3", "#"]
    assert [len(spoken.s16) for spoken in call.spoken] == [40_000]
    assert line.happenings == ["ring", "answered", "hung_up"]


def test_a_script_with_mistakes_names_all_of_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_script("caller", "- key: Z\n- dance: 2\n- wait: -1\n- 7\n- wait: true\n- hang_up\n- speak: .inf\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize("text", ["", "wait: 2", "hello"])
def test_a_script_is_a_list(text: str) -> None:
    with pytest.raises(ConfigurationError, match="list of steps"):
        parse_script("caller", text)


@given(seed=st.integers(0, 2**32))
def test_a_random_caller_always_leaves(seed: int) -> None:
    async def main() -> None:
        exchange = Exchange("CN")
        card = exchange.add_line("front")
        call = await Caller(exchange, "1").dial(card)
        card.went_off_hook()
        chance = random.Random(seed)
        await random_script(chance).run(call, chance)
        assert call.over
        card.went_on_hook()
        assert not card.busy

    run_fast(main())


async def test_a_script_ends_quietly_when_the_subscriber_hangs_up(line: Any) -> None:
    call = await connect(line)
    asyncio.get_running_loop().call_later(1, line.card.went_on_hook)
    await Script((Step("speak", 10.0), Step("key", "1"))).run(call)
    assert call.keyed == []
