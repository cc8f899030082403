"""Sound on its way to the ears: every sample once, whole, and in few pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.modem.received_sound import PROMPT_PIECE_SECONDS, ReceivedSound, WholeSamples
from firmware.pcm import SampleFormat, decode_to_s16


@given(st.lists(st.binary(max_size=900)), st.sampled_from(SampleFormat))
def test_every_sample_arrives_once_and_in_order_however_the_line_cuts_it(
    chunks: list[bytes], sample_format: SampleFormat
) -> None:
    pieces: list[bytes] = []
    samples, sound = WholeSamples(sample_format), ReceivedSound(sample_format, pieces.append, PROMPT_PIECE_SECONDS)
    for chunk in chunks:
        whole = samples.feed(chunk)
        assert len(whole) % sample_format.sample_bytes == 0
        sound.audio(whole)
    sound.pass_on()
    sent = b"".join(chunks)
    whole_bytes = len(sent) - len(sent) % sample_format.sample_bytes
    assert b"".join(pieces) == decode_to_s16(sent[:whole_bytes], sample_format)
    assert all(len(piece) % 2 == 0 for piece in pieces)


def test_a_second_of_short_reads_comes_in_a_few_dozen_pieces() -> None:
    pieces: list[bytes] = []
    sound = ReceivedSound(SampleFormat.U8, pieces.append, PROMPT_PIECE_SECONDS)
    for _ in range(250):
        sound.audio(bytes(32))
    assert len(pieces) <= 25
    assert max(len(piece) for piece in pieces) <= 2 * 800
