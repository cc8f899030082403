from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.audio import mandarin_trap
from firmware.audio.catalogue import load_catalogue
from firmware.audio.check import check
from firmware.audio.files import UPLOADED, dump_files, load_files, sound_checksum
from firmware.audio.own_prompts import keep_version, roll_back
from firmware.pcm import SampleFormat, encode_s16
from firmware.wav import dump, parse

Speech = Callable[..., bytes]


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in check(folder)]


def replace_sound(folder: Path, s16: bytes) -> list[str]:
    """With its checksum, as when somebody meant it."""
    path = folder / "en" / "goodbye.wav"
    before = parse(path.read_bytes()).data
    path.write_bytes(dump(SampleFormat.S16, s16))
    edit(folder / "files.yaml", sound_checksum(before), sound_checksum(s16))
    return told(folder)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_complete_folder_passes(folder: Path) -> None:
    assert told(folder) == []


def test_a_missing_file_is_told_at_its_text(folder: Path) -> None:
    (folder / "zh" / "goodbye.wav").unlink()
    (problem,) = check(folder)
    assert problem.line == 6
    assert "goodbye (zh): the sound file is missing" in problem.text


def test_an_extra_file_is_told(folder: Path) -> None:
    (folder / "zh" / "old.wav").write_bytes(b"")
    assert [problem for problem in told(folder) if "old.wav" in problem and "remove it" in problem]


def test_a_changed_text_is_told(folder: Path) -> None:
    edit(folder / "catalogue.yaml", "Goodbye.", "See you soon.")
    (problem,) = told(folder)
    assert "goodbye (en): the text changed" in problem


def test_a_file_of_unknown_origin_is_told(folder: Path) -> None:
    text = (folder / "files.yaml").read_text().splitlines(keepends=True)
    (folder / "files.yaml").write_text("".join(line for line in text if "goodbye" not in line))
    assert len(told(folder)) == 2


def test_a_record_without_prompt_is_told(folder: Path) -> None:
    edit(folder / "files.yaml", "  goodbye:", "  farewell: {source: recorded, voice: me, text: x}\n  goodbye:")
    assert any("zh/farewell" in problem for problem in told(folder))


@pytest.mark.parametrize("content", [b"", b"RIFFxxxxWAVE", b"junk" * 50])
def test_an_unreadable_file_is_told(folder: Path, content: bytes) -> None:
    (folder / "en" / "goodbye.wav").write_bytes(content)
    (problem,) = told(folder)
    assert "en/goodbye.wav: cannot be read" in problem


def test_another_format_is_told(folder: Path, speech: Speech) -> None:
    ulaw = dump(SampleFormat.ULAW, encode_s16(speech(), SampleFormat.ULAW))
    (folder / "en" / "goodbye.wav").write_bytes(ulaw)
    (problem,) = told(folder)
    assert "16-bit samples at 8000 Hz" in problem


def test_a_prompt_that_goes_on_too_long_is_told(folder: Path, speech: Speech) -> None:
    (problem,) = replace_sound(folder, speech(12.1))
    assert "lasts 12.1 s" in problem


@pytest.mark.parametrize(("level_dbfs", "word"), [(-25.0, "quiet"), (-15.0, "loud")])
def test_an_uneven_level_is_told(folder: Path, speech: Speech, level_dbfs: float, word: str) -> None:
    (problem,) = replace_sound(folder, speech(1.0, level_dbfs))
    assert f"too {word}: {level_dbfs:.1f} dBFS" in problem


def test_clipping_is_told(folder: Path, speech: Speech) -> None:
    clipped = speech()[:4000] + b"\xff\x7f" + speech()[4002:]
    (problem,) = replace_sound(folder, clipped)
    assert "clipped" in problem


def test_high_peaks_are_told(folder: Path, speech: Speech) -> None:
    (problem,) = replace_sound(folder, speech()[:4000] + b"\xff\x4f" + speech()[4002:])
    assert "peaks are too high: -4.1 dBFS" in problem


def test_clicks_at_both_ends_are_told(folder: Path, speech: Speech) -> None:
    begins, ends = replace_sound(folder, b"\x00\x08" + speech() + b"\x00\x08")
    assert "begins with a click" in begins
    assert "ends with a click" in ends


def test_wording_is_judged_too(folder: Path) -> None:
    edit(folder / "catalogue.yaml", "Thank you for calling.", "Sorry, you must go.")
    assert any("rather than apologise" in problem for problem in told(folder))


