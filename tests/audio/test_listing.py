from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.audio.files import RECORDED, UPLOADED
from firmware.audio.listing import Heard, heard_prompts
from firmware.audio.own_prompts import keep_version, roll_back


def by_file(heard: list[Heard]) -> dict[tuple[str, str], Heard]:
    return {prompt.file: prompt for prompt in heard}


def test_every_prompt_is_there_with_its_length_and_level(folder: Path) -> None:
    heard = by_file(heard_prompts(folder, None, pytest.fail))
    assert list(heard) == [("zh", "goodbye"), ("zh", "digit_1"), ("en", "goodbye"), ("en", "digit_1")]
    goodbye = heard["en", "goodbye"]
    assert (goodbye.own, goodbye.source, goodbye.version, goodbye.seconds) == (False, RECORDED, 1, 1.0)
    assert goodbye.level_dbfs == pytest.approx(-20, abs=0.2)


def test_an_own_version_stands_in_place_of_ours_until_it_is_withdrawn(
    folder: Path, speech: Callable[..., bytes]
) -> None:
    own = folder / "own"
    for seconds in (1.5, 2.5):
        keep_version(own, ("en", "goodbye"), speech(seconds), UPLOADED, "a.mp3", "0")
    mine = by_file(heard_prompts(folder, own, pytest.fail))["en", "goodbye"]
    assert (mine.own, mine.source, mine.version, mine.seconds) == (True, UPLOADED, 2, 2.5)
    roll_back(own, ("en", "goodbye"), to=0)
    assert not by_file(heard_prompts(folder, own, pytest.fail))["en", "goodbye"].own


def test_what_is_missing_is_listed_as_missing_and_told(folder: Path) -> None:
    (folder / "zh" / "goodbye.wav").unlink()
    told: list[str] = []
    heard = by_file(heard_prompts(folder, None, told.append))
    assert heard["zh", "goodbye"] == Heard(("zh", "goodbye"), False, "missing", 0, None, None)
    (problem,) = told
    assert "zh/goodbye.wav cannot be used" in problem
