"""Vosk: the only module that imports it. Facts about its models and traps are in speech-reference 1.

A model is always given by its folder: left to look for one itself, vosk goes to the network, or ends the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import vosk  # type: ignore[import-untyped]  # it ships no type hints

from firmware.errors import SpeechError
from firmware.speech.engine import Decoded, Decoder, SpeechEngine
from firmware.speech.phrases import UNKNOWN_WORD, chosen_phrase
from firmware.units import SAMPLE_RATE_HZ

_SILENT = -1
_NOT_FOUND = -1
# Label 0 of OpenFst, which every list of words begins with.
_IN_EVERY_LIST = "<eps>"
_FETCH = "fetch it again with: linekeeper speech fetch"
_Made = TypeVar("_Made")


def load(language: str, model: Path | None) -> SpeechEngine:
    """Load the model and prove that it decodes with phrases of its own. Raises: SpeechError."""
    if model is None:
        raise SpeechError(f"no vosk model for {language} is configured; get one with: linekeeper speech fetch")
    _check_files(model)
    vosk.SetLogLevel(_SILENT)
    loaded = _make(lambda: vosk.Model(str(model)), f"the speech model in {model} is broken; {_FETCH}")
    engine = VoskEngine(loaded, model)
    if engine.missing_words([_IN_EVERY_LIST]):
        raise SpeechError(f"the speech model in {model} is broken: its list of words is empty; {_FETCH}")
    # A model without its graphs loads, and only then fails (speech-reference 1).
    engine.decoder([UNKNOWN_WORD]).feed(bytes(SAMPLE_RATE_HZ))
    return engine


class VoskEngine:
    """`SpeechEngine` with one Vosk model."""

    name = "vosk"

    def __init__(self, model: Any, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._knows_unknown = not self.missing_words([UNKNOWN_WORD])

    def missing_words(self, words: Sequence[str]) -> list[str]:
        """Words that are not in the model's list."""
        return [word for word in words if self._model.vosk_model_find_word(word) <= _NOT_FOUND]

    def decoder(self, phrases: Sequence[str]) -> Decoder:
        """Listen for these phrases. Raises: SpeechError."""
        grammar = [*phrases, UNKNOWN_WORD] if self._knows_unknown else list(phrases)
        recognizer = _make(
            lambda: vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ, json.dumps(grammar, ensure_ascii=False)),
            f"the speech model in {self._folder} cannot listen for chosen words; {_FETCH}",
        )
        return _VoskDecoder(recognizer, tuple(phrases))

    def dictation(self) -> Decoder:
        """Free speech, by the model's own language model. Raises: SpeechError."""
        recognizer = _make(
            lambda: vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ),
            f"the speech model in {self._folder} cannot take dictation; {_FETCH}",
        )
        return _VoskDecoder(recognizer, None)


class _VoskDecoder:
    def __init__(self, recognizer: Any, phrases: tuple[str, ...] | None) -> None:
        self._recognizer = recognizer
        self._phrases = phrases
        self._heard: list[tuple[str, float]] = []
        recognizer.SetWords(True)

    def feed(self, s16: bytes) -> None:
        # True where vosk itself hears a pause, after which it begins anew.
        if s16 and _make(lambda: self._recognizer.AcceptWaveform(s16), "vosk could not take samples"):
            self._take(self._recognizer.Result())

    def finish(self) -> Decoded:
        self._take(self._recognizer.FinalResult())
        if self._phrases is not None:
            return chosen_phrase(self._heard, self._phrases)
        said = [(word, confidence) for word, confidence in self._heard if word != UNKNOWN_WORD]
        if not said:
            return Decoded("", 0.0)
        return Decoded(" ".join(word for word, _ in said), sum(confidence for _, confidence in said) / len(said))

    def _take(self, result: str) -> None:
        self._heard += [(word["word"], float(word["conf"])) for word in json.loads(result).get("result", [])]


def _check_files(model: Path) -> None:
    """A clearer word than the library's own, before it is asked."""
    if not model.is_dir():
        raise SpeechError(f"there is no speech model in {model}; get one with: linekeeper speech fetch")
    old_layout = not (model / "am").is_dir() and (model / "final.mdl").is_file()
    missing = [
        " or ".join(names)
        for names in (_OLD_FILES if old_layout else _FILES)
        if not any(_holds_something(model / name) for name in names)
    ]
    if missing:
        raise SpeechError(
            f"the speech model in {model} is not complete: {', '.join(missing)} missing or empty; {_FETCH}"
        )
    if (model / ("HCLG.fst" if old_layout else "graph/HCLG.fst")).exists():
        # With a whole graph vosk ignores the phrases and says nothing (speech-reference 1).
        raise SpeechError(
            f"the speech model in {model} cannot listen for chosen words; a small model is needed: {_FETCH}"
        )


# Alternatives side by side. The library itself tells of a missing graph/words.txt, which some models do without.
_FILES = (
    ("am/final.mdl",),
    ("conf/model.conf",),
    ("conf/mfcc.conf", "conf/fbank.conf"),
    ("graph/HCLr.fst", "graph/HCLG.fst"),
    ("graph/Gr.fst", "graph/HCLG.fst"),
)
_OLD_FILES = (("final.mdl",), ("mfcc.conf",), ("HCLr.fst", "HCLG.fst"), ("Gr.fst", "HCLG.fst"))


def _holds_something(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _make(make: Callable[[], _Made], sentence: str) -> _Made:
    try:
        return make()
    except Exception as error:
        # Vosk has no exception of its own: it raises the class itself. Anything more particular is a mistake of ours.
        if type(error) is not Exception:
            raise
        raise SpeechError(sentence) from error
