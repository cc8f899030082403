"""The shelf of recorded prompts that calls are served from. `ports.PromptShelf`.

Everything is read once, at the start: a card that fails later cannot silence a call, and faults show before one comes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from firmware.audio.catalogue import load_catalogue
from firmware.audio.files import wav_path
from firmware.audio.own_versions import current_sound, own_files
from firmware.audio.wav_files import load_s16
from firmware.errors import ConfigurationError
from firmware.pcm import from_array
from firmware.ports import Clip
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples
from firmware.wav import NotAWav

_DIGIT_PROMPTS = {
    "*": "digit_star",
    "#": "digit_hash",
    "+": "digit_plus",
    **{key: f"digit_{key}" for key in "0123456789"},
}
# Two falling notes, at frequencies of no call progress or DTMF tone.
_CHIME_HZ, _CHIME_NOTE_SECONDS, _CHIME_PEAK = (1050, 800), 0.15, 4600


class Shelf:
    """Serves clips and never raises; each problem is told once to `on_problem`, as a sentence for people.

    `languages` are the configured ones; the first is the default. `own` is where the office keeps versions of its own:
    the newest that is whole goes before the shipped sound. Not for use from several threads.
    """

    def __init__(
        self, folder: Path, languages: Sequence[str], on_problem: Callable[[str], None], own: Path | None = None
    ) -> None:
        self._languages = tuple(languages)
        self._on_problem = on_problem
        # Prompts and languages whose missing sound was told already.
        self._told: set[tuple[str, str]] = set()
        self._texts = self._load_texts(folder)
        self._clips: dict[str, dict[str, Clip]] = {language: {} for language in self._languages}
        if own is not None:
            self._load_own(own)
        for language in self._languages:
            self._load_shipped(folder, language)
        self._substitutes: dict[tuple[str, str], Clip] = {}

    def clip(self, prompt: str, language: str) -> Clip:
        """One prompt: in this language, else in another, else a chime."""
        own = self._clips.get(language, {}).get(prompt)
        return own or self._substitute(prompt, language)

    def digits(self, digits: str, language: str) -> list[Clip]:
        """Digits, `*`, `#` and `+` one by one; anything else in `digits` is passed over."""
        return [self.clip(_DIGIT_PROMPTS[digit], language) for digit in digits if digit in _DIGIT_PROMPTS]

    def available(self) -> dict[str, frozenset[str]]:
        """The prompts that have sound, by language."""
        return {language: frozenset(clips) for language, clips in self._clips.items()}

    def known(self) -> dict[str, frozenset[str]]:
        """The prompts that callers hear something for, by language: a lost file must not keep a flow from running."""
        every = frozenset(self._texts).union(*self._clips.values())
        return dict.fromkeys(self._languages, every)

    def _substitute(self, prompt: str, language: str) -> Clip:
        key = (prompt, language)
        if key not in self._substitutes:
            self._substitutes[key] = self._find_substitute(prompt, language)
        return self._substitutes[key]

    def _find_substitute(self, prompt: str, language: str) -> Clip:
        for other in self._languages:
            clip = self._clips[other].get(prompt)
            if clip:
                self._tell(f'the prompt "{prompt}" has no sound in {language}; callers hear {other}', prompt, language)
                return clip
        self._tell(f'the prompt "{prompt}" has no sound; callers hear a chime', prompt, language)
        return Clip(prompt, f"(a chime in place of {prompt})", _chime(), language)

    def _load_texts(self, folder: Path) -> Mapping[str, Mapping[str, str]]:
        try:
            return {prompt.id: prompt.texts for prompt in load_catalogue(folder).prompts.values()}
        except ConfigurationError as error:
            told = "; ".join(map(str, error.problems))
            self._on_problem(f"the prompt catalogue cannot be used, so what callers hear shows without words: {told}")
            return {}

    def _load_own(self, own: Path) -> None:
        try:
            for language, prompt in own_files(own):
                sound = current_sound(own, (language, prompt), self._on_problem) if language in self._clips else None
                if sound:
                    self._put(prompt, language, sound.s16)
        except OSError as error:
            self._on_problem(
                f"the office's own prompts in {own} cannot be read: {error}; callers hear the shipped ones"
            )

    def _load_shipped(self, folder: Path, language: str) -> None:
        for prompt in self._prompts_to_load(folder, language):
            path = wav_path(folder, (language, prompt))
            try:
                self._put(prompt, language, load_s16(path))
            except (OSError, NotAWav) as error:
                self._tell(f"the prompt file {path} cannot be used: {error}", prompt, language)

    def _put(self, prompt: str, language: str, s16: bytes) -> None:
        self._clips[language][prompt] = Clip(prompt, self._text(prompt, language), s16, language)

    def _prompts_to_load(self, folder: Path, language: str) -> list[str]:
        try:
            found = {path.stem for path in (folder / language).iterdir() if path.suffix == ".wav"}
        except OSError as error:
            self._on_problem(f"the prompts folder {folder / language} cannot be read: {error}")
            self._told.update((prompt, language) for prompt in self._texts)
            return []
        # A named prompt without a file is tried too, so that its absence is told now and not in a call.
        return sorted((found | self._texts.keys()) - self._clips[language].keys())

    def _text(self, prompt: str, language: str) -> str:
        return self._texts.get(prompt, {}).get(language, prompt)

    def _tell(self, problem: str, prompt: str, language: str) -> None:
        if (prompt, language) not in self._told:
            self._told.add((prompt, language))
            self._on_problem(problem)


def _chime() -> bytes:
    return b"".join(_note(frequency_hz) for frequency_hz in _CHIME_HZ)


def _note(frequency_hz: int) -> bytes:
    length = seconds_to_samples(_CHIME_NOTE_SECONDS)
    # Half a sine as envelope starts and ends without a click.
    return from_array(
        array(
            "h",
            (
                round(
                    _CHIME_PEAK
                    * math.sin(math.pi * at / length)
                    * math.sin(2 * math.pi * frequency_hz * at / SAMPLE_RATE_HZ)
                )
                for at in range(length)
            ),
        )
    )
