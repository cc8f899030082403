"""A whole recording through the ear: `linekeeper listen`."""

from __future__ import annotations

from firmware.audio.line_ear import LineEar
from firmware.events import KeyHeard, Sound
from firmware.units import seconds_to_samples

# A key or a tone that ends with the recording is certain only when something comes after it.
_AFTER = bytes(2 * seconds_to_samples(0.5))


def listen_to(s16: bytes, country: str) -> list[Sound]:
    """Keys and tones of the exchange in a recording, in the order they became certain. Raises: SoundError."""
    return list(LineEar(country).hear(s16 + _AFTER))


def listen_for_tones(s16: bytes, country: str) -> tuple[str, list[str]]:
    """The keys in a recording as one string, and the names of the tones. Raises: SoundError without spandsp."""
    heard = listen_to(s16, country)
    keys = "".join(sound.key for sound in heard if isinstance(sound, KeyHeard))
    return keys, [sound.tone.value for sound in heard if not isinstance(sound, KeyHeard)]
