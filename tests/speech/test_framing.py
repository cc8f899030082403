"""Frames come out as they went in, however the pipe chops them; garbage is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import SpeechError
from firmware.speech.framing import LONGEST_PAYLOAD_BYTES, FrameReader, frame
from firmware.speech.messages import (
    Began,
    Dictate,
    Drop,
    Ended,
    Failed,
    Finish,
    Heard,
    Listen,
    Message,
    Prepare,
    Prepared,
    Progress,
    Sound,
    from_payload,
    to_payload,
)

numbers = st.integers(0, 2**63)
words = st.lists(st.text(), max_size=4).map(tuple)
seconds = st.floats(0, 100)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Prepare, st.text(), st.text(), st.none() | st.text(), words),
    st.builds(Prepared, st.text(), words, st.none() | st.text()),
    st.builds(Listen, numbers, st.text(), words, seconds, seconds),
    st.builds(Dictate, numbers, st.text()),
    st.builds(Sound, numbers, st.binary(max_size=400).map(lambda data: data * 2)),
    st.builds(Finish, numbers),
    st.builds(Drop, numbers),
    st.builds(Progress, numbers, numbers),
    st.builds(Began, numbers, numbers),
    st.builds(Ended, numbers, numbers, numbers),
    st.builds(Heard, numbers, st.text(), st.floats(0, 1)),
    st.builds(Failed, numbers, st.text()),
)


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(1, 50))
def test_payloads_come_out_as_they_went_in(payloads: list[bytes], piece_bytes: int) -> None:
    sent = b"".join(map(frame, payloads))
    reader = FrameReader()
    read = []
    for at in range(0, len(sent), piece_bytes):
        read += reader.read(sent[at : at + piece_bytes])
    assert read == payloads


@given(messages)
def test_messages_come_out_as_they_went_in(message: Message) -> None:
    (payload,) = FrameReader().read(frame(to_payload(message)))
    assert from_payload(payload) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_told(data: bytes) -> None:
    try:
        payloads = FrameReader().read(data)
    except SpeechError:
        return
    assert sum(map(len, payloads)) <= len(data)


@given(st.binary(max_size=60) | st.text().map(lambda text: b"J" + text.encode()))
def test_any_payload_is_a_message_or_told(payload: bytes) -> None:
    try:
        message = from_payload(payload)
    except SpeechError:
        return
    assert from_payload(to_payload(message)) == message


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"S",
        b"Sshort",
        b"S12345678odd",
        b"J",
        b"Jnull",
        b"J[]",
        b'J{"kind":"Nothing"}',
        b'J{"kind":"Finish"}',
        b'J{"kind":"Finish","utterance":"1"}',
        b'J{"kind":"Finish","utterance":true}',
        b'J{"kind":"Finish","utterance":1,"more":1}',
        b'J{"kind":"Sound","utterance":1,"s16":""}',
        b'J{"kind":"Prepared","language":"en","missing_words":[1],"problem":null}',
        b"J" + b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_told(payload: bytes) -> None:
    with pytest.raises(SpeechError, match="carries no message"):
        from_payload(payload)


def test_a_length_beyond_reason_is_told_before_it_is_waited_for() -> None:
    with pytest.raises(SpeechError, match="something else than frames"):
        FrameReader().read((LONGEST_PAYLOAD_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ValueError, match="too long"):
        frame(bytes(LONGEST_PAYLOAD_BYTES + 1))
