"""The commands that record and play prompts, as a person uses them: a terminal, a voice, a loudspeaker."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]
import pytest

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.audio.sound import LocalSound
from firmware.wav import parse
from tests.pulse import Pulse, pulse_server
from tests.sound_judge import likeness, speech, tone

CONFIG = """
data_dir: {folder}/data
run_dir: {folder}/run
languages: [zh, en]
lines:
  - {{name: front, port: {folder}/no-such-tty}}
"""
WORDS = speech()[:16000]
BEGIN, METER, CHOICE = "Press Enter, read it out", "dBFS", "k: keep it"


@pytest.fixture(scope="module")
def server() -> Iterator[Pulse]:
    with pulse_server() as pulse:
        yield pulse


@pytest.fixture(autouse=True)
def card(server: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "linekeeper.yaml"
    path.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return path


class Person:
    """Somebody at a terminal in which a command runs. Waiting leaves the event loop free."""

    def __init__(self, *words: str | Path) -> None:
        self._terminal: Any = pexpect.spawn(
            sys.executable, ["-m", "firmware.cli", *map(str, words)], encoding="utf-8", timeout=30, dimensions=(24, 120)
        )

    async def reads(self, text: str) -> str:
        """Waits for the text; returns what stood before it."""
        await asyncio.to_thread(self._terminal.expect_exact, text)
        return str(self._terminal.before)

    def types(self, line: str) -> None:
        self._terminal.sendline(line)

    async def left(self) -> int:
        """The command's exit status."""
        await asyncio.to_thread(self._terminal.expect, pexpect.EOF)
        await asyncio.to_thread(self._terminal.close)
        return int(self._terminal.exitstatus)


async def say(s16: bytes) -> None:
    """Speak into the microphone."""
    async with LocalSound() as sound, sound.speaker() as speaker:
        await speaker.play(s16)


async def heard_during(work: Awaitable[object]) -> bytes:
    """What the loudspeaker says meanwhile."""
    heard = bytearray()
    async with LocalSound() as sound, sound.microphone() as microphone:

        async def listen() -> None:
            async for s16 in microphone.blocks():
                heard.extend(s16)

        listening = asyncio.create_task(listen())
        await work
        listening.cancel()
    return bytes(heard)


@asynccontextmanager
async def humming() -> AsyncIterator[None]:
    """A hum that is there already, and stays."""
    async with LocalSound() as sound, sound.microphone() as microphone, sound.speaker() as speaker:
        speaker.write(tone(400, 20.0))
        async for s16 in microphone.blocks():
            if any(s16):
                break
        yield


async def take(person: Person, s16: bytes) -> None:
    await person.reads(BEGIN)
    person.types("")
    await person.reads(METER)
    await say(s16)
    person.types("")


async def test_prompt_is_recorded_heard_and_kept(config: Path, tmp_path: Path) -> None:
    person = Person("--config", config, "prompts", "record", "greeting", "--language", "en")
    text = load_catalogue(default_folder()).prompts["greeting"].texts["en"]
    assert text in (await person.reads(BEGIN)).replace("\r\n", " ")
    person.types("")
    await person.reads(METER)
    await say(WORDS)
    person.types("")
    await person.reads("This is how callers will hear it.")
    played_back = await heard_during(person.reads(CHOICE))
    person.types("k")
    await person.reads("kept as version 1 of en/greeting")
    assert await person.left() == 0

    [file] = (tmp_path / "data" / "prompts" / "en" / "greeting").glob("*.wav")
    kept = parse(file.read_bytes()).data
    assert active_level_dbfs(kept) == pytest.approx(-20, abs=2)
    assert peak_dbfs(kept) <= -6
    assert likeness(bytes(8000) + WORDS + bytes(8000), kept) > 0.8
    # The microphone was opened when the playing had begun.
    assert likeness(played_back, kept[len(kept) // 2 :]) > 0.95

    played = await heard_during(run("--config", config, "prompts", "play", "greeting", "--language", "en"))
    assert likeness(played, kept) > 0.95


async def run(*words: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "firmware.cli", *map(str, words))
    assert await process.wait() == 0


async def refuses(person: Person, reason: str) -> None:
    await person.reads("This take cannot be used: ")
    await person.reads(reason)


async def test_spoilt_takes_are_refused_with_a_sentence(config: Path, tmp_path: Path) -> None:
    person = Person("--config", config, "prompts", "record", "greeting", "--language", "en")
    await take(person, bytes(8000))
    await refuses(person, "there is next to nothing")
    await take(person, tone(300, 0.8, peak=120_000))
    await refuses(person, "it is clipped")
    async with humming():
        await take(person, b"")
        await refuses(person, "an even noise without speech")
    await person.reads(BEGIN)
    person.types("g")
    await person.reads("nothing was kept")
    assert await person.left() == 1
    assert not (tmp_path / "data" / "prompts").exists()


async def test_take_that_pleases_nobody_is_recorded_again_or_given_up(config: Path, tmp_path: Path) -> None:
    person = Person("--config", config, "prompts", "record", "goodbye")
    await take(person, speech()[:10000])
    await person.reads(CHOICE)
    person.types("a")
    await take(person, speech()[:10000])
    await person.reads(CHOICE)
    person.types("\x04")  # the end of the terminal's input
    await person.reads("nothing was kept")
    assert await person.left() == 1
    assert not (tmp_path / "data" / "prompts").exists()


def linekeeper(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware.cli", *map(str, words)]
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)


def test_recording_without_a_terminal_is_wrong_usage(config: Path) -> None:
    done = linekeeper("--config", config, "prompts", "record", "greeting")
    assert done.returncode == 2
    assert "needs a person at a terminal" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["prompts", "play", "greetin"], 'did you mean "greeting"?'),
        (["prompts", "play", "greeting", "--language", "fr"], "there is no voice for fr"),
    ],
)
def test_what_does_not_exist_is_wrong_usage(words: list[str], told: str) -> None:
    done = linekeeper(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_devices_are_listed() -> None:
    devices = {device["name"]: device for device in json.loads(linekeeper("sound", "devices", "--json").stdout)}
    assert devices["default"] == {"name": "default", "loudspeaker": "default", "microphone": "default"}
    assert devices["bench_microphone"]["microphone"] == "yes"


def test_machine_without_a_loudspeaker_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "asound.conf"
    broken.write_text('pcm.broken { type pulse server "unix:/nonexistent" }\n')
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(broken))
    done = linekeeper("prompts", "play", "greeting", "--language", "en")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "linekeeper: this machine has no loudspeaker; plug one in, and see it with: linekeeper sound devices"
    ]
