"""espeak-ng: robotic, tiny, and the only voice in Debian that speaks Mandarin."""

from __future__ import annotations

import re
from pathlib import Path

from firmware.audio.catalogue import Voice
from firmware.audio.synthesiser_program import run_program
from firmware.errors import PromptError

NAME = "espeak-ng"
_CURE = "apt-get install espeak-ng"
# espeak-ng marks where it changes to another language's rules: `(en)ga55nTr'i:` is English letters for a Mandarin
# syllable, and Debian 12's voices "cmn" and "zh" read every one so (speech-reference 3).
_OTHER_LANGUAGE = re.compile(r"\([a-z]{2,3}(-[a-z]+)*\)")
# What `describe` said of a voice that fell into that trap; from 1.52 on the same names read right.
_TRAPPED = re.compile(r"espeak-ng 1\.([0-4]?[0-9]|5[01])(\.\d+)? (cmn|zh)")


class EspeakNg:
    """Implements `synthesis.Engine`."""

    def describe(self, voice: Voice) -> str:
        """See `Engine`."""
        found = re.search(r"\d+\.\d+(\.\d+)?", run_program([NAME, "--version"], _CURE))
        return f"{NAME} {found[0] if found else 'unknown'} {voice.name}"

    def speak(self, voice: Voice, text: str, wav: Path) -> None:
        """See `Engine`; refuses to read by another language's rules."""
        said = phonemes(voice, text)
        if not said or reads_other_language(said):
            raise PromptError(
                f'espeak-ng\'s voice "{voice.voice}" reads "{text}" by another language\'s rules ({said[:60]}); '
                "for Mandarin use cmn-latn-pinyin"
            )
        run_program([NAME, "-v", voice.voice, "-s", str(voice.words_per_minute), "-w", str(wav), text], _CURE)


def phonemes(voice: Voice, text: str) -> str:
    """How it would say a text, in its own notation. Raises: PromptError."""
    return run_program([NAME, "-v", voice.voice, "-q", "-x", text], _CURE).strip()


def reads_other_language(said: str) -> bool:
    """Whether these phonemes hold syllables that are read by another language's rules."""
    return _OTHER_LANGUAGE.search(said) is not None


def was_trapped(description: str) -> bool:
    """Whether a sound was made by a voice that spells Mandarin in English."""
    return _TRAPPED.fullmatch(description) is not None
