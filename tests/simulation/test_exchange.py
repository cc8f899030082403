from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.pcm import SampleFormat, level_dbfs
from firmware.simulation.callers import Caller, ScriptedParty
from firmware.simulation.exchange import Exchange, NoSuchLine
from firmware.simulation.far_end import Answers, FarEnd
from firmware.simulation.fast_time import run_fast
from firmware.simulation.line_card import CardState
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming, garbled
from firmware.simulation.loop import CallerIdBurst

if TYPE_CHECKING:
    from firmware.simulation.call import Call

pytestmark = pytest.mark.fast_time

NUMBER = "13800138000"


@pytest.mark.parametrize(
    ("country", "starts", "ends"),
    [
        ("CN", [0, 5, 10], [1, 6, 11]),
        ("US", [0, 6, 12], [2, 8]),
        ("GB", [0, 0.6, 3, 3.6, 6, 6.6, 9, 9.6, 12], [0.4, 1, 3.4, 4, 6.4, 7, 9.4, 10]),
        ("JP", [0, 3, 6, 9, 12], [1, 4, 7, 10]),
    ],
)
async def test_it_rings_in_the_countrys_cadence(
    new_line: Any, country: str, starts: list[float], ends: list[float]
) -> None:
    line = new_line(country)
    call = await Caller(line.exchange, NUMBER).dial("front")
    await asyncio.sleep(12.1)
    call.hang_up()
    assert line.subscriber.times("ring") == starts
    assert line.subscriber.times("ring_end")[: len(ends)] == ends


async def test_ringing_does_not_drift_over_a_day(line: Any) -> None:
    call = await Caller(line.exchange).dial("8001")
    await asyncio.sleep(86_400 + 0.5)
    assert line.subscriber.times("ring")[-1] == pytest.approx(86_400, abs=1e-5)
    call.hang_up()
    assert line.subscriber.names[-1] == "ring_end"


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (CallerIdTiming.AFTER_FIRST_RING, [1.5]),
        (CallerIdTiming.BEFORE_RING, [0]),
        (CallerIdTiming.DURING_RING, [0.3]),
        (CallerIdTiming.AFTER_SECOND_RING, [6.5]),
        (CallerIdTiming.ABSENT, []),
    ],
)
async def test_caller_id_comes_at_its_time_and_once(line: Any, timing: CallerIdTiming, expected: list[float]) -> None:
    call = await Caller(line.exchange, NUMBER, "王", caller_id=timing).dial("front")
    await asyncio.sleep(30)
    call.hang_up()
    assert line.subscriber.times("caller_id") == expected
    for burst in line.subscriber.bursts:
        assert burst == CallerIdBurst(NUMBER.encode(), "王".encode("gb18030"))
    first_ring = line.subscriber.times("ring")[0]
    assert first_ring == (1 if timing is CallerIdTiming.BEFORE_RING else 0)


async def test_caller_id_comes_after_a_double_ring_not_inside_it(new_line: Any) -> None:
    line = new_line("GB")
    call = await Caller(line.exchange, "O").dial("front")
    await asyncio.sleep(2)
    call.hang_up()
    assert line.subscriber.times("caller_id") == [1.5]


async def test_a_caller_without_a_number_sends_no_message(line: Any) -> None:
    call = await Caller(line.exchange).dial("front")
    await asyncio.sleep(20)
    call.hang_up()
    assert not line.subscriber.bursts


@given(number=st.binary(max_size=30), seed=st.integers())
def test_garbling_keeps_length_and_fields(number: bytes, seed: int) -> None:
    burst = garbled(CallerIdBurst(number=number, date="0101"), random.Random(seed))
    assert burst.number is not None
    assert len(burst.number) == len(number)
    assert burst.name is None
    assert burst.date == "0101"


async def test_answering_stops_the_ring_and_the_message(line: Any) -> None:
    line.subscriber.answer_at = 1
    call = await Caller(line.exchange, NUMBER).dial("front")
    await call.answered()
    await asyncio.sleep(20)
    assert line.subscriber.names == ["ring", "ring_end"]
    assert line.happenings == ["ring", "answered"]
    assert line.card.state is CardState.CONNECTED


async def test_a_caller_who_gives_up_leaves_an_idle_line(line: Any) -> None:
    call = await Caller(line.exchange, NUMBER).dial("front")
    await asyncio.sleep(0.5)
    call.hang_up()
    await asyncio.sleep(30)
    assert line.subscriber.names == ["ring", "ring_end"]
    assert line.happenings == ["ring", "gave_up"]
    assert not line.card.busy


