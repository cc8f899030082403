"""Whole calls while the records cannot be opened, are damaged, or their disk takes nothing: every call is answered."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from benchmarks.many_calls.office import Office, OfficeMaker
from benchmarks.many_calls.speech import unique_speech
from firmware.events import CallEnd, CallEnded, MessageKept, PromptStarted
from firmware.journal import open_journal
from firmware.simulation.call import CallOver
from firmware.storage.opening import Opening
from firmware.storage.recovery import RecoverySummary
from firmware.storage.store import Store

pytestmark = pytest.mark.fast_time

SPEECH = unique_speech(4.0, random.Random(1))
SMALL = "calls: {keep_free_megabytes: 1}\n"
_WHOLE = len(SPEECH) // 2  # samples


def damage(database: Path) -> None:
    """Nonsense in the whole file, in its place."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = database.stat().st_size
    with database.open("r+b") as content:
        content.write(b"\xa5nonsense" * (size // 9))


async def test_a_database_damaged_under_a_message_costs_nothing(tmp_path: Path, open_office: OfficeMaker) -> None:
    async with open_office() as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        await call.speak(SPEECH)
        damage(tmp_path / "data" / "linekeeper.db")
        await call.wait(0.3)
        await call.key("#")
        await call.wait(1.0)
        await call.key("1")
        await call.ended()
        await office.until_ended(line)
        assert office.all(CallEnded)[0].end is CallEnd.COMPLETED
        (kept,) = office.all(MessageKept)
        assert office.found(kept, SPEECH) == _WHOLE
        (listed,) = office.listed("messages")
        assert (listed["number"], listed["caller_number"]) == (kept.number, "13800138000")
        assert "linekeeper.db.corrupt-" in office.incidents("database")[0]["summary"]
        again = await office.leave_message(line, SPEECH, "13900139000")
        assert again.number > kept.number


async def test_a_database_damaged_before_the_start_is_replaced_and_recordings_are_messages(
    tmp_path: Path, open_office: OfficeMaker
) -> None:
    async with open_office() as office:
        before = await office.leave_message(office.lines[0], SPEECH)
    damage(tmp_path / "data" / "linekeeper.db")
    async with open_office() as office:
        after = await office.leave_message(office.lines[0], SPEECH, "13900139000")
        assert office.found(after, SPEECH) == _WHOLE
        assert after.number > before.number + 1000
        assert len(office.listed("messages")) == 2
        assert office.incidents("database")


@pytest.fixture
def slow_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the records takes 40 simulated seconds."""
    connect = Opening._connect

    async def slowly(opening: Opening) -> RecoverySummary:
        await asyncio.sleep(40.0)
        return await connect(opening)

    monkeypatch.setattr(Opening, "_connect", slowly)


@pytest.mark.usefixtures("slow_records")
async def test_calls_are_answered_while_the_records_are_being_opened(open_office: OfficeMaker) -> None:
    async with open_office() as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        assert not office.service.store.is_open
        await call.speak(SPEECH)
        await call.speak(unique_speech(24.0, random.Random(5)))
        await call.key("#")
        await call.wait(1.0)
        await call.key("1")
        await call.ended()
        await office.until_ended(line)
        assert office.all(CallEnded)[0].end is CallEnd.COMPLETED
        (kept,) = office.all(MessageKept)
        assert office.found(kept, SPEECH) == _WHOLE
        (listed,) = office.listed("calls")
        assert (listed["caller_number"], listed["end_reason"]) == ("13800138000", "completed")


@pytest.mark.usefixtures("slow_records")
async def test_a_caller_who_is_done_before_the_records_are_open_hears_a_way_out_and_nothing_said_is_lost(
    open_office: OfficeMaker,
) -> None:
    async with open_office() as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        await call.speak(SPEECH)
        await call.key("#")
        await call.ended()
        await office.until_ended(line)
        assert any(event.prompt == "fault_exit" for event in office.all(PromptStarted))
        assert not office.all(MessageKept)
        await asyncio.sleep(60.0)
        (message,) = office.listed("messages")
        assert message["duration_seconds"] >= 4.0
        assert message["caller_number"] == "13800138000"


@pytest.fixture
def plain_journal() -> Iterator[None]:
    """Tracebacks in colours, with all their locals, take longer than the calls."""
    open_journal(stream=io.StringIO())
    yield
    structlog.reset_defaults()


@pytest.fixture
def real_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    image, folder = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(32_000_000)
    folder.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def _call_that_cannot_be_kept(office: Office) -> None:
    line = office.lines[0]
    calls = len(office.all(CallEnded))
    call = await office.ring(line)
    assert await call.heard_speech()
    with contextlib.suppress(CallOver):
        await call.keys("21", 0.1, 1.0)
    await call.ended()
    await office.until_ended(line, calls + 1)


async def test_a_disk_that_is_read_only_from_the_start_keeps_no_call_from_being_answered(
    real_disk: Path, open_office: OfficeMaker
) -> None:
    async with open_office(folder=real_disk):
        pass
    remount(real_disk, "ro")
    async with open_office(folder=real_disk, more=SMALL) as office:
        await _call_that_cannot_be_kept(office)
        assert office.all(CallEnded)[0].end is CallEnd.INTERNAL_FAULT
        assert any(event.prompt == "fault_exit" for event in office.all(PromptStarted))
        assert office.service.lines()[0]["state"] == "idle"
        remount(real_disk, "rw")
        await asyncio.sleep(10.0)
        message = await office.leave_message(office.lines[0], SPEECH, "13900139000")
        assert office.found(message, SPEECH) == _WHOLE
        assert "read-only" in office.incidents("database")[0]["summary"].lower()
        assert len(office.listed("calls")) == 2


@pytest.mark.usefixtures("plain_journal")
async def test_a_disk_that_becomes_read_only_in_a_message_ends_the_call_in_words(
    real_disk: Path, open_office: OfficeMaker
) -> None:
    """As ext4 does by itself when it meets an error (mount option `abort`, ext4(5))."""
    async with open_office(folder=real_disk, more=SMALL) as office:
        line = office.lines[0]
        call = await office.to_the_beep(line)
        speaking = asyncio.create_task(_speak(call))
        await asyncio.sleep(5.0)
        remount(real_disk, "abort")
        await call.ended()
        await speaking
        await office.until_ended(line)
        assert any(event.prompt == "fault_exit" for event in office.all(PromptStarted))
        await asyncio.sleep(5.0)
        assert office.service.lines()[0]["state"] == "idle"
        await _call_that_cannot_be_kept(office)
        assert office.service.lines()[0]["state"] == "idle"
    # It can still be read, and the next start finds what was said before (tests/storage, cuts/).
    (remains,) = (real_disk / "data" / "recordings").glob("*.partial")
    assert remains.stat().st_size >= 4 * 8000


async def _speak(call: Any) -> None:
    with contextlib.suppress(CallOver):
        await call.speak(unique_speech(60.0, random.Random(2)))


async def test_a_disk_that_is_full_to_the_last_byte_at_the_start_keeps_no_call_from_being_answered(
    real_disk: Path, open_office: OfficeMaker
) -> None:
    async with open_office(folder=real_disk, more=SMALL):
        pass
    await asyncio.to_thread(_fill, real_disk / "filler")
    async with open_office(folder=real_disk, more=SMALL) as office:
        call = await office.ring(office.lines[0])
        assert await call.heard_speech()
        call.hang_up()
        await office.until_ended(office.lines[0])
        assert office.service.lines()[0]["state"] == "idle"
        (real_disk / "filler").unlink()
        await asyncio.sleep(40.0)
        message = await office.leave_message(office.lines[0], SPEECH, "13900139000")
        assert office.found(message, SPEECH) == _WHOLE
        assert {row["caller_number"] for row in office.listed("calls")} == {"13800138000", "13900139000"}


def _fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as filler:
        for size in (1_000_000, 4096, 1):
            with contextlib.suppress(OSError):
                while filler.write(bytes(size)) == size:
                    pass


async def test_a_line_comes_back_from_a_fault_although_no_incident_can_be_written(
    open_office: OfficeMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    for name in ("open_incident", "note_incident", "close_incident"):
        monkeypatch.setattr(Store, name, hang)
    async with open_office() as office:
        line = office.lines[0]
        line.modem.hang()
        await office.until(lambda: office.service.lines()[0]["state"] == "fault")
        line.unplug()
        await asyncio.sleep(3.0)
        line.replug()
        for calls in (1, 2):
            await office.until(lambda: office.service.lines()[0]["state"] == "idle")
            call = await office.ring(line)
            await call.heard_speech()
            call.hang_up()
            await office.until_ended(line, calls)
    assert len(office.listed("calls")) == 2
