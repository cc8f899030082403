from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.events import CallerId, NumberAbsence
from firmware.modem.caller_id import CallerIdReader, is_caller_line
from firmware.modem.options import Timings
from firmware.modem.ringing import Answer, GivenUp, RingWatch, Wait


def read(*lines: bytes) -> CallerId:
    reader = CallerIdReader()
    for line in lines:
        reader.feed(line)
    return reader.caller


@pytest.mark.parametrize(
    "lines",
    [
        (b"DATE = 0410", b"TIME = 1559", b"NMBR = 13800138000", b"NAME = TEST CALLER"),
        (b"DATE=0117", b"TIME=2143", b"NAME=TEST CALLER", b"NMBR=13800138000"),
        (b"NMBR =  138-0013 8000 ", b"name = TEST CALLER "),
    ],
)
def test_spacing_and_order_do_not_matter(lines: tuple[bytes, ...]) -> None:
    assert read(*lines) == CallerId("13800138000", "TEST CALLER")


@pytest.mark.parametrize(
    ("value", "absence"),
    [
        (b"P", NumberAbsence.WITHHELD),
        (b"PRIVATE", NumberAbsence.WITHHELD),
        (b"O", NumberAbsence.UNAVAILABLE),
        (b"OUT OF AREA", NumberAbsence.UNAVAILABLE),
    ],
)
def test_the_reason_for_no_number_is_kept(value: bytes, absence: NumberAbsence) -> None:
    assert read(b"NMBR = " + value, b"NAME = " + value) == CallerId(None, None, absence)


@pytest.mark.parametrize("value", [b"", b"13x8", b"\x81\x30", b"9" * 400, b"++86", b"1\x002", "１２".encode()])
def test_a_garbled_number_is_none(value: bytes) -> None:
    assert read(b"NMBR = " + value) == CallerId()


def test_dtmf_delimiters_are_taken_off() -> None:
    assert read(b"NMBR = A13800138000C").number == "13800138000"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("张三".encode("gb18030"), "张三"),
        (b"ACME", "ACME"),
        ("张　三".encode("gb18030"), "张 三"),
        ("张三　".encode("gb18030"), "张三"),
        ("张三李".encode("gb18030")[:-1], "张三"),
        ("㐀㐁".encode("gb18030")[:-2], "㐀"),
        (b"A" + "张".encode("gb18030") * 40, "A" + "张" * 31),
        ("张".encode("gb18030")[:1], "d5"),
        ("　".encode("gb18030"), "a1a1"),
        (b"\xff\xff\xff", "ffffff"),
        (b"BEL\x07L", "42454c074c"),
        (b"N" * 400, "N" * 64),
    ],
)
def test_names_are_readable_or_hex(raw: bytes, name: str) -> None:
    assert read(b"NAME = " + raw).name == name


def test_a_raw_single_format_packet_is_read() -> None:
    assert read(b"0412303332323234303539313435353132333435").number == "9145512345"


def test_a_raw_multiple_format_packet_is_read() -> None:
    body = bytes((1, 8)) + b"03222405" + bytes((2, 10)) + b"9145512345" + bytes((7, 4)) + b"ACME"
    packet = bytes((0x80, len(body))) + body
    packet += bytes((-sum(packet) & 0xFF,))
    assert read(packet.hex().encode()) == CallerId("9145512345", "ACME")
    damaged = packet[:-1] + bytes((packet[-1] ^ 1,))
    assert not is_caller_line(damaged.hex().encode())


def test_complete_means_number_and_name() -> None:
    reader = CallerIdReader()
    reader.feed(b"NAME=ACME")
    assert not reader.complete
    reader.feed(b"NMBR=10086")
    assert reader.complete


@given(st.lists(st.binary(max_size=300)))
def test_arbitrary_lines_never_raise_and_yield_clean_values(lines: list[bytes]) -> None:
    tagged = [tag + line for line in lines for tag in (b"", b"NMBR=", b"NAME = ", b"MESG=")]
    caller = read(*tagged)
    assert caller.number is None or (len(caller.number) <= 25 and caller.number.lstrip("+").isascii())
    assert caller.name is None or (len(caller.name) <= 128 and caller.name.isprintable())


@given(st.text("0123456789ABCDEF", max_size=60))
def test_arbitrary_hex_never_raises(text: str) -> None:
    CallerIdReader().feed(text.encode())


# --- rings ---


def watch() -> RingWatch:
    return RingWatch(Timings())


def test_early_caller_id_counts_for_six_seconds() -> None:
    for before, known in ((5.0, "10086"), (7.0, None)):
        ringing = watch()
        ringing.caller_line(b"NMBR=10086", 100 - before)
        ringing.ring(100)
        decision = ringing.decide(1, 104)
        assert isinstance(decision, Answer)
        assert decision.caller.number == known


def test_a_number_alone_waits_for_a_name_a_moment() -> None:
    ringing = watch()
    ringing.ring(0)
    ringing.caller_line(b"NMBR=10086", 1.5)
    assert ringing.decide(2, 1.6) == Wait(1.8)
    ringing.caller_line(b"NAME=ACME", 1.7)
    assert ringing.decide(2, 1.7) == Answer(CallerId("10086", "ACME"))


def test_caller_id_under_way_is_not_cut_off_by_the_last_ring() -> None:
    ringing = watch()
    ringing.ring(0)
    ringing.caller_line(b"DATE=0101", 4.9)
    ringing.ring(5)
    decision = ringing.decide(2, 5)
    assert isinstance(decision, Wait)
    assert decision.until_seconds == pytest.approx(5.2)
    assert isinstance(ringing.decide(2, 5.3), Answer)


def test_eight_seconds_without_a_ring_are_a_caller_gone() -> None:
    ringing = watch()
    ringing.ring(0)
    ringing.ring(6)
    assert ringing.decide(4, 13.9) == Wait(14)
    assert ringing.decide(4, 14) == GivenUp()


def test_a_stale_ring_is_forgotten() -> None:
    ringing = watch()
    ringing.ring(0)
    ringing.forget_stale(5)
    assert ringing.ringing
    ringing.forget_stale(8)
    assert not ringing.ringing


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from([b"NMBR=1", b"NAME=x", b"junk", None]))))
def test_waiting_always_ends(happenings: list[tuple[float, bytes | None]]) -> None:
    ringing = watch()
    ringing.ring(0)
    for at, line in sorted(happenings, key=lambda happening: happening[0]):
        if line is None:
            ringing.ring(at)
        else:
            ringing.caller_line(line, at)
        decision = ringing.decide(3, at)
        assert not isinstance(decision, Wait) or at < decision.until_seconds <= at + 8