async def test_a_second_call_gets_busy_and_disturbs_nothing(line: Any) -> None:
    first = await Caller(line.exchange, NUMBER).dial("front")
    second = await Caller(line.exchange, "1").dial("front")
    assert second.busy
    second.hang_up()
    assert line.card.state is CardState.RINGING
    line.card.went_off_hook()
    await first.answered()


async def test_a_line_that_does_not_exist_is_named(line: Any) -> None:
    with pytest.raises(NoSuchLine, match="'back'"):
        await Caller(line.exchange).dial("back")


async def connected(line: Any, **options: Any) -> Call:
    line.subscriber.answer_at = 1
    call = await Caller(line.exchange, NUMBER, **options).dial("front")
    await call.answered()
    line.subscriber.signals.clear()
    return call


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (AfterHangUp.BUSY_TONE, [(0.2, "busy"), (40.2, "tone_off")]),
        (AfterHangUp.DIAL_TONE, [(0.4, "dial"), (20.4, "tone_off"), (20.4, "busy"), (60.4, "tone_off")]),
        (AfterHangUp.LOOP_BREAK, [(0.2, "loop_break"), (1.4, "dial"), (21.4, "tone_off")]),
        (AfterHangUp.POLARITY_REVERSAL, [(0.2, "polarity"), (1.2, "busy"), (41.2, "tone_off")]),
        (AfterHangUp.SILENCE, []),
    ],
)
async def test_after_the_far_end_hung_up(line: Any, after: AfterHangUp, expected: list[tuple[float, str]]) -> None:
    call = await connected(line, after_hang_up=after)
    call.hang_up()
    await asyncio.sleep(100)
    assert line.subscriber.signals[: len(expected)] == expected
    assert bool(line.subscriber.signals) == bool(expected)
    assert line.card.busy
    line.card.went_on_hook()
    assert line.card.state is CardState.IDLE


async def test_busy_tone_is_heard_in_its_cadence_and_then_the_howler(line: Any) -> None:
    call = await connected(line)
    call.hang_up()
    await asyncio.sleep(60)
    heard = line.card.loop.toward_subscriber

    def level(start: float, end: float) -> float:
        return level_dbfs(heard.read(round(start * 8000), round(end * 8000)), SampleFormat.S16)

    assert level(0, 0.2) < -100
    for cycle in range(3):
        assert level(0.2 + 0.7 * cycle, 0.55 + 0.7 * cycle) == pytest.approx(-18, abs=0.3)
        assert level(0.55 + 0.7 * cycle, 0.9 + 0.7 * cycle) < -100
    assert level(45, 59) > -25
    line.card.went_on_hook()
    await asyncio.sleep(1)
    assert not heard.sounds(60 * 8000, 61 * 8000)


async def test_hanging_up_stops_every_timer(line: Any) -> None:
    call = await connected(line)
    call.hang_up()
    line.card.went_on_hook()
    await asyncio.sleep(100)
    assert line.subscriber.signals == []
    assert line.happenings == ["ring", "answered", "hung_up", "on_hook"]


async def dial(line: Any, digits: str, gap_seconds: float = 0.2) -> None:
    line.card.went_off_hook()
    await asyncio.sleep(1)
    for digit in digits:
        line.card.digit_dialled(digit)
        await asyncio.sleep(gap_seconds)


async def test_dial_tone_ends_with_the_first_digit(line: Any) -> None:
    await dial(line, "1")
    assert line.subscriber.signals == [(0.2, "dial"), (1.0, "tone_off")]
    line.card.went_on_hook()


async def test_a_dialled_number_rings_and_answers(line: Any) -> None:
    told: list[Call] = []

    async def script(call: Call) -> None:
        told.append(call)
        await call.wait(5)
        call.hang_up()

    line.exchange.register("110", FarEnd(rings=2, party=lambda card: ScriptedParty(card, script)))
    await dial(line, "110")
    await asyncio.sleep(20)
    # Complete with its last digit at 1.4 s, routed 0.6 s later; two cycles of ringback; the far end stays for 5 s.
    assert line.subscriber.signals[2:] == [(2.0, "ringback"), (12.0, "tone_off"), (17.2, "busy")]
    assert "connected" in line.happenings
    assert told[0].over
    line.card.went_on_hook()


