from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from firmware.audio import espeak_ng
from firmware.audio.catalogue import Voice, default_folder, load_catalogue
from firmware.audio.espeak_ng import phonemes, was_trapped
from firmware.audio.synthesis import describe_voice, synthesise
from firmware.errors import PromptError

MANDARIN = Voice("espeak-ng", "cmn-latn-pinyin", 180)
ENGLISH = Voice("flite", "rms", 165)

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")


@needs_flite
def test_english_is_spoken() -> None:
    speech = synthesise(ENGLISH, "Goodbye.")
    assert speech.rate_hz == 16000
    assert len(speech.samples) > 4000


@needs_espeak
def test_mandarin_is_spoken() -> None:
    speech = synthesise(MANDARIN, "再见。")
    assert speech.rate_hz == 22050
    assert len(speech.samples) > 4000


@needs_espeak
def test_every_mandarin_text_is_read_syllable_by_character() -> None:
    for prompt in load_catalogue(default_folder()).prompts.values():
        said = phonemes(MANDARIN, prompt.texts["zh"])
        assert "(" not in said
        syllables = [part for part in re.split(r"[_|\s]+", said) if part]
        assert len(syllables) == len(re.findall(r"\w", prompt.texts["zh"])), prompt.id


@needs_espeak
def test_a_voice_that_spells_pinyin_in_english_fails_the_build() -> None:
    spelling = Voice("espeak-ng", "cmn", 180)
    if "(en)" not in phonemes(spelling, "感谢"):
        pytest.skip("this espeak-ng's voice cmn reads Mandarin; Debian 12's does not")
    with pytest.raises(PromptError, match="use cmn-latn-pinyin"):
        synthesise(spelling, "感谢")


@pytest.mark.parametrize("said", ["(en)ga55nTr'i:", "j'Au55_| (en-us)w'0n", ""])
def test_phonemes_of_another_language_are_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(espeak_ng, "phonemes", lambda voice, text: said)
    with pytest.raises(PromptError, match="another language's rules"):
        synthesise(MANDARIN, "感谢")


@needs_espeak
def test_a_faster_pace_is_shorter() -> None:
    slow, fast = (synthesise(Voice("espeak-ng", "cmn-latn-pinyin", pace), "感谢您的来电。") for pace in (120, 200))
    assert len(fast.samples) < len(slow.samples)


@needs_flite
def test_flite_keeps_the_pace_asked_for() -> None:
    slow, fast = (synthesise(Voice("flite", "rms", pace), "Thank you for calling.") for pace in (120, 240))
    assert len(slow.samples) == pytest.approx(2 * len(fast.samples), rel=0.1)


@needs_flite
def test_a_voice_that_flite_lacks_is_told() -> None:
    describe_voice(ENGLISH)
    with pytest.raises(PromptError, match='no voice "nobody"'):
        describe_voice(Voice("flite", "nobody", 165))


@needs_espeak
def test_a_voice_that_espeak_lacks_is_told() -> None:
    with pytest.raises(PromptError, match="espeak-ng failed with status"):
        synthesise(Voice("espeak-ng", "nobody", 165), "再见")


def test_a_missing_synthesiser_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PromptError, match="apt-get install flite"):
        synthesise(ENGLISH, "Goodbye.")


@needs_flite
@needs_espeak
@pytest.mark.parametrize("voice", [ENGLISH, MANDARIN], ids=lambda voice: voice.engine)
def test_program_version_and_voice_are_described(voice: Voice) -> None:
    assert re.fullmatch(rf"{voice.engine} \d+\.\d+(\.\d+)? {voice.voice}", describe_voice(voice))


@pytest.mark.parametrize(
    ("description", "trapped"),
    [
        ("espeak-ng 1.51 cmn", True),
        ("espeak-ng 1.50.2 zh", True),
        ("espeak-ng 1.51 cmn-latn-pinyin", False),
        ("espeak-ng 1.52.0 cmn", False),
        ("flite 2.2 cmn", False),
    ],
)
def test_descriptions_tell_voices_that_spell_mandarin_in_english(description: str, trapped: bool) -> None:
    assert was_trapped(description) == trapped


@needs_espeak
def test_the_trap_is_sprung_where_this_espeak_has_it() -> None:
    trap = Voice("espeak-ng", "cmn", 180)
    if not was_trapped(describe_voice(trap)):
        assert "(en)" not in phonemes(trap, "感谢")
        return
    with pytest.raises(PromptError, match="another language's rules"):
        synthesise(trap, "感谢您的来电")
