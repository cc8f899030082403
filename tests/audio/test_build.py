from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from firmware.audio.build import build
from firmware.audio.check import check
from firmware.audio.files import SYNTHESISED, load_files, sound_checksum
from firmware.audio.folder_lock import only_one
from firmware.errors import ConfigurationError, PromptError
from firmware.pcm import SampleFormat
from firmware.wav import dump, parse

pytestmark = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng")), reason="the synthesisers are not installed"
)
EVERYTHING = ["zh/goodbye", "zh/digit_1", "en/goodbye", "en/digit_1"]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def bare(folder: Path) -> Path:
    """A catalogue without any sound."""
    (folder / "files.yaml").unlink()
    for language in ("zh", "en"):
        shutil.rmtree(folder / language)
    return folder


def test_everything_is_made_once_and_passes_the_check(bare: Path) -> None:
    assert build(bare) == EVERYTHING
    assert check(bare) == []
    assert build(bare) == []


def test_the_record_names_the_engine_its_version_and_the_voice(bare: Path) -> None:
    build(bare)
    records = load_files(bare)
    assert {record.source for record in records.values()} == {SYNTHESISED}
    assert records["zh", "goodbye"].voice.startswith("espeak-ng 1.")
    assert records["zh", "goodbye"].voice.endswith(" cmn-latn-pinyin")
    assert records["en", "goodbye"].voice.startswith("flite ")


def test_only_what_changed_or_went_missing_is_made_again(bare: Path) -> None:
    build(bare)
    edit(bare / "catalogue.yaml", "Goodbye.", "See you soon.")
    (bare / "zh" / "digit_1.wav").unlink()
    assert build(bare) == ["zh/digit_1", "en/goodbye"]
    assert check(bare) == []


def test_all_is_made_again_on_demand_and_comes_out_the_same(bare: Path) -> None:
    build(bare)
    before = {path: path.read_bytes() for path in bare.rglob("*") if path.is_file()}
    assert build(bare, only_changed=False) == EVERYTHING
    assert {path: path.read_bytes() for path in bare.rglob("*") if path.is_file()} == before


def test_a_persons_recording_is_never_replaced(folder: Path) -> None:
    mine = (folder / "en" / "goodbye.wav").read_bytes()
    edit(folder / "catalogue.yaml", "Goodbye.", "See you soon.")
    assert build(folder) == []
    assert build(folder, only_changed=False) == []
    assert (folder / "en" / "goodbye.wav").read_bytes() == mine


def test_a_lost_recording_gets_a_synthesised_stand_in(folder: Path) -> None:
    (folder / "en" / "goodbye.wav").unlink()
    assert build(folder) == ["en/goodbye"]
    assert load_files(folder)["en", "goodbye"].source == SYNTHESISED


def test_a_prompt_that_left_the_catalogue_leaves_the_records(bare: Path) -> None:
    build(bare)
    edit(bare / "catalogue.yaml", "  digit_1: {zh: 幺, en: one}\n", "")
    assert build(bare) == []
    assert {prompt for _, prompt in load_files(bare)} == {"goodbye"}


def test_what_was_made_before_a_failure_is_kept(bare: Path) -> None:
    edit(bare / "catalogue.yaml", "voice: rms", "voice: nobody")
    with pytest.raises(PromptError, match="nobody"):
        build(bare)
    edit(bare / "catalogue.yaml", "voice: nobody", "voice: rms")
    edit(bare / "catalogue.yaml", "zh: 幺", "zh: 。")
    with pytest.raises(PromptError):
        build(bare)
    assert set(load_files(bare)) == {("zh", "goodbye")}
    assert parse((bare / "zh" / "goodbye.wav").read_bytes()).rate_hz == 8000


def test_mistakes_in_the_catalogue_stop_the_build(bare: Path) -> None:
    edit(bare / "catalogue.yaml", "flite", "float")
    with pytest.raises(ConfigurationError):
        build(bare)


def test_every_record_tells_its_sound_and_version(bare: Path) -> None:
    build(bare)
    for (language, prompt), record in load_files(bare).items():
        assert record.sound == sound_checksum(parse((bare / language / f"{prompt}.wav").read_bytes()).data)
        assert record.version == 1


def test_the_version_counts_changes_of_the_sound(bare: Path) -> None:
    build(bare)
    edit(bare / "catalogue.yaml", "Goodbye.", "See you soon.")
    build(bare)
    build(bare, only_changed=False)
    assert {file: record.version for file, record in load_files(bare).items() if record.version > 1} == {
        ("en", "goodbye"): 2
    }


def test_records_from_before_checksums_are_completed_and_nothing_is_made(bare: Path) -> None:
    build(bare)
    complete = (bare / "files.yaml").read_text(encoding="utf-8")
    older = re.sub(r", sound: '\w+', version: 1", "", complete)
    assert older != complete
    (bare / "files.yaml").write_text(older, encoding="utf-8")
    assert build(bare) == []
    assert (bare / "files.yaml").read_text(encoding="utf-8") == complete


@pytest.mark.parametrize("damage", [b"RIFF", dump(SampleFormat.S16, b"\1\2" * 4000)])
def test_a_sound_that_is_not_the_one_made_is_made_again(bare: Path, damage: bytes) -> None:
    build(bare)
    (bare / "en" / "goodbye.wav").write_bytes(damage)
    assert build(bare) == ["en/goodbye"]
    assert check(bare) == []


def test_two_builds_do_not_run_at_once(bare: Path) -> None:
    with only_one(bare), pytest.raises(PromptError, match="another program"):
        build(bare)
