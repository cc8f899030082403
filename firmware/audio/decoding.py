"""Sound files of any office: WAV, FLAC, MP3 and OGG to samples. The only place that imports soundfile (libsndfile).

The files come from anywhere, so nothing about them is believed: kind, size, length, channels, rate and samples are
all checked, and no more is read than a prompt could need.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from firmware.audio.acceptance import HIGHEST_RATE_HZ, LONGEST_TAKE_SECONDS, LOWEST_RATE_HZ
from firmware.audio.mastering import Signal
from firmware.errors import PromptError

_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "MP3", "OGG"}
# A minute of stereo at 192 kHz and 32 bits is 92 MB.
_LARGEST_FILE_BYTES = 100_000_000
_MOST_CHANNELS = 2
# Less than this share of the louder channel's power is left when both are summed: they cancel each other.
_CANCELLED = 0.1


def decode(path: Path) -> tuple[Signal, int]:
    """Mono samples, full scale 1, and their rate in Hz. A link is not followed.

    Raises: PromptError with what is wrong and what to do, as the end of a sentence about the file.
    """
    library = _library()
    try:
        with _regular_file(path) as handle, library.SoundFile(handle, closefd=False) as sound:
            _check(sound)
            frames = sound.read(int(LONGEST_TAKE_SECONDS * sound.samplerate) + 1, dtype="float64", always_2d=True)
            return _to_mono(frames), int(sound.samplerate)
    except library.SoundFileError as error:
        raise PromptError(f"it cannot be decoded ({error}); save it again as a 16-bit WAV") from error
    except OSError as error:
        raise PromptError(f"it cannot be read: {error.strerror or error}") from error


def _library() -> ModuleType:
    try:
        import soundfile  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except (ImportError, OSError) as error:
        # OSError: the package is there, libsndfile is not.
        raise PromptError("reading sound files needs soundfile: pip install 'linekeeper[sound]'") from error
    module: ModuleType = soundfile
    return module


@contextmanager
def _regular_file(path: Path) -> Iterator[int]:
    # Without O_NONBLOCK a named pipe would hold us for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise PromptError("it is no ordinary file")
        if not status.st_size:
            raise PromptError("it is empty; record it again")
        if status.st_size > _LARGEST_FILE_BYTES:
            raise PromptError(
                f"it has {status.st_size // 1_000_000} MB, too many for a prompt; cut out the prompt alone"
            )
        yield handle
    finally:
        os.close(handle)


def _check(sound: Any) -> None:
    if sound.format not in _FORMATS:
        raise PromptError(f"its content is {sound.format}; save it as WAV, FLAC, MP3 or OGG")
    if sound.channels > _MOST_CHANNELS:
        raise PromptError(f"it has {sound.channels} channels; save it in mono or stereo")
    if not LOWEST_RATE_HZ <= sound.samplerate <= HIGHEST_RATE_HZ:
        raise PromptError(f"it has {sound.samplerate} samples/s; save it with {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}")
    # A broken header may claim any length; what is read is bounded anyway.
    if sound.frames > LONGEST_TAKE_SECONDS * sound.samplerate:
        raise PromptError(f"it lasts longer than {LONGEST_TAKE_SECONDS:.0f} s; cut out the prompt alone")


def _to_mono(frames: Signal) -> Signal:
    """The middle of both channels, or the louder one where they cancel each other or one is silent."""
    mixed: Signal = frames.mean(axis=1)
    if frames.shape[1] == 1 or not len(frames) or not np.isfinite(frames).all():
        return mixed
    powers = (frames**2).mean(axis=0)
    if (mixed**2).mean() < _CANCELLED * powers.max():
        louder: Signal = frames[:, int(powers.argmax())]
        return louder
    return mixed
