"""Modem traffic as people read it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.services.wire_text import WireReader


def read(*passed: tuple[bool, bytes]) -> list[str]:
    reader = WireReader()
    return [
        ("< " if from_modem else "> ") + text
        for direction, data in passed
        for from_modem, text in reader.feed(from_modem=direction, data=data)
    ]


def test_commands_and_results_are_lines() -> None:
    told = read((False, b"AT+VLS=1\r"), (True, b"\r\nO"), (True, b"K\r\n"))
    assert told == ["> AT+VLS=1", "< OK"]


def test_audio_is_left_out_and_events_are_named() -> None:
    told = read(
        (False, b"AT+VTX\r"),
        (True, b"\r\nCONNECT\r\n"),
        (False, b"\x80AT\r\x10\x10\x7f" * 50),
        (True, b"\x10/\x105"),
        (False, b"\0\x10\x18\x10\x03"),
        (True, b"\r\nOK\r\n"),
        (False, b"AT+VRX\r"),
        (True, b"\r\nCONNECT\r\n\x80\x80\rOK\r\x10b"),
        (False, b"\x10!"),
        (True, b"\x80\x10\x03\r\nOK\r\n"),
    )
    assert told == [
        "> AT+VTX", "< CONNECT", "< <DLE>/", "< <DLE>5", "> <DLE>CAN", "> <DLE>ETX", "< OK",
        "> AT+VRX", "< CONNECT", "< <DLE>b", "> <DLE>!", "< <DLE>ETX", "< OK",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=200))))
def test_anything_may_pass(passed: list[tuple[bool, bytes]]) -> None:
    assert all(len(text) < 120 for text in read(*passed))
