from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.modem.decoder import Audio, AudioEnd, Item, ModemDecoder
from firmware.modem.dle import DleCode, shield
from firmware.modem.result_codes import Line, LineSplitter, ResultKind, classify


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def merged(items: list[Item]) -> list[Item]:
    """Neighbouring audio as one item, so that chunking does not show."""
    result: list[Item] = []
    for item in items:
        if isinstance(item, Audio) and result and isinstance(result[-1], Audio):
            result[-1] = Audio(result[-1].data + item.data)
        else:
            result.append(item)
    return result


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
def test_audio_begins_right_behind_connect_and_ends_at_etx(size: int) -> None:
    stream = b"\r\nCONNECT\r\n\x10/\x105" + shield(b"\n\r\nOK\r\n\x10\x11") + b"\x10~abc\x10\x03\r\nOK\r\n"
    decoder = ModemDecoder()
    decoder.expect_audio(True)
    items = [item for piece in pieces(stream, size) for item in decoder.feed(piece)]
    assert merged(items) == [
        Line(b"CONNECT"),
        DleCode(ord("/")),
        DleCode(ord("5")),
        Audio(b"\n\r\nOK\r\n\x10\x11"),
        DleCode(ord("~")),
        Audio(b"abc"),
        AudioEnd(),
        Line(b"OK"),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("audio", [b"abc", b"", b"\r\nCON", b"\r"])
def test_a_connect_said_twice_is_no_audio(size: int, audio: bytes) -> None:
    for connects in (b"\r\nCONNECT\r\n", b"\r\nCONNECT\r\n\r\nCONNECT\r\n"):
        decoder = ModemDecoder()
        decoder.expect_audio(True)
        stream = connects + audio + b"\x10\x03\r\nOK\r\n"
        items = [item for piece in pieces(stream, size) for item in decoder.feed(piece)]
        heard = [Audio(audio)] if audio else []
        assert merged(items) == [Line(b"CONNECT"), *heard, AudioEnd(), Line(b"OK")]


def test_connect_without_audio_expected_is_a_plain_result() -> None:
    decoder = ModemDecoder()
    items = decoder.feed(b"\r\nCONNECT\r\n\x10\x03\r\nOK\r\n")
    assert items == [Line(b"CONNECT"), DleCode(3), Line(b"OK")]


def test_a_numeric_connect_swallows_no_sample() -> None:
    decoder = ModemDecoder()
    decoder.expect_audio(True)
    assert decoder.feed(b"1\r\n\n") == [Line(b"1", bare=True), Audio(b"\n\n")]


def test_leaving_audio_returns_to_lines() -> None:
    decoder = ModemDecoder()
    decoder.expect_audio(True)
    decoder.feed(b"\r\nCONNECT\r\nabc")
    decoder.leave_audio()
    assert decoder.feed(b"\r\nOK\r\n") == [Line(b"OK")]


@given(st.lists(st.binary(max_size=600), max_size=30), st.booleans())
def test_arbitrary_bytes_never_raise_and_nothing_grows(chunks: list[bytes], audio: bool) -> None:
    decoder = ModemDecoder()
    decoder.expect_audio(audio)
    for chunk in chunks:
        for item in decoder.feed(chunk):
            if isinstance(item, Line):
                assert 0 < len(item.text) <= 512
                classify(item)
        assert len(decoder._lines._text) <= 512


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"OK", ResultKind.OK),
        (b" ok ", ResultKind.OK),
        (b"CONNECT", ResultKind.CONNECT),
        (b"CONNECT 115200", ResultKind.CONNECT),
        (b"RING", ResultKind.RING),
        (b"RING 1", ResultKind.RING),
        (b"RINGING", ResultKind.RINGING),
        (b"NO DIALTONE", ResultKind.NO_DIALTONE),
        (b"NO DIAL TONE", ResultKind.NO_DIALTONE),
        (b"LINE-IN-USE", ResultKind.LINE_IN_USE),
        (b"LINE IN USE", ResultKind.LINE_IN_USE),
        (b"+CME ERROR: 3", ResultKind.ERROR),
        (b"DRON=20", ResultKind.CADENCE),
        (b"DROF = 40", ResultKind.CADENCE),
        (b"DELAYED 00:12", ResultKind.DELAYED),
        (b"CX93001-EIS_V0.2013-V92", ResultKind.INFORMATION),
        (b"8", ResultKind.INFORMATION),
        (b"\xff\xfe", ResultKind.INFORMATION),
    ],
)
def test_lines_are_named(text: bytes, kind: ResultKind) -> None:
    assert classify(Line(text)) is kind


def test_numeric_results_count_only_without_a_line_feed_before_them() -> None:
    lines, _ = LineSplitter().feed(b"AT\r0\r4\r\r\n0\r\n\r\nOK\r\n")
    assert [classify(line) for line in lines] == [
        ResultKind.INFORMATION,
        ResultKind.OK,
        ResultKind.ERROR,
        ResultKind.INFORMATION,
        ResultKind.OK,
    ]


def test_an_echo_and_doubled_carriage_returns_are_split() -> None:
    lines, rest = LineSplitter().feed(b"ATV1\r\r\nOK\r\nATI")
    assert [line.text for line in lines] == [b"ATV1", b"OK"]
    assert rest == b""


def test_an_enormous_line_is_cut() -> None:
    lines, _ = LineSplitter().feed(b"9" * 100_000 + b"\r\nOK\r\n")
    assert [len(line.text) for line in lines] == [512, 2]
