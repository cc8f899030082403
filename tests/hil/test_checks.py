"""The rig's own judgement: a check that could not fail would make every night green."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16, from_array, to_array
from firmware.simulation.voices import babble
from hil.bench_rig import Appliance, ApplianceFailed
from hil.checks import heard_seconds

WORDS = babble(2.0, random.Random(1))
SILENCE = bytes(8000)


def over_the_line(s16: bytes) -> bytes:
    return decode_to_s16(encode_s16(s16, SampleFormat.U8), SampleFormat.U8)


def test_whole_words_are_found_behind_silence() -> None:
    assert heard_seconds(SILENCE + over_the_line(WORDS) + SILENCE, WORDS) == 2.0


def test_missing_tail_is_counted() -> None:
    assert heard_seconds(over_the_line(WORDS)[: 2 * 12_000], WORDS) == pytest.approx(1.5)


def test_hole_ends_what_counts() -> None:
    heard = over_the_line(WORDS)
    assert heard_seconds(heard[: 2 * 4000] + heard[2 * 4100 :], WORDS) == pytest.approx(0.5, abs=0.01)


def test_other_words_are_none_of_ours() -> None:
    backwards = from_array(to_array(WORDS)[::-1])
    assert heard_seconds(over_the_line(backwards), WORDS) == 0


async def test_appliance_that_cannot_start_says_why(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path, {"no good name": tmp_path / "line1"})
    with pytest.raises(ApplianceFailed, match=r"ended before it was ready\n.*linekeeper\.yaml:\d+: lines"):
        await appliance.start()
    with pytest.raises(ApplianceFailed, match="linekeeper messages list"):
        await appliance.command("messages", "list")
