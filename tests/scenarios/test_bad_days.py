"""Whole calls while something of the appliance's own fails: prompts, disk, database, a neighbour's modem."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.many_calls.office import Office, OfficeMaker
from benchmarks.many_calls.speech import unique_speech
from firmware.audio.catalogue import default_folder
from firmware.events import CallbackKept, CallEnd, CallEnded, MessageKept, PromptStarted, RecordingEnd, RecordingStopped
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import CallOver, NotConnected
from firmware.simulation.callers import Caller
from firmware.simulation.modem.faults import ModemFaults

pytestmark = pytest.mark.fast_time

SPEECH = unique_speech(4.0, random.Random(1))
_WHOLE = len(SPEECH) // 2  # samples


@pytest.fixture
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the prompts that the appliance will use, to be damaged."""
    copy = tmp_path / "prompts"
    shutil.copytree(default_folder(), copy)
    monkeypatch.setattr("firmware.services.calls.default_folder", lambda: copy)
    return copy


async def test_a_missing_prompt_is_heard_in_the_other_language(prompts: Path, open_office: OfficeMaker) -> None:
    (prompts / "en" / "message_intro.wav").unlink()
    async with open_office() as office:
        message = await office.leave_message(office.lines[0], SPEECH)
        assert office.found(message, SPEECH) == _WHOLE
        heard = {event.prompt: event.language for event in office.all(PromptStarted)}
        assert heard["message_intro"] == "zh"
        assert heard["main_menu"] == "en"
        (incident,) = office.incidents("prompts")
        assert "message_intro" in incident["summary"]


async def test_a_prompt_broken_in_every_language_is_a_chime(prompts: Path, open_office: OfficeMaker) -> None:
    for language in ("zh", "en"):
        (prompts / language / "main_menu.wav").write_bytes(b"RIFF\x10\x03 no sound at all")
    async with open_office() as office:
        message = await office.leave_message(office.lines[0], SPEECH)
        assert office.found(message, SPEECH) == _WHOLE
        assert office.all(CallEnded)[0].end is CallEnd.COMPLETED
        (incident,) = office.incidents("prompts")
        assert "main_menu" in incident["summary"]


async def test_mended_prompts_end_the_incident(prompts: Path, open_office: OfficeMaker) -> None:
    broken = prompts / "en" / "goodbye.wav"
    whole = broken.read_bytes()
    broken.unlink()
    async with open_office():
        pass
    broken.write_bytes(whole)
    async with open_office() as office:
        (incident,) = office.incidents("prompts")
        assert incident["ended_at"] is not None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_disk_that_fills_up_in_a_message_keeps_a_part(small_disk: Path, open_office: OfficeMaker) -> None:
    """The space is gone within the recording, whatever was free when it began."""
    async with open_office(folder=small_disk, more="calls: {keep_free_megabytes: 1}\n") as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        speaking = asyncio.create_task(call.speak(unique_speech(60.0, random.Random(2))))
        await asyncio.sleep(5.0)
        await asyncio.to_thread(_fill, small_disk, 40_000)
        await office.until(lambda: bool(office.all(RecordingStopped)))
        assert office.all(RecordingStopped)[0].end is RecordingEnd.DISK_FULL
        speaking.cancel()
        await asyncio.to_thread((small_disk / "filler").unlink)
        call.hang_up()
        await office.until_ended(line)
        assert office.all(CallEnded)[0].end is not CallEnd.INTERNAL_FAULT
        (listed,) = office.listed("messages")
        assert listed["duration_seconds"] > 4.0
        message = await office.leave_message(line, SPEECH, "13900139000")
        assert office.found(message, SPEECH) == _WHOLE


async def test_a_full_disk_takes_no_voice_but_callback_digits(small_disk: Path, open_office: OfficeMaker) -> None:
    async with open_office(folder=small_disk, more="calls: {keep_free_megabytes: 1}\n") as office:
        await asyncio.to_thread(_fill, small_disk, 900_000)
        line = office.lines[0]
        call = await office.ring(line)
        await call.heard_speech()
        await call.keys("21", 0.1, 1.0)  # English, a message: refused, and a callback offered instead
        await office.until(lambda: any(event.prompt == "callback_own_choice" for event in office.all(PromptStarted)))
        assert any(event.prompt == "voice_full" for event in office.all(PromptStarted))
        await call.keys("1", 0.1, 3.0)
        await call.keys("1", 0.1, 3.0)
        await call.ended()
        await office.until_ended(line)
        assert office.all(CallbackKept)
        assert not office.all(MessageKept)
        (request,) = office.listed("callbacks")
        assert request["phone"] == "13800138000"


