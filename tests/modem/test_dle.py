from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from firmware.modem.dle import (
    CAN,
    ETX,
    ComplexEvent,
    DleCode,
    DleDecoder,
    DleItem,
    Plain,
    abort_playing,
    action,
    shield,
)


def decode(*chunks: bytes) -> list[DleItem]:
    decoder = DleDecoder()
    return [item for chunk in chunks for item in decoder.feed(chunk)]


def plain(items: list[DleItem]) -> bytes:
    return b"".join(item.data for item in items if isinstance(item, Plain))


def codes(items: list[DleItem]) -> bytes:
    return bytes(item.code for item in items if isinstance(item, DleCode))


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(st.binary(), st.lists(st.integers(0, 10_000)))
def test_what_is_shielded_comes_back_however_it_is_cut(audio: bytes, cuts: list[int]) -> None:
    items = decode(*chunked(shield(audio), cuts))
    assert plain(items) == audio
    assert not codes(items)


@given(st.lists(st.one_of(st.binary(), st.sampled_from(b"0123456789*#bdhlqsu/~"))), st.lists(st.integers(0, 10_000)))
def test_codes_between_audio_are_seen_once_and_in_place(parts: list[bytes | int], cuts: list[int]) -> None:
    stream = b"".join(shield(part) if isinstance(part, bytes) else bytes((0x10, part)) for part in parts)
    items = decode(*chunked(stream, cuts))
    assert plain(items) == b"".join(part for part in parts if isinstance(part, bytes))
    assert codes(items) == bytes(part for part in parts if isinstance(part, int))


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_arbitrary_bytes_never_raise_and_nothing_grows(chunks: list[bytes]) -> None:
    decoder = DleDecoder()
    for chunk in chunks:
        decoder.feed(chunk)
        assert len(decoder._complex or b"") <= 1024 + len(chunk)
        assert not decoder._plain
        assert not decoder._items


def test_event_split_across_reads_is_seen_once() -> None:
    assert decode(b"ab\x10", b"5cd") == [Plain(b"ab"), DleCode(ord("5")), Plain(b"cd")]


def test_sub_stands_for_two_samples() -> None:
    assert decode(b"a\x10\x1ab") == [Plain(b"a\x10\x10b")]


def test_a_complex_event_is_collected() -> None:
    event = b"CIDM\r\nDATE=0101\r\n"
    assert decode(b"\x10X" + event[:7], event[7:] + b"\x10.", b"x") == [ComplexEvent(event), Plain(b"x")]


def test_a_complex_event_without_an_end_gives_its_bytes_back() -> None:
    audio = bytes(range(0x20, 0x7F)) * 20
    assert plain(decode(b"\x10X", audio)) == audio


def test_the_end_of_audio_is_seen_inside_an_unfinished_complex_event() -> None:
    assert decode(b"\x10Xab\x10\x03") == [Plain(b"ab"), DleCode(ETX)]


def test_a_full_stop_alone_is_an_ordinary_code() -> None:
    assert decode(b"\x10.") == [DleCode(ord("."))]


def test_the_triple_form_is_one_sample_and_the_code() -> None:
    assert decode(action(ETX, triple=True)) == [Plain(b"\x10"), DleCode(ETX)]


def test_an_abort_works_behind_half_a_pair() -> None:
    # A flush may have cut a doubled DLE in two; the abort has to be read right even then.
    for triple in (False, True):
        assert codes(decode(b"\x10", abort_playing(triple=triple)))[-2:] == bytes((CAN, ETX))
        assert codes(decode(b"", abort_playing(triple=triple))) == bytes((CAN, ETX))
