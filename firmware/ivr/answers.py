"""What callers may say in place of a key, in each language.

Words are in the spelling of the recognisers: small letters, no punctuation, words parted by spaces. Mandarin words are
those of the small Vosk model's dictionary as far as its makers publish it; the recogniser's health check tells at the
start which of them a model does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firmware.ivr.flow import BACK_KEY, REPEAT_KEY
from firmware.ivr.spoken_answer import SpokenAnswer


def _answer(name: str, en: str, zh: str) -> SpokenAnswer:
    return SpokenAnswer(name, {"en": tuple(en.split(", ")), "zh": tuple(zh.split(", "))})


MESSAGE = _answer("message", "message, leave a message", "留言")
CALLBACK = _answer("callback", "call back, call me back", "回电")
OPERATOR = _answer("operator", "operator", "人工")
REPEAT = _answer("repeat", "repeat", "再听, 重复")
BACK = _answer("back", "back, go back", "返回")
FINISH = _answer("finish", "finish", "完成")
LISTEN = _answer("listen", "listen", "收听")
AGAIN = _answer("again", "record again", "录音")
URGENT = _answer("urgent", "urgent", "紧急")
YES = _answer("yes", "yes", "是, 对, 好")
NO = _answer("no", "no", "不, 不是, 不对")
SOON = _answer("soon", "soon, as soon as possible", "尽快")
MORNING = _answer("morning", "morning", "上午")
AFTERNOON = _answer("afternoon", "afternoon", "下午")
ENGLISH = _answer("english", "english", "英文")
CHINESE = _answer("chinese", "chinese", "中文")

LANGUAGE_ANSWERS: Mapping[str, SpokenAnswer] = {"en": ENGLISH, "zh": CHINESE}

_ALL = (
    *(MESSAGE, CALLBACK, OPERATOR, REPEAT, BACK, FINISH, LISTEN, AGAIN, URGENT),
    *(YES, NO, SOON, MORNING, AFTERNOON, ENGLISH, CHINESE),
)
ANSWERS: Mapping[str, SpokenAnswer] = {answer.name: answer for answer in _ALL}
"""By name, as flow files use them."""

_DIGITS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("zero",),
        ("one",),
        ("two",),
        ("three",),
        ("four",),
        ("five",),
        ("six",),
        ("seven",),
        ("eight",),
        ("nine",),
    ),
    "zh": (("零",), ("一", "幺"), ("二", "两"), ("三",), ("四",), ("五",), ("六",), ("七",), ("八",), ("九",)),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be said to one question in one language: the key that each phrase stands for."""

    language: str
    keys: Mapping[str, str]


def vocabulary(answers: Mapping[str, SpokenAnswer], language: str, *, has_back: bool) -> Vocabulary:
    """The words of the answers, by key, and the digits that are their keys; repeat and back as everywhere."""
    said = {**answers, REPEAT_KEY: REPEAT, **({BACK_KEY: BACK} if has_back else {})}
    keys: dict[str, str] = {}
    for key, answer in said.items():
        keys |= dict.fromkeys([*answer.words.get(language, ()), *_digit(key, language)], key)
    return Vocabulary(language, keys)


def every_phrase(own: Iterable[SpokenAnswer] = ()) -> dict[str, tuple[str, ...]]:
    """All phrases that can ever be asked for, by language; for the recogniser's health check."""
    found: dict[str, dict[str, None]] = {language: {} for language in _DIGITS}
    for language, digits in _DIGITS.items():
        words = [answer.words.get(language, ()) for answer in (*ANSWERS.values(), *own)]
        found[language] = dict.fromkeys(phrase for phrases in (*words, *digits) for phrase in phrases)
    return {language: tuple(phrases) for language, phrases in found.items()}


def _digit(key: str, language: str) -> tuple[str, ...]:
    return _DIGITS[language][int(key)] if key.isdigit() else ()
