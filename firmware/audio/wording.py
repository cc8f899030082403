"""The wording rules of the requirements, as far as a program can judge them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from firmware.audio.catalogue import Catalogue, Prompt
from firmware.errors import Problem

# What a caller must not hear, and what to say instead (requirements, "Wording of prompts").
_FORBIDDEN = {
    "en": {
        r"\bsorry\b|\bapolog|\bregret|\bunfortunately\b|\bexcuse\b": "thank the caller rather than apologise",
        r"\byou (must|have to|need to|should)\b|\bmust\b": 'say "I" or "we" rather than "you must"',
        r"\b(cannot|can't|can not|unable|impossible|do not|don't|not allowed)\b": "say what is possible",
        r"\b(invalid|wrong|incorrect|error|mistake|failed|failure|fault)\b": "never blame the caller",
        r"\byou (did not|didn't|forgot)\b": "never blame the caller",
    },
    "zh": {
        "抱歉|对不起|不好意思|遗憾|请原谅|打扰": "thank the caller rather than apologise",
        "必须|务必|应该|应当|不得|一定要": 'say "I" or "we" rather than "you must"',
        "不能|无法|不可以|不允许|请勿|不要": "say what is possible",
        "错误|无效|有误|失败|故障|您没有|您忘": "never blame the caller",
        # Heard from espeak-ng 1.51: zhong4 xin1, geng4 xin1.
        "重新|更新": "the synthesiser misreads this word; 再次 or another word is safe",
    },
}
_SENTENCE_END = {"en": re.compile(r"(?<=[.?!])\s+"), "zh": re.compile(r"(?<=[。？！])")}
_KEY = {"en": re.compile(r"\bpress (?:the )?(\w+)( key)?", re.IGNORECASE), "zh": re.compile(r"按(\d|\w+?键)")}
# The benefit comes first, then one key, and with it the sentence ends.
_BENEFIT_FIRST = {
    "en": re.compile(r"\S.*, press (\d|the (star|hash) key)\.", re.IGNORECASE),
    "zh": re.compile(r".+，请按(\d|[星井]号键)。"),
}
_KEY_NAMES = {"star": "*", "hash": "#", "星号键": "*", "井号键": "#"}
_LONGEST_SENTENCE = {"en": 20, "zh": 26}
# "You can press a key at any time" names no key.
_ANY_KEY = {"a", "any"}


def wording_problems(catalogue: Catalogue) -> Iterator[Problem]:
    """Everything in the texts that breaks a rule."""
    for prompt in catalogue.prompts.values():
        for language, text in prompt.texts.items():
            for complaint in _complaints(language, text):
                yield catalogue.problem(prompt.id, language, complaint)
        yield from _different_keys(catalogue, prompt)


def spoken_keys(language: str, text: str) -> list[str]:
    """The keys that a text names, in order."""
    words = [match[1].lower() for match in _KEY[language].finditer(text)]
    return [_KEY_NAMES.get(word, word) for word in words if word not in _ANY_KEY]


def _different_keys(catalogue: Catalogue, prompt: Prompt) -> Iterator[Problem]:
    keys = {language: spoken_keys(language, text) for language, text in prompt.texts.items()}
    if keys["zh"] != keys["en"] and not prompt.own_keys:
        told = " and ".join(f"{language} {' '.join(named) or 'none'}" for language, named in keys.items())
        yield catalogue.problem(prompt.id, "en", f"the languages name different keys: {told}")


def _complaints(language: str, text: str) -> Iterator[str]:
    for pattern, advice in _FORBIDDEN[language].items():
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            yield f'"{found[0]}": {advice}'
    for sentence in _SENTENCE_END[language].split(text):
        yield from _sentence_complaints(language, sentence)


def _sentence_complaints(language: str, sentence: str) -> Iterator[str]:
    words = len(sentence.split()) if language == "en" else len(re.findall(r"\w", sentence))
    if words > _LONGEST_SENTENCE[language]:
        yield f'one thought per sentence; this one is long: "{sentence}"'
    keys = spoken_keys(language, sentence)
    if len(keys) > 1 or (keys and not _BENEFIT_FIRST[language].fullmatch(sentence)):
        yield f'say the benefit, then the key, and end the sentence: "{sentence}"'
