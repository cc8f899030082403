"""Keys in the sound of a line: spandsp reads what we send, and a second decoder judges what we send."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from firmware.audio.key_ear import KeyListener
from firmware.audio.listening import listen_for_tones
from firmware.events import KeyHeard
from firmware.modem.tone import tone_clip
from firmware.pcm import SampleFormat, from_array
from firmware.simulation.synthesis import DTMF_KEYS, amplitude, dtmf, dtmf_frequencies, sines
from firmware.units import seconds_to_samples
from tests.audio.tone_sounds import KEYS, PROJECT, SPOKEN_DIGITS, noisy, recordings, silence, talk, through
from tests.sound_judge import RATE_HZ, frequency_hz, signal

# Where in spandsp's blocks of 102 samples a key begins is chance; these are spread over all of it.
_LEADS_SAMPLES = (400, 417, 434, 451, 468, 485)
_MULTIMON_RATE_HZ = 22050


def keys_in(s16: bytes) -> list[KeyHeard]:
    return [heard for _, heard in KeyListener().hear(s16)]


def is_read(key: str, sound: bytes, sample_format: SampleFormat = SampleFormat.S16) -> None:
    """Once, by its name, not later than it began, and not much earlier."""
    for lead in _LEADS_SAMPLES:
        heard = keys_in(through(bytes(2 * lead) + sound + silence(0.05), sample_format))
        assert [one.key for one in heard] == [key], lead
        assert lead - seconds_to_samples(0.03) <= heard[0].began_at_samples <= lead


def crooked(key: str, off: float, seconds: float) -> bytes:
    """A key whose frequencies are off; 0.015 is 1.5 % too high."""
    peak = amplitude(-20.0) / 2**0.5
    parts = [(hz * (1 + off), peak) for hz in dtmf_frequencies(key)]
    return from_array(sines(parts, seconds_to_samples(seconds)))


@pytest.mark.parametrize("key", KEYS)
class TestEveryKey:
    @pytest.mark.parametrize("sample_format", [SampleFormat.S16, SampleFormat.U8, SampleFormat.ULAW])
    @pytest.mark.parametrize("level_dbfs", [-10.0, -20.0, -30.0])
    def test_is_read_at_every_level(self, key: str, level_dbfs: float, sample_format: SampleFormat) -> None:
        is_read(key, dtmf(key, level_dbfs=level_dbfs), sample_format)

    @pytest.mark.parametrize("sample_format", [SampleFormat.S16, SampleFormat.U8, SampleFormat.ULAW])
    @pytest.mark.parametrize("twist_db", [-6.0, 6.0])
    def test_is_read_with_twist(self, key: str, twist_db: float, sample_format: SampleFormat) -> None:
        is_read(key, dtmf(key, level_dbfs=-20.0, twist_db=twist_db), sample_format)

    @pytest.mark.parametrize("off", [-0.015, 0.015])
    def test_is_read_when_its_frequencies_are_off(self, key: str, off: float) -> None:
        is_read(key, crooked(key, off, 0.15))

    def test_is_read_when_short(self, key: str) -> None:
        is_read(key, dtmf(key, seconds=0.04, level_dbfs=-20.0))

    def test_is_told_before_it_ends(self, key: str) -> None:
        """Keys are never delayed: 40 ms of the sound are enough."""
        sound = silence(0.05) + dtmf(key, level_dbfs=-20.0)
        assert [one.key for one in keys_in(sound[: 2 * seconds_to_samples(0.09)])] == [key]


class TestPresses:
    @pytest.mark.parametrize("lead", _LEADS_SAMPLES)
    @pytest.mark.parametrize(("sounds_seconds", "pause_seconds"), [(0.04, 0.04), (0.05, 0.05), (0.1, 0.1), (0.05, 0.4)])
    def test_in_quick_succession_are_counted(self, sounds_seconds: float, pause_seconds: float, lead: int) -> None:
        press = dtmf("1", sounds_seconds, -20.0) + silence(pause_seconds)
        assert len(keys_in(bytes(2 * lead) + 4 * press)) == 4

    @pytest.mark.parametrize("lead", _LEADS_SAMPLES)
    @pytest.mark.parametrize("hole_seconds", [0.005, 0.01, 0.02])
    def test_with_a_hole_are_one(self, hole_seconds: float, lead: int) -> None:
        press = bytearray(dtmf("9", 0.3, -20.0))
        hole = 2 * seconds_to_samples(hole_seconds)
        press[2400 : 2400 + hole] = bytes(hole)
        assert len(keys_in(bytes(2 * lead) + bytes(press) + silence(0.1))) == 1

    def test_that_last_are_one(self) -> None:
        assert len(keys_in(dtmf("3", 5.0, -20.0) + silence(0.1))) == 1

    def test_different_keys_without_a_pause(self) -> None:
        number = "13612345678"
        sound = b"".join(dtmf(key, 0.08, -20.0) for key in number)
        assert "".join(one.key for one in keys_in(sound + silence(0.05))) == number

    def test_a_press_that_sounds_already(self) -> None:
        sound = dtmf("4", 0.3, -20.0)[800:]
        assert keys_in(sound) == [KeyHeard("4", 0)]

    def test_on_a_noisy_line(self) -> None:
        number = KEYS * 3
        sound = b"".join(silence(0.1) + dtmf(key, 0.1, -20.0) for key in number) + silence(0.1)
        assert "".join(one.key for one in keys_in(noisy(sound, -35.0))) == number


class TestWhatIsNoKey:
    def test_the_benchs_talk(self) -> None:
        assert not keys_in(talk())

    def test_our_own_prompts(self) -> None:
        assert not keys_in(recordings(PROJECT / "voice-prompts", "*/*.wav"))

    @pytest.mark.skipif(not SPOKEN_DIGITS.is_dir(), reason="the recorded digits are not beside this project")
    def test_spoken_digits(self) -> None:
        assert not keys_in(recordings(SPOKEN_DIGITS, "*.wav"))

    def test_our_own_beep(self) -> None:
        assert not keys_in(silence(0.1) + tone_clip(1000, 0.4).s16 + silence(0.1))

    def test_one_frequency_of_a_key(self) -> None:
        assert not keys_in(from_array(sines([(1336.0, amplitude(-12.0))], seconds_to_samples(0.5))))


class TestWhatWeSend:
    """multimon-ng has nothing in common with us, nor with spandsp."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        if shutil.which("multimon-ng") is None:
            pytest.skip("multimon-ng is not installed: apt-get install multimon-ng")

    @pytest.mark.parametrize("level_dbfs", [-10.0, -12.0, -20.0, -30.0])
    @pytest.mark.parametrize("sample_format", list(SampleFormat))
    def test_every_key_is_decoded(self, sample_format: SampleFormat, level_dbfs: float) -> None:
        keys = "".join(sorted(DTMF_KEYS))
        sound = silence(0.2) + b"".join(dtmf(key, level_dbfs=level_dbfs) + silence(0.1) for key in keys)
        assert self._decoded(through(sound, sample_format)) == keys

    def test_the_beep_is_a_beep_and_no_key(self) -> None:
        beep = tone_clip(1000, 0.4).s16
        assert abs(frequency_hz(beep) - 1000) < 3
        assert self._decoded(silence(0.2) + beep + silence(0.2)) == ""

    def test_our_reading_agrees(self) -> None:
        number = "0*#159 2684 7310".replace(" ", "")
        sound = silence(0.2) + b"".join(dtmf(key) + silence(0.1) for key in number)
        assert listen_for_tones(sound, "CN") == (self._decoded(sound), [])

    @staticmethod
    def _decoded(s16: bytes) -> str:
        raw = _resampled(s16)
        command = ["multimon-ng", "-q", "-t", "raw", "-a", "DTMF", "-"]
        ran = subprocess.run(command, input=raw, capture_output=True, check=True, timeout=30)
        lines = ran.stdout.decode().splitlines()
        return "".join(line.removeprefix("DTMF: ") for line in lines if line.startswith("DTMF: "))


def _resampled(s16: bytes) -> bytes:
    """At the rate that multimon-ng wants, by the spectrum."""
    heard = signal(s16)
    heard = np.concatenate([heard, np.zeros(-len(heard) % 160)])
    count = len(heard) * _MULTIMON_RATE_HZ // RATE_HZ
    spectrum = np.fft.rfft(heard)
    wide = np.zeros(count // 2 + 1, dtype=complex)
    wide[: len(spectrum)] = spectrum
    return bytes(np.round(np.fft.irfft(wide, count) * count / len(heard)).clip(-32768, 32767).astype("<i2"))
