from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16, level_dbfs
from firmware.simulation.hearing import BLOCK_SAMPLES, is_beep, sine_hz, voiced
from firmware.simulation.synthesis import DTMF_KEYS, dtmf, tone
from firmware.simulation.voices import babble

BLOCK_SECONDS = BLOCK_SAMPLES / 8000


@given(hertz=st.floats(880, 1120), level=st.floats(-24, -6), form=st.sampled_from(SampleFormat))
def test_a_beep_is_heard_through_every_codec(hertz: float, level: float, form: SampleFormat) -> None:
    beep = tone((hertz,), BLOCK_SECONDS, level)
    through = decode_to_s16(encode_s16(beep, form), form)
    assert is_beep(through)
    assert sine_hz(through) == pytest.approx(hertz, rel=0.02)


@pytest.mark.parametrize("frequencies", [(450,), (425,), (350, 440), (480, 620), (800,), (1200,), (2100,), (700, 1300)])
def test_other_tones_are_no_beep(frequencies: tuple[float, ...]) -> None:
    assert not is_beep(tone(frequencies, BLOCK_SECONDS))


@pytest.mark.parametrize("key", sorted(DTMF_KEYS))
def test_a_key_is_no_beep(key: str) -> None:
    assert not is_beep(dtmf(key, BLOCK_SECONDS))


@given(seed=st.integers(0, 2**32))
def test_talk_is_voiced_and_no_beep(seed: int) -> None:
    talk = babble(2, random.Random(seed))
    blocks = [talk[at : at + 2 * BLOCK_SAMPLES] for at in range(0, len(talk), 2 * BLOCK_SAMPLES)]
    assert not any(map(is_beep, blocks))
    assert sum(map(voiced, blocks)) > len(blocks) // 2


def test_noise_of_eight_bits_is_silence() -> None:
    chance = random.Random(1)
    noise = decode_to_s16(bytes(chance.choice((127, 128, 129)) for _ in range(BLOCK_SAMPLES)), SampleFormat.U8)
    assert not voiced(noise)
    assert not voiced(b"")
    assert not is_beep(b"")
    assert not is_beep(bytes(2 * BLOCK_SAMPLES))


def test_babble_is_as_long_as_asked_and_differs_from_call_to_call() -> None:
    chance = random.Random(3)
    one, other = babble(20, chance), babble(20, chance)
    assert len(one) == len(other) == 2 * 20 * 8000
    assert one != other
    assert level_dbfs(one, SampleFormat.S16) == pytest.approx(-20, abs=1)