@pytest.mark.parametrize(
    ("answers", "tone"), [(Answers.BUSY, "busy"), (Answers.UNKNOWN, "congestion"), (Answers.NO_ANSWER, "ringback")]
)
async def test_numbers_that_nobody_answers(line: Any, answers: Answers, tone: str) -> None:
    line.exchange.register("12345", FarEnd(answers))
    await dial(line, "12345")
    await asyncio.sleep(10)
    assert line.subscriber.names[-1] == tone
    line.card.went_on_hook()
    assert line.subscriber.names[-1] == "tone_off"


async def test_an_unregistered_number_is_dialled_after_a_pause_or_hash(line: Any) -> None:
    await dial(line, "987")
    await asyncio.sleep(2)
    assert "dialled" not in line.happenings
    await asyncio.sleep(1.5)
    assert line.events[-1].detail == "987"
    line.card.went_on_hook()
    await dial(line, "55#")
    assert [event.detail for event in line.events if event.happening.value == "dialled"] == ["987", "55"]
    line.card.went_on_hook()


async def test_a_number_that_goes_on_is_waited_for(line: Any) -> None:
    line.exchange.register("11", FarEnd(Answers.BUSY))
    line.exchange.register("110", FarEnd(Answers.UNKNOWN))
    await dial(line, "110", gap_seconds=1)
    assert line.events[-1].detail == "110"
    line.card.went_on_hook()


async def test_one_line_may_find_other_far_ends_than_another() -> None:
    exchange = Exchange("CN")
    exchange.register_others(FarEnd(Answers.BUSY), "one")
    assert exchange.route("one", "1").answers is Answers.BUSY
    assert exchange.route("other", "1").answers is Answers.ANSWER
    exchange.register("1", FarEnd(Answers.UNKNOWN))
    assert exchange.route("one", "1").answers is Answers.UNKNOWN


async def test_flashes_and_digits_in_a_call_are_told(line: Any) -> None:
    await connected(line)
    line.card.hook_flash()
    line.card.digit_dialled("8")
    assert [(event.happening.value, event.detail) for event in line.events[-2:]] == [("flash", ""), ("digit", "8")]
    assert line.card.state is CardState.CONNECTED


async def test_an_empty_socket_rings_on_and_harms_nobody(line: Any) -> None:
    line.card.loop.subscriber = None
    call = await Caller(line.exchange, NUMBER).dial("front")
    await asyncio.sleep(60)
    call.hang_up()
    assert line.card.rings == 12
    assert not line.card.busy


class Mischief:
    """A line on which anything is done at any time."""

    def __init__(self, after: AfterHangUp) -> None:
        self.exchange = Exchange("CN")
        self.card = self.exchange.add_line("front")
        self.card.set_options(after_hang_up=after)
        self.calls: list[Call] = []

    async def ring(self) -> None:
        self.calls.append(await Caller(self.exchange, NUMBER).dial(self.card))

    async def hang_up(self) -> None:
        if self.calls:
            self.calls.pop(0).hang_up()

    async def lift(self) -> None:
        self.card.went_off_hook()

    async def put_down(self) -> None:
        self.card.went_on_hook()

    async def flash(self) -> None:
        self.card.hook_flash()

    async def digit(self) -> None:
        self.card.digit_dialled("1")

    async def hash_key(self) -> None:
        self.card.digit_dialled("#")

    async def moment(self) -> None:
        await asyncio.sleep(0.7)

    async def while_passes(self) -> None:
        await asyncio.sleep(77)


MOVES = st.lists(
    st.sampled_from(
        [
            Mischief.ring,
            Mischief.hang_up,
            Mischief.lift,
            Mischief.put_down,
            Mischief.flash,
            Mischief.digit,
            Mischief.hash_key,
            Mischief.moment,
            Mischief.while_passes,
        ]
    ),
    min_size=1,
    max_size=25,
)


@given(moves=MOVES, after=st.sampled_from(AfterHangUp))
def test_whatever_happens_a_line_put_down_is_idle_and_silent(
    moves: list[Callable[[Mischief], Awaitable[None]]], after: AfterHangUp
) -> None:
    async def main() -> None:
        mischief = Mischief(after)
        for move in moves:
            await move(mischief)
        for call in mischief.calls:
            call.hang_up()
        mischief.card.went_on_hook()
        assert not mischief.card.busy
        await asyncio.sleep(0.5)
        loop = mischief.card.loop
        now = loop.now_sample()
        await asyncio.sleep(200)
        assert not loop.toward_subscriber.sounds(now, loop.now_sample())

    run_fast(main())
