from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.audio.build import build
from firmware.audio.build_own import build_own
from firmware.audio.check import check
from firmware.audio.files import RECORDED, SYNTHESISED
from firmware.audio.own_prompts import keep_version
from firmware.audio.own_versions import current_sound, own_files

pytestmark = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng")), reason="the synthesisers are not installed"
)


@pytest.fixture
def shipped(folder: Path) -> Path:
    """A folder that synthesisers made, as ours is."""
    (folder / "files.yaml").unlink()
    build(folder)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def source(own: Path, file: tuple[str, str]) -> str:
    sound = current_sound(own, file, pytest.fail)
    assert sound
    return sound.record.source


def test_nothing_is_due_where_the_shipped_voice_says_it_all(shipped: Path, own: Path) -> None:
    assert build_own(shipped, own, {}) == []
    assert not own.exists()


def test_a_changed_text_is_spoken_beside_the_shipped_set(shipped: Path, own: Path) -> None:
    before = (shipped / "en" / "goodbye.wav").read_bytes()
    edit(shipped / "catalogue.yaml", "Goodbye.", "See you soon.")
    assert build_own(shipped, own, {}) == ["en/goodbye"]
    assert source(own, ("en", "goodbye")) == SYNTHESISED
    assert build_own(shipped, own, {}) == []
    assert (shipped / "en" / "goodbye.wav").read_bytes() == before
    assert [problem.text for problem in check(shipped, own) if problem.source.startswith(str(own))] == []


def test_a_piper_voice_speaks_its_language(shipped: Path, own: Path, piper: Path, piper_voice: Path) -> None:
    assert build_own(shipped, own, {"en": piper_voice}) == ["en/goodbye", "en/digit_1"]
    sound = current_sound(own, ("en", "goodbye"), pytest.fail)
    assert sound
    assert sound.record.voice == f"piper {piper_voice.stem}"
    assert build_own(shipped, own, {"en": piper_voice}) == []
    assert build_own(shipped, own, {}) == []
    assert check(shipped, own) == []


def test_a_persons_recording_stays(shipped: Path, own: Path, piper: Path, piper_voice: Path) -> None:
    keep_version(own, ("en", "goodbye"), b"\1\2" * 400, RECORDED, "microphone", "0")
    assert build_own(shipped, own, {"en": piper_voice}, only_changed=False) == [
        "zh/goodbye",
        "zh/digit_1",
        "en/digit_1",
    ]
    assert source(own, ("en", "goodbye")) == RECORDED


def test_a_broken_own_version_is_made_again(
    shipped: Path, own: Path, piper: Path, piper_voice: Path, speech: Callable[..., bytes]
) -> None:
    build_own(shipped, own, {"en": piper_voice})
    (own / "en" / "goodbye" / "1.wav").write_bytes(b"RIFF")
    assert build_own(shipped, own, {"en": piper_voice}) == ["en/goodbye"]
    assert own_files(own) == [("en", "digit_1"), ("en", "goodbye")]
    assert source(own, ("en", "goodbye")) == SYNTHESISED
