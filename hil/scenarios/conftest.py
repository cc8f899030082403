"""What every scenario says and checks with."""

from __future__ import annotations

import random

import pytest

from firmware.pcm import from_array, to_array
from firmware.simulation.voices import babble


@pytest.fixture
def words() -> bytes:
    """Three seconds of talk, the same in every run."""
    return babble(3.0, random.Random(7))


@pytest.fixture
def long_talk() -> bytes:
    """Enough talk to pull a plug in the middle of it."""
    return babble(8.0, random.Random(5))


@pytest.fixture
def other_words() -> bytes:
    """Other talk, of another length. Backwards, as all babble comes from one monologue and may share words."""
    return from_array(to_array(babble(2.0, random.Random(11)))[::-1])
