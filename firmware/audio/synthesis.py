"""The synthesisers, run at build time only: text in, a voice's own WAV out."""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.catalogue import Voice
from firmware.errors import PromptError
from firmware.pcm import to_array

_TIMEOUT_SECONDS = 60
# How fast flite reads the voice rms by itself, pauses included; measured over our English prompts.
_FLITE_WORDS_PER_MINUTE = 172
# espeak-ng marks where it changes to another language's rules: `(en)ga55nTr'i:` is English letters for a Mandarin
# syllable, and Debian 12's voices "cmn" and "zh" read every one so (speech-reference 3).
_OTHER_LANGUAGE = re.compile(r"\([a-z]{2,3}(-[a-z]+)*\)")


@dataclass(frozen=True, slots=True)
class Speech:
    """What a synthesiser said: signed 16-bit samples at its own rate."""

    rate_hz: int
    samples: array[int]


def engine_version(engine: str) -> str:
    """The version of a synthesiser, for the record of what made a file. Raises: PromptError."""
    told = _run([engine, "--version"], good_status=(0, 1))  # flite tells its version with status 1
    found = re.search(r"\d+\.\d+(\.\d+)?", told)
    return found[0] if found else "unknown"


def check_voice(voice: Voice) -> None:
    """Whether the voice is there. Raises: PromptError."""
    if voice.engine == "flite" and voice.voice not in _run(["flite", "-lv"]).split():
        # flite would quietly take another one.
        raise PromptError(f'flite has no voice "{voice.voice}"')


def synthesise(voice: Voice, text: str) -> Speech:
    """Speak a text.

    Raises: PromptError when the synthesiser is missing, fails, or reads by another language's rules.
    """
    if voice.engine == "espeak-ng":
        _refuse_other_language(voice, text)
    with tempfile.TemporaryDirectory(prefix="prompts") as folder:
        path = Path(folder) / "speech.wav"
        _run([*_command(voice, path), text])
        return _read(path)


def phonemes(voice: Voice, text: str) -> str:
    """How espeak-ng would say it, in its own notation. Raises: PromptError."""
    return _run(["espeak-ng", "-v", voice.voice, "-q", "-x", text]).strip()


def _refuse_other_language(voice: Voice, text: str) -> None:
    said = phonemes(voice, text)
    if not said or _OTHER_LANGUAGE.search(said):
        raise PromptError(
            f'espeak-ng\'s voice "{voice.voice}" reads "{text}" by another language\'s rules ({said[:60]}); '
            "for Mandarin use cmn-latn-pinyin"
        )


def _command(voice: Voice, path: Path) -> list[str]:
    if voice.engine == "espeak-ng":
        return ["espeak-ng", "-v", voice.voice, "-s", str(voice.words_per_minute), "-w", str(path)]
    stretch = f"duration_stretch={_FLITE_WORDS_PER_MINUTE / voice.words_per_minute:.3f}"
    return ["flite", "-voice", voice.voice, "--setf", stretch, "-o", str(path), "-t"]


def _run(command: list[str], *, good_status: tuple[int, ...] = (0,)) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except FileNotFoundError as error:
        raise PromptError(f"{command[0]} is not installed: apt-get install {command[0]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PromptError(f"{command[0]} did not work: {error}") from error
    if done.returncode not in good_status:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise PromptError(f"{command[0]} failed with status {done.returncode}: {said}")
    return done.stdout.decode("utf-8", "replace")


def _read(path: Path) -> Speech:
    try:
        with wave.open(str(path)) as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise PromptError("the synthesiser did not write 16-bit mono")
            return Speech(file.getframerate(), to_array(file.readframes(file.getnframes())))
    except (OSError, EOFError, wave.Error) as error:
        raise PromptError(f"the synthesiser wrote no sound: {error}") from error
