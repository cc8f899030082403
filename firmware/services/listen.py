"""The appliance's ears on recordings: keys, tones of the exchange, words. In this process, as no call depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from firmware.audio.listening import listen_for_tones
from firmware.errors import SoundError
from firmware.pcm import decode_to_s16
from firmware.settings import SpeechSettings
from firmware.speech.engine import NOTHING
from firmware.speech.offline import OfflineRecognizer
from firmware.units import SAMPLE_RATE_HZ
from firmware.wav import NotAWav, parse


class Listener:
    """Hears one file after the other. Words are listened for where phrases are given."""

    def __init__(self, country: str, speech: SpeechSettings, language: str, phrases: Sequence[str]) -> None:
        """Raises: SpeechError where the words cannot be understood here."""
        self._country = country
        self._words = OfflineRecognizer(speech, language, phrases) if phrases else None

    def listen(self, file: Path) -> dict[str, Any]:
        """`file, digits, tones, text, confidence`. Raises: SoundError, SpeechError."""
        s16 = _samples(file)
        digits, tones = listen_for_tones(s16, self._country)
        heard = self._words.recognise(s16) if self._words else NOTHING
        return {
            "file": str(file),
            "digits": digits,
            "tones": tones,
            "text": heard.text,
            "confidence": round(heard.confidence, 3),
        }


def _samples(file: Path) -> bytes:
    try:
        wav = parse(file.read_bytes())
    except (OSError, NotAWav) as error:
        raise SoundError(f"{file} cannot be used: {error}") from error
    if wav.rate_hz != SAMPLE_RATE_HZ:
        raise SoundError(f"{file} has {wav.rate_hz} samples a second; {SAMPLE_RATE_HZ} are needed")
    whole = len(wav.data) - len(wav.data) % wav.sample_format.sample_bytes
    return decode_to_s16(wav.data[:whole], wav.sample_format)
