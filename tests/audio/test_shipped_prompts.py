"""The prompts in the repository, judged by our own check and by programs that are not ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.audio.check import check
from firmware.audio.shelf import Shelf
from firmware.audio.wording import spoken_keys
from firmware.ports import PromptShelf

PROMPTS = frozenset(load_catalogue(default_folder()).prompts)
# What calls cannot do without, whatever else the catalogue gains: the flow's own prompts, and every digit.
NEEDED = {
    *["greeting", "closed_greeting", "language_choice", "main_menu", "menu_help", "no_input", "wrong_key", "way_out"],
    *["message_intro", "message_empty", "message_review", "message_kept", "message_limit", "message_stays"],
    *["message_number", "message_urgent", "message_again", "voice_full", "callback_own", "callback_own_choice"],
    *["callback_enter", "callback_enter_help", "callback_read_back", "callback_confirm", "callback_when"],
    *["callback_reason", "callback_kept", "callback_merged", "callback_number", "fault_exit", "time_limit"],
    *["goodbye", "shutdown_notice", "digit_star", "digit_hash", "digit_plus"],
    *["language_choice_spoken", "main_menu_spoken", "menu_help_spoken", "say_or_press", "not_understood"],
    *["heard", "heard_confirm", "callback_own_choice_spoken", "callback_confirm_spoken"],
    *(f"digit_{digit}" for digit in range(10)),
}
FILES = sorted(default_folder().glob("*/*.wav"))
SAMPLED = [path for path in FILES if path.stem in {"main_menu", "message_review", "digit_1", "goodbye"}]

needs_sox = pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")


def sox(*arguments: str) -> str:
    done = subprocess.run(["sox", *arguments], check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def sox_figure(told: str, name: str) -> float:
    found = re.search(rf"^{name}\s+(-?[\d.]+)", told, re.MULTILINE)
    assert found, told
    return float(found[1])


def test_the_shipped_prompts_pass_the_check() -> None:
    assert [str(problem) for problem in check(default_folder())] == []


def test_the_shelf_has_every_prompt_in_both_languages() -> None:
    told: list[str] = []
    shelf = Shelf(default_folder(), ["zh", "en"], told.append)
    assert shelf.available() == {"zh": PROMPTS, "en": PROMPTS}
    assert NEEDED <= PROMPTS
    assert told == []


def test_digits_of_a_number_are_all_there_and_short() -> None:
    shelf: PromptShelf = Shelf(default_folder(), ["zh", "en"], pytest.fail)
    for language in ("zh", "en"):
        clips = shelf.digits("0123456789*#+", language)
        assert {clip.language for clip in clips} == {language}
        assert all(len(clip.s16) < 16000 * 1.25 for clip in clips)


def test_one_is_said_as_on_the_telephone() -> None:
    assert Shelf(default_folder(), ["zh"], pytest.fail).clip("digit_1", "zh").text == "幺"


@pytest.mark.parametrize(
    ("prompt", "keys"),
    [
        ("main_menu", "129*"),
        ("message_review", "1234"),
        ("callback_own_choice", "12"),
        ("callback_confirm", "12"),
        ("callback_when", "123"),
        ("callback_reason", "#"),
        ("callback_enter", "#"),
        ("message_intro", "#"),
        ("message_again", "#"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_prompts_name_the_keys_of_the_office_flow(prompt: str, keys: str, language: str) -> None:
    text = load_catalogue(default_folder()).prompts[prompt].texts[language]
    assert spoken_keys(language, text) == list(keys)


def test_each_language_offers_itself() -> None:
    texts = load_catalogue(default_folder()).prompts["language_choice"].texts
    assert texts == {"zh": "中文服务，请按1。", "en": "For English, press 2."}


def test_the_set_stays_small() -> None:
    # About 9 MB of sentences and 4 MB of the pieces of numbers, dates and money; a service keeps them in memory.
    assert sum(path.stat().st_size for path in FILES) < 14_000_000


@needs_sox
@pytest.mark.parametrize("path", SAMPLED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_sox_agrees_on_format_and_peak(path: Path) -> None:
    assert len(SAMPLED) == 8
    told = sox("--i", str(path))
    assert re.search(r"Channels\s*: 1\n", told)
    assert re.search(r"Sample Rate\s*: 8000\n", told)
    assert re.search(r"Sample Encoding: 16-bit Signed Integer PCM", told)
    stats = sox(str(path), "-n", "stats")
    assert -12 < sox_figure(stats, "Pk lev dB") <= -6
    assert abs(sox_figure(stats, "DC offset")) < 0.001
    assert sox_figure(stats, "Flat factor") < 1


@needs_sox
@pytest.mark.parametrize("path", SAMPLED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_sox_hears_nothing_outside_the_telephone_band(path: Path) -> None:
    whole = sox_figure(sox(str(path), "-n", "stats"), "RMS lev dB")
    for outside in (["sinc", "3600"], ["sinc", "-150"]):
        assert sox_figure(sox(str(path), "-n", *outside, "stats"), "RMS lev dB") < whole - 25


@needs_sox
@pytest.mark.skipif(not shutil.which("multimon-ng"), reason="multimon-ng is not installed")
def test_no_prompt_sounds_like_a_key(tmp_path: Path) -> None:
    raw = ["-t", "raw", "-r", "22050", "-e", "signed", "-b", "16", "-c", "1"]
    # A real key first shows that the judge listens: 5 is 770 + 1336 Hz.
    key = tmp_path / "key.wav"
    sox(
        "-n",
        "-r",
        "8000",
        str(key),
        *["synth", "0.2", "sine", "770", "sine", "1336", "channels", "1", "gain", "-12", "pad", "0.1", "0.1"],
    )
    everything = tmp_path / "everything.raw"
    sox(str(key), *map(str, FILES), *raw, str(everything))
    judge = ["multimon-ng", "-q", "-t", "raw", "-a", "DTMF", str(everything)]
    heard = subprocess.run(judge, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"DTMF: (.)", heard) == ["5"]
