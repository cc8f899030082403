"""Listening in to a line: over the real control socket, on a line that a test speaks for."""

from __future__ import annotations

import asyncio
import getpass
import io
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import RecordNotFound, ServiceError
from firmware.events import CallEnd, CallEnded
from firmware.journal import open_journal
from firmware.pcm import SampleFormat, encode_s16
from firmware.ports import CallMonitor
from firmware.services.control import ControlServer
from firmware.services.control_client import ControlClient
from firmware.services.event_hub import CallHub
from firmware.services.monitor import MonitorDesk
from tests.sound_judge import likeness, signal, speech, tone

SAID, HEARS = speech()[4000:12000], tone(620, 0.3)


class Line:
    monitor: CallMonitor | None = None

    def carries(self, said: bytes = b"", hears: bytes = b"", sample_format: SampleFormat = SampleFormat.S16) -> None:
        assert self.monitor is not None
        self.monitor.caller_said(encode_s16(said, sample_format), sample_format)
        self.monitor.caller_hears(encode_s16(hears, sample_format), sample_format)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def hub() -> CallHub:
    return CallHub()


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    lines = io.StringIO()
    open_journal(json_lines=True, stream=lines)
    yield lines
    open_journal()


@pytest.fixture
async def path(tmp_path: Path, hub: CallHub, line: Line, journal: io.StringIO) -> AsyncIterator[Path]:
    desk = MonitorDesk(hub)
    desk.add("front", line)
    server = ControlServer(tmp_path / "calls.sock", {}, hub, desk)
    await server.start()
    yield tmp_path / "calls.sock"
    await server.stop()


async def heard_by(client: ControlClient) -> bytes:
    return b"".join([s16 async for s16 in client.audio("front")])


async def listening(path: Path, line: Line, listeners: int = 1) -> list[asyncio.Task[bytes]]:
    """Listeners whom the line knows."""
    tasks = [asyncio.create_task(heard_by(ControlClient(path))) for _ in range(listeners)]
    while line.monitor is None or len(line.monitor._mixers) < listeners:  # type: ignore[attr-defined]
        await asyncio.sleep(0.005)
    return tasks


async def in_real_time(line: Line, said: bytes, hears: bytes, sample_format: SampleFormat) -> None:
    """In pieces of 40 ms, as modems do."""
    begin = asyncio.get_running_loop().time()
    for at in range(0, max(len(said), len(hears)), 640):
        line.carries(said[at : at + 640], hears[at : at + 640], sample_format)
        await asyncio.sleep(max(0.0, begin + (at + 640) / 16000 - asyncio.get_running_loop().time()))


def call_over(hub: CallHub, end: CallEnd = CallEnd.COMPLETED) -> None:
    hub(CallEnded("front", "c1", end, None))


def told(journal: io.StringIO) -> list[dict[str, Any]]:
    return [told for told in map(json.loads, journal.getvalue().splitlines()) if told.get("part") == "monitor"]


@pytest.mark.parametrize("sample_format", [SampleFormat.ULAW, SampleFormat.U8])
async def test_both_sides_are_heard_in_one_sound(
    path: Path, line: Line, hub: CallHub, sample_format: SampleFormat
) -> None:
    encode_s16(b"", sample_format)  # makes the table, which takes a while
    [listener] = await listening(path, line)
    await in_real_time(line, SAID, b"", sample_format)
    # The modem needs longer to turn from listening to speaking.
    await asyncio.sleep(0.2)
    await in_real_time(line, b"", HEARS, sample_format)
    await asyncio.sleep(0.4)
    call_over(hub)
    heard = await listener
    assert likeness(heard, SAID) > 0.95
    assert likeness(heard, HEARS) > 0.95


async def test_sides_that_sound_at_once_are_added(path: Path, line: Line, hub: CallHub) -> None:
    [listener] = await listening(path, line)
    line.carries(SAID[:4000], HEARS[:4000])
    await asyncio.sleep(0.6)
    call_over(hub)
    both = (signal(SAID[:4000]) + signal(HEARS[:4000])).clip(-32768, 32767).astype("<i2").tobytes()
    assert both in await listener


