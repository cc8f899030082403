"""The library itself: its filters, its memory, and life without it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.audio import spandsp
from firmware.audio.line_ear import LineEar, ear_maker, tones_problem
from firmware.audio.spandsp import KEY_BLOCK_SAMPLES, KeyReceiver, ToneFilters
from firmware.errors import SoundError
from firmware.simulation.synthesis import dtmf, tone
from tests.audio.tone_sounds import silence


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without the library."""
    monkeypatch.setattr(spandsp, "LIBRARY", "libspandsp-of-no-machine.so.2")
    spandsp._library.cache_clear()
    yield
    spandsp._library.cache_clear()


class TestFilters:
    def test_give_the_power_of_a_sine_at_its_frequency_and_little_elsewhere(self) -> None:
        at_it, beside_it = ToneFilters((450, 620), 240).powers(tone((450.0,), 0.03, -18.0))
        assert at_it == pytest.approx(32768**2 * 10**-1.8, rel=0.02)
        assert beside_it < 0.02 * at_it

    def test_forget_the_block_before(self) -> None:
        filters = ToneFilters((425,), 240)
        first = filters.powers(tone((425.0,), 0.03))
        assert filters.powers(silence(0.03)) == [0.0]
        assert filters.powers(tone((425.0,), 0.03)) == first


class TestReceiver:
    def test_tells_a_key_once_and_knows_that_it_is_down(self) -> None:
        receiver, sound = KeyReceiver(), dtmf("8", 0.2, -20.0)
        size = 2 * KEY_BLOCK_SAMPLES
        told = [receiver.feed(sound[at : at + size]) for at in range(0, 12 * size, size)]
        assert "".join(told) == "8"
        assert receiver.key_is_down
        for _ in range(3):
            receiver.feed(bytes(size))
        assert not receiver.key_is_down


@pytest.mark.parametrize("size", [0, 202, 206])
def test_a_block_of_another_length_is_refused(size: int) -> None:
    """C would read beyond its end."""
    with pytest.raises(ValueError, match="102 samples"):
        KeyReceiver().feed(bytes(size))
    with pytest.raises(ValueError, match="102 samples"):
        ToneFilters((450,), KEY_BLOCK_SAMPLES).powers(bytes(size))


class TestMemory:
    @staticmethod
    def _resident_bytes() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    def test_of_ears_that_are_gone_is_free(self) -> None:
        sound = dtmf("1", 0.1)
        for _ in range(200):
            LineEar("US").hear(sound)
        gc.collect()
        before = self._resident_bytes()
        for _ in range(4000):
            LineEar("US").hear(sound[:480])
        gc.collect()
        # A receiver alone takes 0.6 kB: 4000 that stay would take more than 2 MB.
        assert self._resident_bytes() - before < 1_000_000


class TestWithoutTheLibrary:
    def test_there_is_no_ear(self, absent: None) -> None:
        assert ear_maker("CN") is None

    def test_the_problem_says_what_to_do(self, absent: None) -> None:
        problem = tones_problem("CN")
        assert problem is not None
        assert "apt-get install libspandsp2" in problem

    def test_everything_else_refuses_clearly(self, absent: None) -> None:
        for make in (lambda: LineEar("CN"), KeyReceiver, lambda: ToneFilters((450,), 240)):
            with pytest.raises(SoundError, match="libspandsp2"):
                make()

    def test_another_library_of_that_name_is_refused(self, absent: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spandsp, "LIBRARY", "libc.so.6")
        problem = tones_problem()
        assert problem is not None
        assert "libspandsp2" in problem
