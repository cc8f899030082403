from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.audio.files import RECORDED
from firmware.audio.own_prompts import keep_version
from firmware.audio.shelf import Shelf
from firmware.pcm import SampleFormat, encode_s16, level_dbfs
from firmware.ports import PromptShelf
from firmware.wav import dump, header, parse

BOTH = ("zh", "en")


@pytest.fixture
def told() -> list[str]:
    return []


def test_a_clip_has_the_samples_words_and_language_of_its_file(folder: Path, told: list[str]) -> None:
    shelf: PromptShelf = Shelf(folder, BOTH, told.append)
    clip = shelf.clip("goodbye", "zh")
    assert (clip.prompt, clip.language, clip.text) == ("goodbye", "zh", "感谢您的来电，再见。")
    assert clip.s16 == parse((folder / "zh" / "goodbye.wav").read_bytes()).data
    assert told == []


def test_samples_are_held_once(folder: Path, told: list[str]) -> None:
    shelf = Shelf(folder, BOTH, told.append)
    assert shelf.clip("goodbye", "en") is shelf.clip("goodbye", "en")
    assert shelf.clip("nothing", "en") is shelf.clip("nothing", "en")


def test_only_configured_languages_take_memory(folder: Path, told: list[str]) -> None:
    assert Shelf(folder, ["en"], told.append).available() == {"en": {"goodbye", "digit_1"}}


def test_a_file_missing_in_one_language_is_heard_in_the_other(folder: Path, told: list[str]) -> None:
    (folder / "zh" / "goodbye.wav").unlink()
    shelf = Shelf(folder, BOTH, told.append)
    clips = [shelf.clip("goodbye", "zh") for _ in range(3)]
    assert {clip.language for clip in clips} == {"en"}
    assert clips[0].text == "Thank you for calling. Goodbye."
    assert len(told) == 1
    assert "zh/goodbye.wav" in told[0]


def test_a_prompt_without_any_file_is_a_chime(folder: Path, told: list[str]) -> None:
    shelf = Shelf(folder, BOTH, told.append)
    clip = shelf.clip("fanfare", "en")
    assert 0.1 < len(clip.s16) / 16000 < 1.0
    assert -30 < level_dbfs(clip.s16, SampleFormat.S16) < -15
    shelf.clip("fanfare", "en")
    assert told == ['the prompt "fanfare" has no sound; callers hear a chime']


def test_an_unknown_language_falls_back(folder: Path, told: list[str]) -> None:
    assert Shelf(folder, BOTH, told.append).clip("goodbye", "fr").language == "zh"
    assert len(told) == 1


def test_an_empty_place_gives_chimes_and_no_error(tmp_path: Path, told: list[str]) -> None:
    shelf = Shelf(tmp_path / "nowhere", BOTH, told.append)
    assert shelf.clip("goodbye", "zh").s16
    assert len(shelf.digits("12", "en")) == 2
    assert shelf.available() == {"zh": frozenset(), "en": frozenset()}


def test_a_lost_language_folder_is_told_once(folder: Path, told: list[str]) -> None:
    shutil.rmtree(folder / "en")
    shelf = Shelf(folder, BOTH, told.append)
    assert shelf.clip("goodbye", "en").language == "zh"
    assert len(told) == 1


def test_a_broken_catalogue_costs_the_words_only(folder: Path, told: list[str]) -> None:
    (folder / "catalogue.yaml").write_text("prompts: [")
    clip = Shelf(folder, BOTH, told.append).clip("goodbye", "en")
    assert clip.text == "goodbye"
    assert len(clip.s16) == 16000
    assert len(told) == 1


def test_digits_are_said_one_by_one(folder: Path, told: list[str]) -> None:
    shelf = Shelf(folder, BOTH, told.append)
    prompts = [clip.prompt for clip in shelf.digits("+1 (1)*#0", "en")]
    assert prompts == ["digit_plus", "digit_1", "digit_1", "digit_star", "digit_hash", "digit_0"]


@pytest.mark.parametrize("sample_format", [SampleFormat.ULAW, SampleFormat.ALAW, SampleFormat.U8])
def test_an_office_may_bring_other_sample_formats(
    folder: Path, told: list[str], speech: Callable[..., bytes], sample_format: SampleFormat
) -> None:
    own = dump(sample_format, encode_s16(speech(), sample_format))
    (folder / "en" / "goodbye.wav").write_bytes(own)
    clip = Shelf(folder, BOTH, told.append).clip("goodbye", "en")
    assert level_dbfs(clip.s16, SampleFormat.S16) == pytest.approx(level_dbfs(speech(), SampleFormat.S16), abs=0.5)
    assert told == []


def broken_files() -> list[bytes]:
    good = dump(SampleFormat.S16, b"\x10\x20" * 100)
    wrong_rate = bytearray(good)
    wrong_rate[24:28] = (44100).to_bytes(4, "little")
    return [
        b"",
        b"RIFF",
        good[:40],
        good[:44],
        bytes(wrong_rate),
        dump(SampleFormat.S16, bytes(2000)),
        bytes(5_000_001),
    ]


