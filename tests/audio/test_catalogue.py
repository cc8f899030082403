from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.catalogue import default_folder, load_catalogue, parse_catalogue
from firmware.errors import ConfigurationError

GOOD = """\
voices:
  zh: {engine: espeak-ng, voice: cmn-latn-pinyin, words_per_minute: 180, digit_words_per_minute: 120}
  en: {engine: flite, voice: rms, words_per_minute: 165}
prompts:
  goodbye:
    zh: 再见。
    en: Goodbye.
  digit_1: {zh: 幺, en: one}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_catalogue("catalogue.yaml", text)
    return [str(problem) for problem in caught.value.problems]


def test_texts_are_read_in_both_languages() -> None:
    catalogue = parse_catalogue("catalogue.yaml", GOOD)
    assert catalogue.prompts["goodbye"].texts == {"zh": "再见。", "en": "Goodbye."}


def test_digits_are_read_at_their_own_pace() -> None:
    catalogue = parse_catalogue("catalogue.yaml", GOOD)
    assert catalogue.voice("digit_1", "zh").words_per_minute == 120
    assert catalogue.voice("goodbye", "zh").words_per_minute == 180
    assert catalogue.voice("digit_1", "en").words_per_minute == 165


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("    en: Goodbye.\n", "", r":5: goodbye: its text in en is missing"),
        ("en: Goodbye.", "en: 7", r":7: goodbye: its text in en is missing"),
        ("en: Goodbye.", "en: Goodbye.\n    enn: Bye.", r':8: unknown key "enn" \(did you mean "en"\?\)'),
        ("engine: flite", "engine: flight", r":3: engine: one of"),
        ("voice: rms, ", "", r":3: voice: a name"),
        ("165", "16500", r":3: words_per_minute: a number from 80"),
        ("  goodbye:", "  Good-bye:", r':5: "Good-bye" cannot name a prompt'),
        ("  goodbye:", "  digit_1: {zh: 幺, en: one}\n  goodbye:", r':9: "digit_1" stands twice'),
        ("  en: {engine: flite, voice: rms, words_per_minute: 165}\n", "", r':1: "en" is missing'),
        ("    en: Goodbye.\n", "    en: Goodbye.\n    own_keys: often\n", r":8: own_keys: true or false"),
        ("prompts:", "prompt:", r':4: unknown key "prompt"'),
    ],
)
def test_each_mistake_is_told_with_its_line(old: str, new: str, what: str) -> None:
    assert old in GOOD
    told = problems_of(GOOD.replace(old, new))
    assert any(re.search(what, problem) for problem in told), told


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems_of(GOOD.replace("en: Goodbye.", "xx: Bye.").replace("165", "1").replace("flite", "f"))) >= 3


def test_a_missing_catalogue_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(str(tmp_path / "catalogue.yaml"))):
        load_catalogue(tmp_path)


def test_the_checksum_follows_text_and_pace_of_its_own_prompt_only() -> None:
    before = parse_catalogue("c", GOOD)
    after = parse_catalogue("c", GOOD.replace("Goodbye.", "Good bye.").replace("120", "110"))
    changed = {
        (prompt, language)
        for prompt in before.prompts
        for language in ("zh", "en")
        if before.checksum(prompt, language) != after.checksum(prompt, language)
    }
    assert changed == {("goodbye", "en"), ("digit_1", "zh")}


def test_the_default_folder_is_the_one_beside_the_package() -> None:
    assert default_folder() == Path(__file__).parents[2] / "voice-prompts"


@given(st.text(max_size=200) | st.sampled_from(GOOD.splitlines()).map(lambda line: GOOD.replace(line, "- x")))
def test_any_other_text_is_a_configuration_error(text: str) -> None:
    assert problems_of(text)