async def test_time_runs_on_in_silence(path: Path, line: Line, hub: CallHub) -> None:
    [listener] = await listening(path, line)
    began_at = asyncio.get_running_loop().time()
    await asyncio.sleep(0.5)
    seconds = asyncio.get_running_loop().time() - began_at
    call_over(hub)
    heard = await listener
    assert not any(heard)
    assert len(heard) / 16000 == pytest.approx(seconds, abs=0.25)


async def test_nothing_is_computed_while_nobody_listens(path: Path, line: Line, hub: CallHub) -> None:
    assert line.monitor is None
    listeners = await listening(path, line, 2)
    call_over(hub)
    await asyncio.gather(*listeners)
    assert line.monitor is None


async def test_one_listener_who_leaves_takes_nothing_from_the_other(path: Path, line: Line, hub: CallHub) -> None:
    leaving, staying = await listening(path, line, 2)
    leaving.cancel()
    await in_real_time(line, SAID, b"", SampleFormat.S16)
    await asyncio.sleep(0.4)
    call_over(hub)
    assert likeness(await staying, SAID) > 0.95


async def test_journal_tells_who_listened_and_for_how_long(
    path: Path, line: Line, hub: CallHub, journal: io.StringIO
) -> None:
    [listener] = await listening(path, line)
    call_over(hub)
    await listener
    began, ended = told(journal)
    assert began["event"] == "listening in began"
    assert ended["event"] == "listening in ended"
    for entry in (began, ended):
        assert entry["line"] == "front"
        assert entry["listener"] == f"{getpass.getuser()} (process {os.getpid()})"
    assert ended["seconds"] >= 0


async def test_listener_who_vanishes_is_told_in_the_journal_too(path: Path, line: Line, journal: io.StringIO) -> None:
    [listener] = await listening(path, line)
    listener.cancel()
    while line.monitor is not None:
        await asyncio.sleep(0.01)
    assert [entry["event"] for entry in told(journal)] == ["listening in began", "listening in ended"]


async def test_caller_who_gave_up_leaves_the_listener_waiting_for_the_next(
    path: Path, line: Line, hub: CallHub
) -> None:
    [listener] = await listening(path, line)
    call_over(hub, CallEnd.NOT_ANSWERED)
    await asyncio.sleep(0.2)
    assert not listener.done()
    call_over(hub)
    await listener


async def test_line_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    with pytest.raises(RecordNotFound, match="there is no line back; there is: front"):
        await anext(ControlClient(path).audio("back"))


async def test_service_that_is_not_running_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="start it with: linekeeper run"):
        await anext(ControlClient(tmp_path / "calls.sock").audio("front"))


async def test_listener_who_reads_nothing_costs_the_line_nothing(path: Path, line: Line, hub: CallHub) -> None:
    """Minutes of sound for somebody who never takes any: what waits for him stays small."""
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.connect(str(path))
        stuck.sendall(b"GET /v1/lines/front/audio HTTP/1.1\r\nHost: service\r\n\r\n")
        while line.monitor is None:
            await asyncio.sleep(0.005)
        for _ in range(120):
            line.carries(tone(440, 1.0))
        [mixer] = line.monitor._mixers  # type: ignore[attr-defined]
        assert len(mixer.said.take(80_000).rstrip(b"\0")) <= 16_000


async def test_server_that_stops_ends_the_listening(tmp_path: Path, line: Line, hub: CallHub) -> None:
    desk = MonitorDesk(hub)
    desk.add("front", line)
    server = ControlServer(tmp_path / "other.sock", {}, hub, desk)
    await server.start()
    [listener] = await listening(tmp_path / "other.sock", line)
    await server.stop()
    await listener
    assert line.monitor is None