@pytest.mark.parametrize("content", broken_files())
def test_a_broken_file_is_heard_in_the_other_language_and_told_once(
    folder: Path, told: list[str], content: bytes
) -> None:
    (folder / "zh" / "goodbye.wav").write_bytes(content)
    shelf = Shelf(folder, BOTH, told.append)
    assert shelf.clip("goodbye", "zh").language == "en"
    shelf.clip("goodbye", "zh")
    assert len(told) == 1


def test_a_folder_in_place_of_a_file_is_told(folder: Path, told: list[str]) -> None:
    (folder / "zh" / "goodbye.wav").unlink()
    (folder / "zh" / "goodbye.wav").mkdir()
    assert Shelf(folder, BOTH, told.append).clip("goodbye", "zh").language == "en"
    assert len(told) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=99).map(lambda junk: header(SampleFormat.S16, 64) + junk))
@example(header(SampleFormat.S16, 4) + b"\x01\x02\x03")
@example(header(SampleFormat.S16, 2**32 - 44) + b"\x01\x02")
def test_no_file_content_breaks_the_shelf(folder: Path, content: bytes) -> None:
    (folder / "zh" / "goodbye.wav").write_bytes(content)
    told: list[str] = []
    clip = Shelf(folder, BOTH, told.append).clip("goodbye", "zh")
    assert clip.s16
    assert len(clip.s16) % 2 == 0
    assert (clip.language == "zh") == (told == [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(at=st.integers(0, 43), value=st.integers(0, 255), cut=st.integers(0, 200))
def test_no_damaged_header_breaks_the_shelf(folder: Path, at: int, value: int, cut: int) -> None:
    damaged = bytearray(dump(SampleFormat.S16, b"\x10\x20" * 200))
    damaged[at] = value
    (folder / "zh" / "goodbye.wav").write_bytes(bytes(damaged[: len(damaged) - cut]))
    told: list[str] = []
    clip = Shelf(folder, BOTH, told.append).clip("goodbye", "zh")
    assert clip.s16
    assert (clip.language == "zh") == (told == [])


def keep(own: Path, s16: bytes, file: tuple[str, str] = ("en", "goodbye")) -> int:
    return keep_version(own, file, s16, RECORDED, "microphone", "0123")


def test_the_offices_own_voice_goes_before_the_shipped_one(folder: Path, told: list[str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    keep(own, b"\1\2" * 400)
    shelf = Shelf(folder, BOTH, told.append, own)
    clip = shelf.clip("goodbye", "en")
    assert (clip.s16, clip.language) == (b"\1\2" * 400, "en")
    assert clip.text == "Thank you for calling. Goodbye."
    assert shelf.clip("goodbye", "zh").s16 == Shelf(folder, BOTH, told.append).clip("goodbye", "zh").s16
    assert told == []


def test_a_broken_own_prompt_falls_back_step_by_step_and_each_is_told_once(
    folder: Path, told: list[str], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    for number in (1, 2, 3):
        keep(own, bytes([number, 1]) * 400)
    (own / "en" / "goodbye" / "3.wav").write_bytes(b"RIFF")
    shelf = Shelf(folder, BOTH, told.append, own)
    assert shelf.clip("goodbye", "en").s16 == b"\2\1" * 400
    assert len(told) == 1
    assert "version 3 of en/goodbye" in told[0]
    for number in (1, 2):
        (own / "en" / "goodbye" / f"{number}.yaml").unlink()
    shelf = Shelf(folder, BOTH, told.append, own)
    shipped = parse((folder / "en" / "goodbye.wav").read_bytes()).data
    assert [shelf.clip("goodbye", "en").s16 for _ in range(2)] == [shipped, shipped]
    assert len(told) == 2


def test_an_own_prompt_serves_where_the_shipped_file_is_lost(folder: Path, told: list[str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    keep(own, b"\1\2" * 400)
    shutil.rmtree(folder / "en")
    shelf = Shelf(folder, BOTH, told.append, own)
    assert shelf.clip("goodbye", "en").language == "en"
    assert shelf.available()["en"] == {"goodbye"}


def test_languages_that_are_not_configured_are_left_alone(folder: Path, told: list[str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    keep(own, b"\1\2" * 400)
    assert Shelf(folder, ["zh"], told.append, own).available().keys() == {"zh"}
    assert told == []


def test_an_own_folder_that_cannot_be_read_is_told_once(
    folder: Path, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    keep(own, b"\1\2" * 400)
    real = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if own in path.parents:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    shelf = Shelf(folder, BOTH, told.append, own)
    assert [shelf.clip("goodbye", "en").language for _ in range(2)] == ["en", "en"]
    (problem,) = told
    assert "cannot be read" in problem


def test_calls_never_load_numpy() -> None:
    code = "import sys, firmware.audio.shelf, firmware.audio.check; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
