"""The wording rules of the requirements, as far as a program can judge them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from firmware.audio.catalogue import Catalogue, Prompt
from firmware.errors import Problem

_THANK = "thank the caller rather than apologise"
_PERSONAL = 'say "I" or "we" rather than "you must"'
_POSSIBLE = "say what is possible"
_NO_BLAME = "never blame the caller"
_PRESS = 'keys are offered as ", press 1." or "，请按1。" only, so that the languages can be compared'
# What a caller must not hear, and what to say instead (requirements, "Wording of prompts").
_FORBIDDEN = {
    "en": {
        r"\b(sorry|apolog\w*|regret\w*|unfortunately|excuse|pardon|forgive|inconvenience|afraid)\b": _THANK,
        r"\b(keep|keeping|kept) you\b": "thank the caller for waiting",
        r"\byou(\'ll| will)? (must|have to|need to|should|ought to|are to|are required)\b|\bmust\b": _PERSONAL,
        r"\b(cannot|can not|unable|impossible|do not|never|not (allowed|possible|available)|unavailable)\b": _POSSIBLE,
        r"n['’]t\b|\b(refuse|deny|denie|forbid|forbidden|prohibit)\w*": _POSSIBLE,
        r"\b(invalid|wrong|incorrect|error|mistake|fault|illegal|fail\w*|time[d-]?[ -]?out)\b": _NO_BLAME,
        r"\byou (did not|forgot|failed)\b|\bnot (recogni[sz]ed|understood|valid)\b": _NO_BLAME,
        r"\btoo (long|short|slow|late|early|fast|loud|quiet|many|few)\b": _NO_BLAME,
        r"\b(push|hit|dial|type|choose|select) (the )?(\d|star|hash)\b": _PRESS,
        r"\bsay \w+ (to|for)\b": "say the benefit before the word",
    },
    "zh": {
        "抱歉|对不起|不好意思|遗憾|请原谅|打扰|见谅|谅解|包涵|不便": _THANK,
        "久等": "thank the caller for waiting: 感谢您的等候",
        "必须|务必|应该|应当|不得|一定要|强制": _PERSONAL,
        "不能|无法|不可以|不允许|请勿|不要|禁止|拒绝|不许|只能|没办法|不支持": _POSSIBLE,
        "错误|无效|有误|失败|故障|您没有|您忘|不正确|不对|不符|超时|输错|按错|说错": _NO_BLAME,
        "太(长|短|慢|晚|早|快|轻|响|大声|小声)": _NO_BLAME,
        "(拨|选|选择|输入|点)[0-9]|按[零一二三四五六七八九](?![下次遍])": _PRESS,
        # Heard from espeak-ng 1.51: zhong4 xin1, geng4 xin1.
        "重新|更新": "the synthesiser misreads this word; 再次 or another word is safe",
    },
}
_ANYWHERE = {
    r"[0-9]{2,}|[０-９]": "numbers are said digit by digit; write words, or a single plain digit for a key",
    "[;；]": "one thought per sentence; end it here",
}
_SENTENCE_END = {"en": re.compile(r"(?<=[.?!])\s+"), "zh": re.compile(r"(?<=[。？！])")}
_KEY = {"en": re.compile(r"\bpress (?:the )?(\w+)( key)?", re.IGNORECASE), "zh": re.compile(r"按(\d|\w+?键)")}
# The benefit comes first, then one key, and with it the sentence ends. A word to say may stand beside its key.
_BENEFIT_FIRST = {
    "en": re.compile(r"\S.*, (say [^,.]{1,24},? or )?press (\d|the (star|hash) key)\.", re.IGNORECASE),
    "zh": re.compile(r".+，请(说[^，。]{1,10}，?或者?(请)?)?按(\d|[星井]号键)。"),
}
_KEY_NAMES = {"star": "*", "hash": "#", "星号键": "*", "井号键": "#"}
_LONGEST_SENTENCE = {"en": 20, "zh": 26}
# "You can press a key at any time" names no key.
_ANY_KEY = re.compile(r"an?|any|.*任意键")


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
    return [_KEY_NAMES.get(word, word) for word in words if not _ANY_KEY.fullmatch(word)]


def _different_keys(catalogue: Catalogue, prompt: Prompt) -> Iterator[Problem]:
    keys = {language: spoken_keys(language, text) for language, text in prompt.texts.items()}
    if keys["zh"] != keys["en"] and not prompt.own_keys:
        told = " and ".join(f"{language} {' '.join(named) or 'none'}" for language, named in keys.items())
        yield catalogue.problem(prompt.id, "en", f"the languages name different keys: {told}")


def _complaints(language: str, text: str) -> Iterator[str]:
    for pattern, advice in (_FORBIDDEN[language] | _ANYWHERE).items():
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
