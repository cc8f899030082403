"""Running a synthesiser's program, and reading the WAV that it wrote."""

from __future__ import annotations

import subprocess
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import PromptError
from firmware.pcm import to_array

# A slow machine needs a few seconds for a sentence; a program that waits for something else never ends.
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Speech:
    """What a synthesiser said: signed 16-bit samples at its own rate."""

    rate_hz: int
    samples: array[int]


def run_program(command: list[str], cure: str, *, said: str | None = None, good_status: tuple[int, ...] = (0,)) -> str:
    """Run it with `said` on its standard input, and return its output.

    Raises: PromptError, with `cure` (how to install it) when there is no such program.
    """
    text = None if said is None else said.encode()
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_SECONDS, input=text)
    except FileNotFoundError as error:
        raise PromptError(f"{command[0]} is not installed: {cure}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PromptError(f"{command[0]} did not work: {error}") from error
    if done.returncode not in good_status:
        told = done.stderr.decode("utf-8", "replace").strip()
        raise PromptError(f"{command[0]} failed with status {done.returncode}: {told[-500:]}")
    return done.stdout.decode("utf-8", "replace")


def read_speech(path: Path) -> Speech:
    """The file that a synthesiser wrote. Raises: PromptError."""
    try:
        with wave.open(str(path)) as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise PromptError("the synthesiser did not write 16-bit mono")
            return Speech(file.getframerate(), to_array(file.readframes(file.getnframes())))
    except (OSError, EOFError, wave.Error) as error:
        raise PromptError(f"the synthesiser wrote no sound: {error}") from error
