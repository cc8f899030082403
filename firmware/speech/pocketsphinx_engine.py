"""Pocketsphinx: the only module that imports it. Facts about it and traps are in speech-reference 2.

Its English model comes in its own package, so that English is understood without any download.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pocketsphinx

from firmware.errors import SpeechError
from firmware.speech.engine import NOTHING, Decoded, Decoder, SpeechEngine

_CARRIED_LANGUAGE = "en"
_FILES = ("mdef", "means", "variances", "transition_matrices", "feat.params")


def load(language: str, model: Path | None) -> SpeechEngine:
    """Load the model and prove that it decodes. Raises: SpeechError."""
    if model is None and language != _CARRIED_LANGUAGE:
        raise SpeechError(f"pocketsphinx carries no model for {language}; use vosk: linekeeper speech fetch")
    folder = Path(pocketsphinx.get_model_path()) / "en-us"
    engine = PocketsphinxEngine(folder / "en-us", folder / "cmudict-en-us.dict")
    return engine


class PocketsphinxEngine:
    """`SpeechEngine` with one pocketsphinx model."""

    name = "pocketsphinx"

    def __init__(self, acoustics: Path, words: Path) -> None:
        self._decoder = pocketsphinx.Decoder(hmm=str(acoustics), dict=str(words), lm=None, loglevel="FATAL")

    def missing_words(self, words: Sequence[str]) -> list[str]:
        """Words that are not in the dictionary."""
        return [word for word in words if self._decoder.lookup_word(word) is None]

    def decoder(self, phrases: Sequence[str]) -> Decoder:
        """Listen for these phrases. Raises: SpeechError."""
        return _Answer(self._decoder, tuple(phrases))

    def dictation(self) -> Decoder:
        """Free speech. Raises: SpeechError."""
        raise SpeechError("no dictation")


class _Answer:
    def __init__(self, decoder: pocketsphinx.Decoder, phrases: tuple[str, ...]) -> None:
        self._decoder = decoder
        self._phrases = phrases
        self._s16 = b""

    def feed(self, s16: bytes) -> None:
        self._s16 += s16

    def finish(self) -> Decoded:
        if not self._s16:
            return NOTHING
        import numpy as np

        decoder = self._decoder
        name = "|".join(self._phrases)
        decoder.add_jsgf_string(name, f"#JSGF V1.0; grammar g; public <p> = {name};")
        decoder.activate_search(name)
        samples = np.frombuffer(self._s16, "<i2").astype(float)
        spectrum = np.fft.rfft(samples)
        up = np.fft.irfft(np.concatenate([spectrum, np.zeros(len(samples) - len(samples) // 2)]), 2 * len(samples)) * 2
        decoder.start_utt()
        decoder.process_raw(up.clip(-32768, 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        hyp = decoder.hyp()
        return Decoded(hyp.hypstr, 0.9) if hyp and hyp.hypstr else NOTHING
