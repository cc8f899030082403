from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.pcm import SILENT_DBFS


def test_pauses_do_not_count(speech: Callable[..., bytes]) -> None:
    alone = speech(2.0, -20.0)
    assert active_level_dbfs(alone) == pytest.approx(-20.0, abs=0.1)
    assert active_level_dbfs(alone + bytes(64000)) == pytest.approx(-20.0, abs=0.1)


def test_faint_noise_in_pauses_does_not_count(speech: Callable[..., bytes]) -> None:
    assert active_level_dbfs(speech(2.0, -20.0) + speech(4.0, -60.0)) == pytest.approx(-20.0, abs=0.1)


@pytest.mark.parametrize("nothing", [b"", bytes(2000)])
def test_silence_has_no_level(nothing: bytes) -> None:
    assert active_level_dbfs(nothing) == SILENT_DBFS
    assert peak_dbfs(nothing) == SILENT_DBFS


def test_the_most_negative_sample_is_full_scale() -> None:
    assert peak_dbfs(b"\x00\x80") == 0.0


@given(st.binary(max_size=2000).filter(lambda data: len(data) % 2 == 0))
def test_the_level_never_exceeds_the_peak(s16: bytes) -> None:
    assert SILENT_DBFS <= active_level_dbfs(s16) <= peak_dbfs(s16) + 1e-9
