"""What an office may bring: real WAV, FLAC, MP3 and OGG files by two encoders, and everything that is none of these."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware.audio.catalogue import Catalogue, load_catalogue
from firmware.audio.check import check
from firmware.audio.files import UPLOADED
from firmware.audio.import_names import Refused, shown
from firmware.audio.importing import Imported, import_folder
from firmware.audio.level import active_level_dbfs
from firmware.audio.mastering import Signal
from firmware.audio.own_prompts import keep_version
from firmware.audio.own_versions import current_sound, own_files
from firmware.errors import DiskFull, PromptError

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")


def voice(seconds: float = 2.0, rate_hz: int = 44100, peak: float = 0.3) -> Signal:
    """Syllables of 160 ms with harmonics, in the faint noise of a room."""
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    syllables = np.clip(np.sin(2 * np.pi * 3 * at), 0, None)
    said = np.sum([np.sin(2 * np.pi * 180 * number * at) / number for number in range(1, 9)], axis=0)
    noise = np.random.default_rng(1).normal(0, 0.0005, len(at))
    result: Signal = peak * syllables * said / np.abs(said).max() + noise
    return result


@pytest.fixture
def catalogue(folder: Path) -> Catalogue:
    return load_catalogue(folder)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    path = tmp_path / "office"
    path.mkdir()
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


def write(path: Path, signal: Signal | None = None, rate_hz: int = 44100, **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, voice(rate_hz=rate_hz) if signal is None else signal, rate_hz, **options)
    return path


def heard(own: Path, file: tuple[str, str] = ("en", "goodbye")) -> bytes:
    sound = current_sound(own, file, pytest.fail)
    assert sound
    return sound.s16


def reasons(office: Path, own: Path, catalogue: Catalogue, language: str | None = None) -> list[str]:
    outcomes = list(import_folder(office, own, catalogue, language))
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Refused)]


KINDS: dict[str, list[dict[str, str]]] = {
    "wav": [{"subtype": "PCM_16"}, {"subtype": "PCM_24"}, {"subtype": "FLOAT"}, {"subtype": "ULAW"}],
    "flac": [{"subtype": "PCM_16"}, {"subtype": "PCM_24"}],
    "mp3": [{}],
    "ogg": [{"subtype": "VORBIS"}],
}


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind, all_options in KINDS.items() for options in all_options]
)
def test_every_kind_of_file_becomes_a_prompt_that_passes_the_check(
    folder: Path, office: Path, own: Path, catalogue: Catalogue, kind: str, options: dict[str, Any], rate_hz: int
) -> None:
    write(office / f"goodbye.en.{kind}", rate_hz=rate_hz, **options)
    (outcome,) = import_folder(office, own, catalogue)
    assert isinstance(outcome, Imported)
    assert (outcome.file, outcome.version) == (("en", "goodbye"), 1)
    assert outcome.seconds == pytest.approx(2.0, abs=0.25)
    assert active_level_dbfs(heard(own)) == pytest.approx(-20, abs=1)
    assert check(folder, own) == []


@pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_files_of_another_encoder_are_read(office: Path, own: Path, catalogue: Catalogue, kind: str) -> None:
    source = write(office.parent / "source.wav")
    subprocess.run(["sox", str(source), "-r", "32000", str(office / f"goodbye.en.{kind}")], check=True)
    (outcome,) = import_folder(office, own, catalogue)
    assert isinstance(outcome, Imported)


def test_pitch_and_band_survive(office: Path, own: Path, catalogue: Catalogue) -> None:
    at = np.arange(2 * 48000) / 48000
    both = 0.2 * np.sin(2 * np.pi * 1000 * at) + 0.2 * np.sin(2 * np.pi * 6500 * at)
    write(office / "goodbye.en.flac", both * (np.sin(2 * np.pi * 3 * at) > 0), 48000)
    list(import_folder(office, own, catalogue))
    spectrum = np.abs(np.fft.rfft(np.frombuffer(heard(own), "<i2"))) ** 2
    hertz = np.arange(len(spectrum)) * 4000 / (len(spectrum) - 1)
    # 6500 Hz would fold back to 1500 Hz.
    near_pitch, mirrored = (spectrum[np.abs(hertz - place) < 40].sum() for place in (1000, 1500))
    assert near_pitch > 0.9 * spectrum.sum()
    assert mirrored < 1e-4 * near_pitch


def test_language_by_folder_by_name_or_by_option(office: Path, own: Path, catalogue: Catalogue) -> None:
    write(office / "zh" / "goodbye.flac")
    write(office / "Goodbye.EN.WAV")
    write(office / "digit_1.wav")
    assert reasons(office, own, catalogue, "en") == []
    assert own_files(own) == [("zh", "goodbye"), ("en", "digit_1"), ("en", "goodbye")]


def test_the_record_tells_the_file_and_the_text(office: Path, own: Path, catalogue: Catalogue) -> None:
    write(office / "goodbye.en.mp3")
    list(import_folder(office, own, catalogue))
    sound = current_sound(own, ("en", "goodbye"), pytest.fail)
    assert sound
    assert (sound.record.source, sound.record.voice) == (UPLOADED, "goodbye.en.mp3")
    assert sound.record.text == catalogue.text_checksum("goodbye", "en")


def test_the_same_folder_again_makes_no_new_versions(office: Path, own: Path, catalogue: Catalogue) -> None:
    write(office / "goodbye.en.wav")
    first, again = (list(import_folder(office, own, catalogue)) for _ in range(2))
    assert first == again


def test_the_quiet_around_speech_goes_and_a_click_of_the_switch_too(
    office: Path, own: Path, catalogue: Catalogue
) -> None:
    generator = np.random.default_rng(2)
    quiet = generator.normal(0, 0.002, 3 * 44100)
    quiet[2000:2400] = 0.2 * generator.normal(0, 1, 400)
    speech = voice() + generator.normal(0, 0.002, 2 * 44100)
    write(office / "goodbye.en.wav", np.concatenate([quiet, speech, quiet[::-1]]))
    (outcome,) = import_folder(office, own, catalogue)
    assert isinstance(outcome, Imported)
    assert outcome.seconds == pytest.approx(2.1, abs=0.3)


@pytest.mark.parametrize("right", [0.0, 1.0, -1.0])
def test_stereo_is_heard_even_where_its_sides_cancel(
    office: Path, own: Path, catalogue: Catalogue, right: float
) -> None:
    write(office / "goodbye.en.wav", np.stack([voice(), right * voice()], axis=1))
    assert reasons(office, own, catalogue) == []
    assert active_level_dbfs(heard(own)) == pytest.approx(-20, abs=1)


def broken(signal: Signal, sample: float) -> Signal:
    signal = signal.copy()
    signal[500] = sample
    return signal


@pytest.mark.parametrize(
    ("name", "signal", "rate_hz", "options", "reason"),
    [
        ("seven.wav", np.zeros((8000, 7)), 8000, {}, "has 7 channels"),
        ("slow.wav", voice(rate_hz=4000), 4000, {}, "has 4000 samples/s"),
        ("fast.wav", np.zeros(4000), 400_000, {}, "has 400000 samples/s"),
        ("nan.wav", broken(voice(), np.nan), 44100, {"subtype": "FLOAT"}, "are not numbers"),
        ("inf.wav", broken(voice(), np.inf), 44100, {"subtype": "DOUBLE"}, "are not numbers"),
        ("none.wav", np.zeros(0), 44100, {}, "next to nothing in it"),
        ("short.wav", voice(0.05), 44100, {}, "next to nothing in it"),
        ("silent.wav", np.zeros(44100), 44100, {}, "next to nothing to hear"),
        ("faint.wav", voice(peak=0.001), 44100, {}, "next to nothing to hear"),
        ("clipped.wav", voice(peak=4.0).clip(-1, 1), 44100, {}, "it is clipped"),
        ("long.wav", voice(13.0, 8000), 8000, {}, "nothing may be longer than 12 s"),
        ("longer.flac", np.zeros(8000 * 61), 8000, {}, "longer than 60 s"),
        ("hours.flac", np.zeros(8000 * 7200), 8000, {}, "longer than 60 s"),
        ("hours.mp3", np.zeros(8000 * 600), 8000, {}, "longer than 60 s"),
        ("aiff.wav", voice(), 44100, {"format": "AIFF"}, "its content is AIFF"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sound_that_is_not_fit_is_refused_and_nothing_else_is_lost(
    office: Path,
    own: Path,
    catalogue: Catalogue,
    name: str,
    signal: Signal,
    rate_hz: int,
    options: dict[str, str],
    reason: str,
) -> None:
    keep_version(own, ("en", "digit_1"), b"\1\2" * 99, UPLOADED, "before", "0")
    write(office / "goodbye.zh.wav")
    path = write(office / name, signal, rate_hz, **options)
    path.rename(office / f"digit_1.en{path.suffix}")
    told = reasons(office, own, catalogue)
    assert len(told) == 1
    assert reason in told[0]
    assert heard(own, ("zh", "goodbye"))
    assert heard(own, ("en", "digit_1")) == b"\1\2" * 99


@pytest.mark.parametrize("rate_hz", [11025, 37800, 44101, 96000, 192000])
def test_odd_rates_are_taken(office: Path, own: Path, catalogue: Catalogue, rate_hz: int) -> None:
    write(office / "goodbye.en.wav", rate_hz=rate_hz)
    assert reasons(office, own, catalogue) == []


def junk(office: Path) -> dict[str, str]:
    """Files by name, and a word of what is told about each."""
    (office / "goodbye.en.wav").write_bytes(b"")
    (office / "goodbye.zh.wav").write_bytes(b"RIFF" + b"\xff" * 400)
    (office / "digit_1.en.mp3").write_bytes(os.urandom(5000))
    (office / "digit_1.zh.flac").write_bytes(b"fLaC" + bytes(100))
    return {"goodbye.en": "empty", "goodbye.zh": "decoded", "digit_1.en": "decoded", "digit_1.zh": "decoded"}


def test_junk_is_refused_in_a_sentence(office: Path, own: Path, catalogue: Catalogue) -> None:
    expected = junk(office)
    outcomes = list(import_folder(office, own, catalogue))
    told = {shown(outcome.path): outcome.reason for outcome in outcomes if isinstance(outcome, Refused)}
    assert len(outcomes) == len(told) == 4
    for name, reason in told.items():
        assert expected[name.rpartition(".")[0]] in reason
    assert not own.exists()


def test_a_file_cut_short_gives_what_is_there_or_a_reason(office: Path, own: Path, catalogue: Catalogue) -> None:
    for kind in ("wav", "flac", "mp3", "ogg"):
        path = write(office / f"goodbye.en.{kind}")
        content = path.read_bytes()
        for length in (20, 44, 45, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            (outcome,) = import_folder(office, own, catalogue)
            assert isinstance(outcome, Imported) or outcome.reason
        path.unlink()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("good_bye.en.wav", 'did you mean "goodbye"'),
        ("goodbye.wav", "language is not known"),
        ("goodbye.fr.wav", '"fr" in its name is no language'),
        ("goodbye.en.old.wav", "is no language"),
        ("goodbye.en.m4a", "no WAV, FLAC, MP3 or OGG"),
        ("goodbye", "no WAV, FLAC, MP3 or OGG"),
        ("bad\nname\x1b[31m.wav", "no prompt is called so"),
        ("zh/goodbye.en.wav", "different languages"),
        ("zh/deeper/goodbye.wav", "no sound file"),
        ("..goodbye.en.wav.wav", None),
        (".DS_Store", None),
        ("en/.goodbye.wav", None),
    ],
)
def test_names_that_mean_no_prompt_are_refused_with_help(
    office: Path, own: Path, catalogue: Catalogue, name: str, reason: str | None
) -> None:
    (office / name).parent.mkdir(parents=True, exist_ok=True)
    write(office / name, format="WAV")
    outcomes = list(import_folder(office, own, catalogue))
    assert not own.exists()
    assert len(outcomes) == (reason is not None)
    for outcome in outcomes:
        assert isinstance(outcome, Refused)
        assert reason
        assert reason in outcome.reason
        assert shown(outcome.path).isprintable()


def test_two_files_for_one_prompt_are_both_left(office: Path, own: Path, catalogue: Catalogue) -> None:
    write(office / "goodbye.en.wav")
    write(office / "en" / "goodbye.mp3")
    told = reasons(office, own, catalogue)
    assert len(told) == 2
    assert all("both meant for en/goodbye" in reason for reason in told)
    assert not own.exists()


def test_links_pipes_and_folders_are_not_opened(office: Path, own: Path, catalogue: Catalogue) -> None:
    secret = write(office.parent / "secret.wav")
    (office / "goodbye.en.wav").symlink_to(secret)
    os.mkfifo(office / "digit_1.en.wav")
    (office / "digit_1.zh.wav").mkdir()
    (office / "en").symlink_to(office.parent)
    told = reasons(office, own, catalogue)
    assert len(told) == 4
    assert sum("is a link" in reason for reason in told) == 2
    assert sum("no sound file" in reason for reason in told) == 2


def test_a_file_beyond_any_prompt_is_not_read(office: Path, own: Path, catalogue: Catalogue) -> None:
    with (office / "goodbye.en.wav").open("wb") as file:
        file.truncate(3_000_000_000)
    (reason,) = reasons(office, own, catalogue)
    assert "3000 MB" in reason


def test_a_folder_that_is_not_there_is_told(office: Path, own: Path, catalogue: Catalogue) -> None:
    with pytest.raises(PromptError, match="cannot be read"):
        list(import_folder(office / "nowhere", own, catalogue))


def test_a_full_disk_ends_it_and_what_was_kept_stays(
    office: Path, own: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("digit_1.en.wav", "digit_1.zh.wav", "goodbye.en.wav"):
        write(office / name)
    outcomes = import_folder(office, own, catalogue)
    first = next(outcomes)
    assert isinstance(first, Imported)

    def no_room(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(DiskFull):
        next(outcomes)
    assert heard(own, first.file)
    assert own_files(own) == [first.file] or current_sound(own, own_files(own)[-1], pytest.fail) is None


def test_without_the_library_each_file_says_what_to_install(
    office: Path, own: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(office / "goodbye.en.wav")
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    (reason,) = reasons(office, own, catalogue)
    assert "pip install 'linekeeper[sound]'" in reason