def test_all_is_told_at_once(folder: Path, speech: Speech) -> None:
    (folder / "zh" / "goodbye.wav").unlink()
    (folder / "zh" / "more.wav").write_bytes(b"")
    assert len(replace_sound(folder, speech(13.0, -30.0))) == 4


@pytest.mark.parametrize("name", ["catalogue.yaml", "files.yaml"])
@pytest.mark.parametrize("content", ["[", "zh: {goodbye: {}}", "\x00"])
def test_an_unreadable_list_is_told(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    problems = check(folder)
    assert problems
    assert all(problem.source.endswith(name) for problem in problems)


def test_a_place_without_prompts_is_told(tmp_path: Path) -> None:
    assert any("cannot be read" in problem for problem in told(tmp_path))


def test_another_sound_than_the_one_described_is_told(folder: Path, speech: Speech) -> None:
    sound = speech(frequency_hz=900.0)
    (folder / "en" / "goodbye.wav").write_bytes(dump(SampleFormat.S16, sound))
    (problem,) = told(folder)
    assert (
        f"is not the one that files.yaml describes; where that is meant, write sound: '{sound_checksum(sound)}'"
        in problem
    )


def test_a_sound_without_checksum_is_told(folder: Path) -> None:
    sound = parse((folder / "en" / "goodbye.wav").read_bytes()).data
    edit(folder / "files.yaml", f"sound: '{sound_checksum(sound)}', ", "")
    (problem,) = told(folder)
    assert "no checksum of its sound" in problem


def test_a_sound_of_the_voice_that_spells_mandarin_in_english_is_told(folder: Path) -> None:
    records = load_files(folder)
    records["zh", "goodbye"] = replace(records["zh", "goodbye"], voice="espeak-ng 1.51 cmn")
    (folder / "files.yaml").write_text(dump_files(records))
    (problem,) = told(folder)
    assert "zh/goodbye.wav: espeak-ng 1.51 cmn spells Mandarin in English; for Mandarin use cmn-latn-pinyin" in problem


def test_a_catalogue_voice_that_spells_mandarin_in_english_is_told_at_its_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(mandarin_trap, "phonemes", lambda voice, texts: "ni2X hAu2 (en)ga55nTr'i:")
    (problem,) = check(folder)
    assert problem.line == 2
    assert "reads by another language's rules" in problem.text


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_the_voice_of_this_espeak_is_judged_by_what_it_says(folder: Path) -> None:
    assert told(folder) == []
    edit(folder / "catalogue.yaml", "cmn-latn-pinyin", "nobody")
    assert any("espeak-ng failed" in problem for problem in told(folder))


def keep(folder: Path, s16: bytes, *, text: str | None = None, file: tuple[str, str] = ("en", "goodbye")) -> Path:
    of_text = text or load_catalogue(folder).text_checksum("goodbye", "en")
    keep_version(folder / "own", file, s16, UPLOADED, "goodbye.mp3", of_text)
    return folder / "own"


def test_good_own_prompts_pass(folder: Path, speech: Speech) -> None:
    assert check(folder, keep(folder, speech())) == []
    assert check(folder, folder / "nowhere") == []


def test_own_prompts_are_judged_like_ours(folder: Path, speech: Speech) -> None:
    own = keep(folder, speech(13.0, -30.0), text="old")
    problems = check(folder, own)
    assert {problem.source for problem in problems} == {str(own / "en" / "goodbye" / "1.wav")}
    texts = "\n".join(problem.text for problem in problems)
    assert "the text changed" in texts
    assert "lasts 13.0 s" in texts
    assert "too quiet" in texts


def test_a_broken_own_version_is_told_and_those_withdrawn_are_at_rest(folder: Path, speech: Speech) -> None:
    keep(folder, speech())
    own = keep(folder, speech(2.0))
    (own / "en" / "goodbye" / "1.wav").write_bytes(b"RIFF")
    (problem,) = check(folder, own)
    assert "version 1 of en/goodbye cannot be used" in problem.text
    keep(folder, speech(1.5, -30.0))
    (own / "en" / "goodbye" / "1.yaml").unlink()
    assert len(check(folder, own)) == 1
    roll_back(own, ("en", "goodbye"))
    assert check(folder, own) == []


def test_an_own_prompt_that_no_catalogue_knows_is_told(folder: Path, speech: Speech) -> None:
    own = keep(folder, speech(), file=("en", "fanfare"))
    (problem,) = check(folder, own)
    assert "no prompt of the catalogue uses it" in problem.text