async def test_a_database_locked_for_a_while_delays_and_loses_nothing(tmp_path: Path, open_office: OfficeMaker) -> None:
    async with open_office() as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        await call.speak(SPEECH)
        locked = await asyncio.to_thread(_lock, tmp_path / "data" / "linekeeper.db", 1.0)
        call.hang_up()
        await office.until_ended(line)
        locked.join()
        (message,) = office.all(MessageKept)
        assert office.found(message, SPEECH) == _WHOLE
        assert office.all(CallEnded)[0].end is CallEnd.CALLER_HUNG_UP


async def test_a_database_locked_for_too_long_ends_the_call_in_words_and_keeps_what_was_said(
    tmp_path: Path, open_office: OfficeMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.storage.database._BUSY_SECONDS", 0.05)
    async with open_office() as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        await call.speak(SPEECH)
        locked = await asyncio.to_thread(_lock, tmp_path / "data" / "linekeeper.db", 1.0)
        await call.key("#")
        await call.ended()
        await asyncio.to_thread(locked.join)
        await office.until_ended(line)
        assert any(event.prompt == "fault_exit" for event in office.all(PromptStarted))
        assert not office.all(MessageKept)
        await asyncio.sleep(5.0)
        assert office.service.lines()[0]["state"] == "idle"
        await office.leave_message(line, SPEECH, "13900139000")
    async with open_office() as office:
        lengths = [message["duration_seconds"] for message in office.listed("messages")]
        assert len(lengths) == 2
        assert min(lengths) >= 4.0


@pytest.mark.parametrize(
    "number", [b"\x10X123", b"1\x10X2\x10.3", b"12\x10\x02", b"\x10\x03", b"1\x10", b"\x13\x11", bytes(range(256)) * 8]
)
async def test_a_caller_id_of_noise_costs_no_call(number: bytes, open_office: OfficeMaker) -> None:
    async with open_office() as office:
        line = office.lines[0]
        call = await Caller(office.exchange, number).dial(line.card)
        await call.answered(20.0)
        assert await call.heard_speech()
        call.hang_up()
        await office.until_ended(line)
        assert office.all(CallEnded)[0].end is CallEnd.CALLER_HUNG_UP


@pytest.mark.parametrize("at_byte", [1, 40, 700, *random.Random(4).sample(range(1_000, 70_000), 9)])
async def test_a_modem_that_disappears_disturbs_no_other_line(at_byte: int, open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        steady, flaky = office.lines
        flaky.unplug()
        flaky.modem.faults = ModemFaults(brown_out_after_bytes=at_byte, brown_out_seconds=5.0)
        flaky.replug()
        other = asyncio.create_task(_call_whatever_happens(office, flaky))
        message = await office.leave_message(steady, SPEECH)
        assert office.found(message, SPEECH) == _WHOLE
        await other
        await asyncio.sleep(40.0)
        flaky.modem.faults = replace(flaky.modem.faults, brown_out_after_bytes=None)
        assert [line["state"] for line in office.service.lines()] == ["idle", "idle"]
        again = await office.leave_message(flaky, SPEECH, "13900139000")
        assert office.found(again, SPEECH) == _WHOLE


async def _call_whatever_happens(office: Office, line: BenchLine) -> None:
    try:
        call = await office.to_the_beep(line, "13700137000")
        await call.speak(SPEECH)
    except (CallOver, NotConnected, AssertionError):
        return
    call.hang_up()


def _fill(folder: Path, left_bytes: int) -> None:
    """Take all space but so much."""
    free = shutil.disk_usage(folder).free
    with (folder / "filler").open("ab") as file:
        file.write(bytes(max(0, free - left_bytes)))


def _lock(database: Path, seconds: float) -> threading.Thread:
    """Hold the database's write lock from now on, for so many real seconds."""
    taken = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            taken.set()
            threading.Event().wait(seconds)
            db.execute("ROLLBACK")

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(5.0)
    return thread
