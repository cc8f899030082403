"""A real Vosk model for the whole session, made once and kept in pytest's cache; words spoken by flite."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from tests.speech import tiny_acoustics, tiny_vosk_model


def _fingerprint() -> str:
    sources = [Path(str(module.__file__)).read_bytes() for module in (tiny_acoustics, tiny_vosk_model)]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


@pytest.fixture(scope="session")
def tiny_model(request: pytest.FixtureRequest) -> Path:
    """A Vosk model that knows "yes", "no", "message" and "operator". Do not change it: copy it."""
    if (reason := tiny_vosk_model.missing_tools()) is not None:
        pytest.skip(reason)
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("tiny_vosk") / _fingerprint()
    if not folder.exists():
        built = tiny_vosk_model.build(folder.with_name(f"{folder.name}.{os.getpid()}"))
        try:
            built.rename(folder)
        except OSError:  # another worker of the same session was first
            shutil.rmtree(built)
            assert folder.exists()
    return folder


@cache
def spoken(words: str, voice: str = "slt", sample_format: SampleFormat = SampleFormat.ULAW) -> bytes:
    """Words with 0.4 s of silence before them and 1 s after, as s16, through a modem's sample format."""
    said = np.concatenate([np.zeros(3200), tiny_acoustics.speak(words, voice), np.zeros(8000)])
    return decode_to_s16(encode_s16(said.astype("<i2").tobytes(), sample_format), sample_format)


@pytest.fixture
def say() -> Callable[..., bytes]:
    return spoken
