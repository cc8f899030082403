"""Pocketsphinx: the only module that imports it. Facts about it and traps are in speech-reference 2.

Its English model comes in its own package, so that English is understood without any download. What was tried to make
it understand telephone sound, and what that was worth, is in docs/speech.md.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pocketsphinx  # type: ignore[import-untyped]

from firmware.errors import SpeechError
from firmware.speech.engine import NOTHING, Decoded, Decoder, SpeechEngine
from firmware.speech.preparation import prepare
from firmware.speech.telephone_model import make_telephone_model
from firmware.units import SAMPLE_RATE_HZ

_CARRIED_LANGUAGE = "en"
_NEEDED = ("mdef", "means", "variances", "transition_matrices", "sendump", "feat.params")
# The mean cepstrum of prepared telephone speech, measured over 300 spoken digits. Every answer begins with it, so that
# one caller's voice never changes how the next one is understood.
_CEPSTRAL_MEAN = "42.87,1.41,6.15,4.11,-2.95,-0.78,-2.90,3.80"
_PHONES = "phones"
_BEST_ANSWERS = 20
# Confidence, calibrated on the same digits (docs/speech.md): no other phrase came near; the margin to the next one; and
# how much worse than free phones the words fit, in acoustic score a frame.
_ALONE = 0.9
_LEAST, _MOST, _PER_MARGIN = 0.45, 0.75, 3.0
_DOUBTFUL_FIT, _DOUBTFUL = -0.30, 0.6
_BAD_FIT, _IGNORED = -0.42, 0.2


def load(language: str, model: Path | None) -> SpeechEngine:
    """The model in the package for English, or a folder with a model of the same kind: acoustic files and `words.dict`.

    Raises: SpeechError.
    """
    if model is None and language != _CARRIED_LANGUAGE:
        raise SpeechError(
            f"pocketsphinx carries no model for {language}; use the engine vosk, `speech fetch` gets models"
        )
    carried = Path(pocketsphinx.get_model_path()) / "en-us"
    if model is None:
        return PocketsphinxEngine(carried / "en-us", carried / "cmudict-en-us.dict", carried / "en-us.lm.bin")
    return PocketsphinxEngine(model, model / "words.dict", model / "language.lm.bin")


class PocketsphinxEngine:
    """`SpeechEngine` with one pocketsphinx model, turned to the telephone band at the start."""

    name = "pocketsphinx"

    def __init__(self, acoustics: Path, words: Path, language_model: Path) -> None:
        self._language_model = language_model
        _check(acoustics, words)
        try:
            with tempfile.TemporaryDirectory(prefix="linekeeper-speech-") as folder:
                make_telephone_model(acoustics, Path(folder), _CEPSTRAL_MEAN)
                self._decoder = pocketsphinx.Decoder(
                    hmm=folder, dict=str(words), lm=None, samprate=SAMPLE_RATE_HZ, loglevel="FATAL"
                )
            self._decoder.add_allphone_file(_PHONES, None)
        except (OSError, ValueError, RuntimeError) as error:
            raise SpeechError(f"the speech model at {acoustics} cannot be used: {error}; install it again") from error
        self._grammars: dict[tuple[str, ...], str] = {}

    def missing_words(self, words: Sequence[str]) -> list[str]:
        """Words that are not in the dictionary."""
        return [word for word in words if self._decoder.lookup_word(word) is None]

    def decoder(self, phrases: Sequence[str]) -> Decoder:
        """Listen for these phrases. Raises: SpeechError."""
        unknown = self.missing_words([word for phrase in phrases for word in phrase.split()])
        if unknown or not phrases:
            raise SpeechError(f"the speech model does not know: {', '.join(unknown) or 'no phrases were given'}")
        return _Answer(self._decoder, self._search(tuple(phrases)))

    def dictation(self) -> Decoder:
        """Free speech. Raises: SpeechError where the model has no language model."""
        if not self._language_model.is_file():
            raise SpeechError("this pocketsphinx model has no language model, so messages are not written down")
        if "dictation" not in self._grammars.values():
            try:
                self._decoder.add_lm_file("dictation", str(self._language_model))
            except (OSError, ValueError, RuntimeError) as error:
                raise SpeechError(f"the language model {self._language_model} cannot be used: {error}") from error
            self._grammars[("",)] = "dictation"
        return _Dictation(self._decoder, "dictation")

    def _search(self, phrases: tuple[str, ...]) -> str:
        if phrases not in self._grammars:
            name = f"answers{len(self._grammars)}"
            grammar = f"#JSGF V1.0; grammar answers; public <answer> = {' | '.join(phrases)};"
            try:
                self._decoder.add_jsgf_string(name, grammar)
            except (ValueError, RuntimeError) as error:
                raise SpeechError(f"pocketsphinx cannot listen for {', '.join(phrases)}: {error}") from error
            self._grammars[phrases] = name
        return self._grammars[phrases]


class _Buffered:
    """Decoding waits for the end: level and mean of the whole answer are needed, and it takes only tens of ms."""

    def __init__(self, decoder: pocketsphinx.Decoder, search: str) -> None:
        self._decoder = decoder
        self._search = search
        self._s16 = bytearray()

    def feed(self, s16: bytes) -> None:
        """The next samples."""
        self._s16 += s16

    def _decode(self, search: str, s16: bytes) -> tuple[str, float]:
        """What was heard and its acoustic score."""
        self._decoder.activate_search(search)
        self._decoder.set_cmn(_CEPSTRAL_MEAN)
        self._decoder.start_utt()
        self._decoder.process_raw(s16, full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        if best is None or not best.hypstr:
            return "", 0.0
        return str(best.hypstr), float(sum(segment.ascore for segment in self._decoder.seg()))


class _Answer(_Buffered):
    """One answer out of a grammar."""

    def finish(self) -> Decoded:
        """The phrase that fits best; see `engine.Decoder`."""
        prepared = prepare(bytes(self._s16))
        if not prepared:
            return NOTHING
        text, score = self._decode(self._search, prepared)
        if not text:
            return NOTHING
        margin = self._margin(text)
        frames = max(1, self._decoder.n_frames())
        _, free_score = self._decode(_PHONES, prepared)
        return Decoded(text, _confidence(margin, (score - free_score) / frames))

    def _margin(self, text: str) -> float | None:
        """How far the best other phrase is behind; None where none came near."""
        best = self._decoder.hyp().score
        others = (other.score for other in islice(self._decoder.nbest(), _BEST_ANSWERS) if other.hypstr != text)
        other = next(others, None)
        return math.log(best / other) if other and best > 0 and other > 0 else None


class _Dictation(_Buffered):
    """Free speech."""

    def finish(self) -> Decoded:
        """Whatever was said; see `engine.Decoder`."""
        if not self._s16:
            return NOTHING
        text, _ = self._decode(self._search, bytes(self._s16))
        confidence = math.exp(min(0.0, self._probability())) if text else 0.0
        return Decoded(text, confidence)

    def _probability(self) -> float:
        with contextlib.suppress(ValueError):
            return math.log(max(float(self._decoder.hyp().prob), 1e-6))
        return -math.inf


def _confidence(margin: float | None, fit: float) -> float:
    sure = _ALONE if margin is None else min(_MOST, _LEAST + _PER_MARGIN * max(0.0, margin))
    if fit < _BAD_FIT:
        return min(sure, _IGNORED)
    return min(sure, _DOUBTFUL) if fit < _DOUBTFUL_FIT else sure


def _check(acoustics: Path, words: Path) -> None:
    missing = [str(path) for path in (*(acoustics / name for name in _NEEDED), words) if not path.is_file()]
    if missing:
        raise SpeechError(f"the speech model is not complete, {', '.join(missing)} is missing; install it again")
