"""What callers are invited to say is what is understood."""

from __future__ import annotations

import re

import pytest

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.ivr.answers import ANSWERS

PROMPTS = load_catalogue(default_folder()).prompts
INVITATION = {
    "en": re.compile(r"\bsay ([a-z ]+?),? or press\b", re.IGNORECASE),
    "zh": re.compile("请说(.+?)，?或(?:者)?按"),
}
SPOKEN = sorted(prompt for prompt in PROMPTS if prompt.endswith("_spoken") or prompt == "heard_confirm")


def invited(prompt: str, language: str) -> list[str]:
    return [word.lower() for word in INVITATION[language].findall(PROMPTS[prompt].texts[language])]


def understood(language: str) -> set[str]:
    phrases = {phrase for answer in ANSWERS.values() for phrase in answer.words.get(language, ())}
    # Recognisers part Mandarin words by spaces; the prompts write them as people do.
    return {phrase.replace(" ", "") for phrase in phrases} if language == "zh" else phrases


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("prompt", SPOKEN)
def test_every_word_that_callers_are_invited_to_say_is_understood(prompt: str, language: str) -> None:
    assert set(invited(prompt, language)) <= understood(language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_invitations_are_found_at_all(language: str) -> None:
    assert {prompt for prompt in SPOKEN if invited(prompt, language)} == set(SPOKEN) - {"menu_help_spoken"}


def test_each_thing_that_can_be_said_has_a_prompt_that_names_it() -> None:
    assert {answer.prompt for answer in ANSWERS.values()} <= PROMPTS.keys()
