"""Synthesisers behind one interface, run at build time only: text in, a voice's own sound out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from firmware.audio.catalogue import PIPER, Voice
from firmware.audio.espeak_ng import NAME as ESPEAK_NG
from firmware.audio.espeak_ng import EspeakNg
from firmware.audio.flite import NAME as FLITE
from firmware.audio.flite import Flite
from firmware.audio.piper import Piper
from firmware.audio.synthesiser_program import Speech, read_speech

__all__ = ["Engine", "Speech", "describe_voice", "synthesise"]


class Engine(Protocol):
    """One synthesiser. Both methods raise PromptError, with the cure where the program is missing."""

    def describe(self, voice: Voice) -> str:
        """Program, version and voice, for the record of what made a file; raises where the voice is not there."""
        ...

    def speak(self, voice: Voice, text: str, wav: Path) -> None:
        """Write one text as 16-bit mono WAV, at whatever rate."""
        ...


_ENGINES: dict[str, Engine] = {ESPEAK_NG: EspeakNg(), FLITE: Flite(), PIPER: Piper()}


def describe_voice(voice: Voice) -> str:
    """Program, version and voice, as `FileRecord.voice`. Raises: PromptError when one of them is not there."""
    return _ENGINES[voice.engine].describe(voice)


def synthesise(voice: Voice, text: str) -> Speech:
    """Speak a text.

    Raises: PromptError when the synthesiser is missing, fails, or reads by another language's rules.
    """
    with tempfile.TemporaryDirectory(prefix="prompts") as folder:
        path = Path(folder) / "speech.wav"
        _ENGINES[voice.engine].speak(voice, text, path)
        return read_speech(path)
