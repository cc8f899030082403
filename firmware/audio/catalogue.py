"""The catalogue of everything we say: `voice-prompts/catalogue.yaml`, read and checked with line numbers."""

from __future__ import annotations

import hashlib
import re
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import YamlSource, did_you_mean, parse_yaml

CATALOGUE_FILE = "catalogue.yaml"
LANGUAGES = ("zh", "en")
PIPER = "piper"
ENGINES = ("espeak-ng", "flite", PIPER)
PROMPT_ID = re.compile(r"[a-z][a-z0-9_]{0,40}")
_WORDS_PER_MINUTE = range(80, 301)
_PACE, _DIGIT_PACE = "words_per_minute", "digit_words_per_minute"
_VOICE_KEYS = ("engine", "voice", _PACE, _DIGIT_PACE)
DIGIT_PREFIX = "digit_"
_OWN_KEYS = "own_keys"
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: a synthesiser, the name it gives the voice, and how fast it reads.

    For piper `voice` is the path of a voice file, which has a pace of its own: `slowdown` says how many times longer
    it speaks than in sentences.
    """

    engine: str
    voice: str
    words_per_minute: int
    slowdown: float = 1.0

    @property
    def name(self) -> str:
        """The voice, wherever its file lies."""
        return Path(self.voice).stem if self.engine == PIPER else self.voice


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to say, in every language. `own_keys`: each language names its own key, as the language choice does."""

    id: str
    texts: dict[str, str]
    own_keys: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All prompts by id, and the voices of each language. `source` knows the lines."""

    source: YamlSource
    voices: dict[str, Voice]
    digit_voices: dict[str, Voice]
    prompts: dict[str, Prompt]

    def voice(self, prompt: str, language: str) -> Voice:
        """Who reads it, and how fast."""
        return (self.digit_voices if prompt.startswith(DIGIT_PREFIX) else self.voices)[language]

    def checksum(self, prompt: str, language: str) -> str:
        """Changes when the text or the voice that reads it does."""
        voice = self.voice(prompt, language)
        parts = (voice.engine, voice.name, str(voice.words_per_minute), self.prompts[prompt].texts[language])
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def text_checksum(self, prompt: str, language: str) -> str:
        """Changes when the text does, whoever reads it."""
        return hashlib.sha256(self.prompts[prompt].texts[language].encode()).hexdigest()[:16]

    def with_piper(self, language: str, voice_file: Path) -> Catalogue:
        """The same texts, read in one language by a piper voice."""
        usual, digits = self.voices[language], self.digit_voices[language]
        slowdown = usual.words_per_minute / digits.words_per_minute
        sentences = Voice(PIPER, str(voice_file), usual.words_per_minute)
        numbers = Voice(PIPER, str(voice_file), digits.words_per_minute, slowdown)
        return replace(
            self,
            voices={**self.voices, language: sentences},
            digit_voices={**self.digit_voices, language: numbers},
        )

    def problem(self, prompt: str, language: str, text: str) -> Problem:
        """A mistake in one text."""
        return self.source.problem(("prompts", prompt, language), f"{prompt} ({language}): {text}")


def default_folder() -> Path:
    """Where the prompts lie: beside the package in a checkout, else where the wheel put them."""
    beside_package = Path(__file__).resolve().parents[2] / "voice-prompts"
    if (beside_package / CATALOGUE_FILE).is_file():
        return beside_package
    return Path(sysconfig.get_path("data")) / "share" / "linekeeper" / "voice-prompts"


def load_catalogue(folder: Path) -> Catalogue:
    """Read and check the catalogue of a prompts folder. Raises: ConfigurationError with every mistake."""
    path = folder / CATALOGUE_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(path), 0, f"cannot be read: {error}")]) from error
    return parse_catalogue(str(path), text)


def parse_catalogue(name: str, text: str) -> Catalogue:
    """Check catalogue text. Raises: ConfigurationError."""
    source = parse_yaml(name, text)
    reader = _Reader(source)
    root = reader.mapping((), source.value)
    reader.only(("voices", "prompts"), (), root)
    voices = reader.each(("voices",), root.get("voices"), reader.voices)
    prompts = reader.each(("prompts",), root.get("prompts"), reader.prompt)
    reader.complete(("voices",), root.get("voices"))
    if reader.problems:
        raise ConfigurationError(reader.problems)
    usual = {language: pair[0] for language, pair in voices.items()}
    for_digits = {language: pair[1] for language, pair in voices.items()}
    return Catalogue(source, usual, for_digits, prompts)


class _Reader:
    """Turns plain values into the catalogue and collects what is wrong with them."""

    def __init__(self, source: YamlSource) -> None:
        self._source = source
        self.problems: list[Problem] = []

    def each(
        self, path: tuple[str, ...], value: object, read: Callable[[tuple[str, ...], str, object], _Part | None]
    ) -> dict[str, _Part]:
        parts = {name: read((*path, name), name, entry) for name, entry in self.mapping(path, value).items()}
        return {name: part for name, part in parts.items() if part is not None}

    def mapping(self, path: tuple[str, ...], value: object) -> dict[str, object]:
        if isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
            return value
        self._wrong(path, f"{'.'.join(path) or 'the file'}: names and what belongs to them are needed here")
        return {}

    def only(self, known: tuple[str, ...], path: tuple[str, ...], value: dict[str, object]) -> None:
        for key in value.keys() - set(known):
            self._wrong((*path, key), f'unknown key "{key}"{did_you_mean(key, known)}')

    def complete(self, path: tuple[str, ...], value: object) -> None:
        for language in LANGUAGES:
            if isinstance(value, dict) and language not in value:
                self._wrong(path, f'"{language}" is missing')

    def voices(self, path: tuple[str, ...], name: str, value: object) -> tuple[Voice, Voice] | None:
        """The voice for sentences and the one for digits."""
        if name not in LANGUAGES:
            self._wrong(path, f'unknown language "{name}"{did_you_mean(name, LANGUAGES)}')
        entry = self.mapping(path, value)
        self.only(_VOICE_KEYS, path, entry)
        engine, voice = entry.get("engine"), entry.get("voice")
        if engine not in ENGINES:
            self._wrong((*path, "engine"), f"engine: one of {', '.join(ENGINES)} is needed")
        if not isinstance(voice, str) or not voice:
            self._wrong((*path, "voice"), "voice: a name is needed")
        pace = self._pace((*path, _PACE), entry.get(_PACE))
        digit_pace = self._pace((*path, _DIGIT_PACE), entry.get(_DIGIT_PACE, pace))
        for_digits = Voice(str(engine), str(voice), digit_pace, pace / digit_pace)
        return Voice(str(engine), str(voice), pace), for_digits

    def _pace(self, path: tuple[str, ...], value: object) -> int:
        if isinstance(value, int) and value in _WORDS_PER_MINUTE:
            return value
        self._wrong(path, f"{path[-1]}: a number from 80 to 300 is needed")
        return _WORDS_PER_MINUTE.start

    def prompt(self, path: tuple[str, ...], name: str, value: object) -> Prompt | None:
        if not PROMPT_ID.fullmatch(name):
            self._wrong(path, f'"{name}" cannot name a prompt: small letters, digits and _ only')
        entry = self.mapping(path, value)
        self.only((*LANGUAGES, _OWN_KEYS), path, entry)
        texts = {language: self._text(path, language, entry) for language in LANGUAGES}
        own_keys = entry.get(_OWN_KEYS, False)
        if not isinstance(own_keys, bool):
            self._wrong((*path, _OWN_KEYS), f"{_OWN_KEYS}: true or false is needed")
        return Prompt(name, texts, own_keys is True)

    def _text(self, path: tuple[str, ...], language: str, entry: dict[str, object]) -> str:
        text = entry.get(language)
        if isinstance(text, str) and text.strip():
            return text.strip()
        self._wrong((*path, language), f"{path[-1]}: its text in {language} is missing")
        return ""

    def _wrong(self, path: tuple[str, ...], text: str) -> None:
        self.problems.append(self._source.problem(path, text))
