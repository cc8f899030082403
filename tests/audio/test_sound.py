"""Loudspeaker and microphone over a real PortAudio, ALSA and PulseAudio; only the sound card is a null sink."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyaudio  # type: ignore[import-untyped]
import pytest

from firmware.audio.sound import LocalSound
from firmware.audio.sound_faults import no_device
from firmware.audio.sound_streams import Direction, Speaker
from firmware.errors import SoundError
from tests.pulse import Pulse, pulse_server
from tests.sound_judge import frequency_hz, likeness, rms_dbfs, sounding, speech, tone


@pytest.fixture(scope="module")
def server() -> Iterator[Pulse]:
    with pulse_server() as pulse:
        yield pulse


@pytest.fixture
def card(server: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    use(server, monkeypatch)


def use(server: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


class StudioCard(pyaudio.PyAudio):  # type: ignore[misc]
    """Knows 48,000 stereo frames a second and nothing else, as many a sound card without a resampler does."""

    def is_format_supported(self, rate: int, **format_wanted: int) -> bool:
        channels = {value for name, value in format_wanted.items() if name.endswith("_channels")}
        if rate != 48_000:
            raise ValueError("Invalid sample rate", -9997)
        if channels != {2}:
            raise ValueError("Invalid number of channels", -9998)
        return bool(super().is_format_supported(rate, **format_wanted))


@asynccontextmanager
async def recorder(sound: LocalSound) -> AsyncIterator[bytearray]:
    """Everything that the microphone hears inside."""
    heard = bytearray()

    async def listen() -> None:
        async for s16 in microphone.blocks():
            heard.extend(s16)

    async with sound.microphone() as microphone:
        listening = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            listening.cancel()


async def played_and_recorded(s16: bytes) -> bytes:
    async with LocalSound() as sound, recorder(sound) as heard, sound.speaker() as speaker:
        await speaker.play(s16)
    return bytes(heard)


async def test_tone_comes_back_with_its_frequency_and_level(card: None) -> None:
    said = tone(440, 0.6)
    heard = sounding(await played_and_recorded(said))
    assert len(heard) / 16000 == pytest.approx(0.6, abs=0.01)
    assert frequency_hz(heard) == pytest.approx(440, abs=2)
    assert rms_dbfs(heard) == pytest.approx(rms_dbfs(said), abs=0.2)


async def test_speech_comes_back_whole(card: None) -> None:
    said = speech()[:16000]
    assert likeness(await played_and_recorded(said), said) > 0.999


async def test_card_of_another_rate_sounds_the_same(card: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyaudio, "PyAudio", StudioCard)
    said = tone(1000, 0.5)
    heard = sounding(await played_and_recorded(said), above=400)
    assert len(heard) / 16000 == pytest.approx(0.5, abs=0.02)
    assert frequency_hz(heard) == pytest.approx(1000, abs=3)
    assert rms_dbfs(heard) == pytest.approx(rms_dbfs(said), abs=0.5)


async def test_devices_are_found_and_chosen_by_a_part_of_their_name(card: None) -> None:
    async with LocalSound() as sound:
        devices = {device.name: device for device in await sound.devices()}
        assert {"bench_speaker", "bench_microphone"} < devices.keys()
        assert devices["default"].default_for == {Direction.OUT, Direction.IN}
        async with sound.speaker("Bench_Speak") as speaker:
            await speaker.play(tone(440, 0.1))
        with pytest.raises(SoundError, match='no loudspeaker is called "headset"; there is: bench_speaker'):
            async with sound.speaker("headset"):
                pass


async def test_one_clip_follows_another_on_the_same_loudspeaker(card: None) -> None:
    async with LocalSound() as sound, recorder(sound) as heard, sound.speaker() as speaker:
        for frequency in (500, 900):
            await speaker.play(tone(frequency, 0.2))
    for frequency in (500, 900):
        assert likeness(bytes(heard), tone(frequency, 0.2)) > 0.95


async def test_leaving_by_cancellation_ends_the_sound(card: None) -> None:
    async with LocalSound() as sound, recorder(sound) as heard:
        playing = asyncio.create_task(play_on(sound, tone(440, 20.0)))
        while not sounding(bytes(heard)):
            await asyncio.sleep(0.02)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        heard.clear()
        # Two blocks of silence in a row cannot come while the tone goes on.
        while any(heard[-640:]) or len(heard) < 640:
            await asyncio.sleep(0.02)


async def play_on(sound: LocalSound, s16: bytes) -> None:
    async with sound.speaker() as speaker:
        await speaker.play(s16)


async def test_slow_library_does_not_block_the_event_loop(card: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loop_went_on = threading.Event()

    class Slow(pyaudio.PyAudio):  # type: ignore[misc]
        def __init__(self) -> None:
            assert loop_went_on.wait(20)
            super().__init__()

    monkeypatch.setattr(pyaudio, "PyAudio", Slow)
    asyncio.get_running_loop().call_soon(loop_went_on.set)
    async with LocalSound() as sound:
        assert await sound.devices()


async def test_live_sound_that_waits_too_long_is_dropped(card: None) -> None:
    async with LocalSound() as sound, sound.speaker(longest_wait_seconds=0.5) as speaker:
        speaker.write(tone(440, 20.0))
        async with asyncio.timeout(5):
            await speaker.play(b"")


async def test_sound_server_that_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.audio.sound_streams._GONE_SECONDS", 1.0)
    with pulse_server() as pulse:
        use(pulse, monkeypatch)
        async with LocalSound() as sound, sound.microphone() as microphone, sound.speaker() as speaker:
            playing = asyncio.create_task(speaker.play(tone(440, 20.0)))
            await anext(microphone.blocks())
            pulse.stop()
            with pytest.raises(SoundError, match="the microphone stopped; look whether it is still plugged in"):
                async for _ in microphone.blocks():
                    pass
            with pytest.raises(SoundError, match="the loudspeaker stopped"):
                await playing


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one device that is configured does not work."""
    devices = tmp_path / "asound.conf"
    devices.write_text('pcm.broken { type pulse server "unix:/nonexistent" }\n')
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(devices))


async def test_machine_without_sound_is_told_what_to_do(no_card: None) -> None:
    async with LocalSound() as sound:
        assert await sound.devices() == []
        with pytest.raises(SoundError, match="no microphone; plug one in"):
            async with sound.microphone():
                pass


async def test_missing_library_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(SoundError, match=r"needs PyAudio .*apt-get install portaudio19-dev"):
        async with LocalSound():
            pass


def test_cards_that_we_may_not_open_are_told_apart_from_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "plug one in" in str(no_device("microphone", tmp_path))
    (tmp_path / "controlC0").touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "adduser $USER audio" in str(no_device("microphone", tmp_path))


async def test_libraries_are_silent_inside_and_only_there(no_card: None, capfd: pytest.CaptureFixture[str]) -> None:
    async with LocalSound():
        pass
    assert capfd.readouterr().err == ""
    pyaudio.PyAudio().terminate()
    assert "ALSA lib" in capfd.readouterr().err


async def test_loudspeaker_waits_for_what_was_written_while_it_ran_dry() -> None:
    speaker = Speaker()
    speaker.portion(160)
    playing = asyncio.create_task(speaker.play(tone(440, 0.1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not playing.done()
    speaker.portion(8000)
    await playing
