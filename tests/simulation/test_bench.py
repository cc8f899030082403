from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wav
from firmware.errors import PortError
from firmware.pcm import SampleFormat
from firmware.ports import ByteWire
from firmware.simulation.bench import Bench
from firmware.simulation.bench_serve import serve
from firmware.simulation.bench_session import BenchSession
from firmware.simulation.exchange import NoSuchLine
from firmware.simulation.fast_time import run_fast
from firmware.simulation.json_lines import as_line
from firmware.simulation.voices import babble


class Host:
    """A few AT commands over the wire in memory."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.lost: PortError | None = None
        self._wire: ByteWire | None = None

    async def open(self, bench: Bench) -> None:
        opener = bench.lines[0].opener
        assert opener is not None
        self._wire = await opener()
        self._wire.start(self)

    def bytes_received(self, data: bytes) -> None:
        self.received += data

    def wire_lost(self, error: PortError) -> None:
        self.lost = error

    async def until(self, wanted: bytes) -> None:
        async with asyncio.timeout(30):
            while wanted not in self.received:
                await asyncio.sleep(0.01)
        self.received.clear()

    async def command(self, text: str, answer: bytes = b"OK") -> None:
        self.send(text.encode() + b"\r")
        await self.until(answer)

    def send(self, data: bytes) -> None:
        assert self._wire is not None
        self._wire.write(data)


class Told:
    """Events of a session, to be waited for."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def __call__(self, message: Any) -> None:
        self.messages.append(message)

    async def event(self, name: str) -> Any:
        async with asyncio.timeout(60):
            while True:
                for message in self.messages:
                    if message.get("event") == name:
                        self.messages.remove(message)
                        return message
                await asyncio.sleep(0.01)


def command(session: BenchSession, **fields: object) -> None:
    session.obey(json.dumps(fields))


@pytest.mark.fast_time
class TestSession:
    """A modem in memory under simulated time."""

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        async with Bench(2) as bench:
            yield bench

    @pytest.fixture
    def told(self) -> Told:
        return Told()

    @pytest.fixture
    async def session(self, bench: Bench, told: Told, tmp_path: Path) -> AsyncIterator[BenchSession]:
        session = BenchSession(bench, tmp_path, told)
        yield session
        await session.settle()

    @pytest.fixture
    async def host(self, bench: Bench) -> Host:
        host = Host()
        await host.open(bench)
        return host

    async def test_a_call_from_ring_to_recording(
        self, session: BenchSession, told: Told, host: Host, tmp_path: Path
    ) -> None:
        command(session, line="line1", do="ring", number="13800138000")
        assert (await told.event("ring"))["number"] == "13800138000"
        await host.command("AT+FCLASS=8")
        await host.command("AT+VLS=1")
        assert (await told.event("answered"))["line"] == "line1"
        await host.command("AT+VTX", b"CONNECT")
        speech = bytes(128 + (at % 40) for at in range(4000))
        host.send(speech + b"\x80" * 12_000 + b"\x10\x03")
        await told.event("heard_speech_began")
        await told.event("heard_speech_ended")
        await host.until(b"OK")
        command(session, line="line1", do="hang_up")
        await told.event("hung_up")
        heard = await told.event("heard")
        recording = wav.parse(Path(heard["file"]).read_bytes())
        assert recording.sample_format is SampleFormat.S16
        assert bytes((sample - 128) % 256 for sample in speech) in recording.data[1::2]
        assert heard["seconds"] == pytest.approx(len(recording.data) / 16_000)

    async def test_keys_and_speech_wait_for_the_answer_and_keep_their_order(
        self, session: BenchSession, told: Told, host: Host, tmp_path: Path
    ) -> None:
        file = tmp_path / "x.wav"
        file.write_bytes(wav.dump(SampleFormat.S16, babble(1, random.Random(2))))
        command(session, line="line1", do="ring")
        command(session, line="line1", do="keys", keys="12")
        command(session, line="line1", do="speak", file=str(file))
        command(session, line="line1", do="key", key="3")
        await asyncio.sleep(2)
        await host.command("AT+FCLASS=8")
        await host.command("AT+VLS=1")
        at = [(await told.event("key"))["at"] for _ in range(3)]
        assert at[1] - at[0] == pytest.approx(0.2)
        assert at[2] - at[1] == pytest.approx(1.2)

    async def test_dialled_numbers_do_as_they_were_told(self, session: BenchSession, told: Told, host: Host) -> None:
        command(session, number="110", answers="busy")
        await host.command("AT+FCLASS=8")
        await host.command("ATDT110", b"BUSY")
        assert (await told.event("dialled"))["number"] == "110"
        await host.command("ATH")
        await told.event("on_hook")
        await host.command("AT+FCLASS=8")
        host.received.clear()
        host.send(b"ATDT5551234\r")
        assert (await told.event("connected"))["number"] == "5551234"
        command(session, line="line1", do="key", key="5")
        await told.event("key")
        command(session, line="line1", do="hang_up")
        await told.event("heard")

    async def test_errors_are_one_line_and_end_nothing(self, session: BenchSession, told: Told) -> None:
        bad = [
            "nonsense\n",
            '{"line": "line9", "do": "ring"}',
            '{"line": "line1", "do": "key", "key": "1"}',
            '{"line": "line1", "do": "hang_up"}',
            '{"power": "mains", "on": false}',
        ]
        for text in bad:
            session.obey(text)
            error = await told.event("error")
            assert "\n" not in error["error"]
            assert error["command"] == text.strip()
        session.obey("\n")
        command(session, line="line2", do="ring")
        await told.event("ring")
        command(session, line="line2", do="ring")
        assert (await told.event("busy"))["line"] == "line2"
        command(session, line="line2", do="give_up")
        await told.event("gave_up")

    async def test_a_missing_file_is_an_error(self, session: BenchSession, told: Told, host: Host) -> None:
        command(session, line="line1", do="ring")
        await host.command("AT+FCLASS=8")
        await host.command("AT+VLS=1")
        command(session, line="line1", do="speak", file="/nonexistent/x.wav")
        assert "nonexistent" in (await told.event("error"))["error"]

    async def test_unplugging_drops_the_call_and_replugging_brings_the_modem_back(
        self, session: BenchSession, told: Told, host: Host, bench: Bench
    ) -> None:
        command(session, line="line1", do="ring")
        await host.command("AT+FCLASS=8")
        await host.command("AT+VLS=1")
        command(session, line="line1", do="unplug")
        await told.event("unplugged")
        await told.event("heard")
        assert host.lost is not None
        assert not bench.lines[0].card.busy
        command(session, line="line1", do="replug")
        await told.event("replugged")
        await host.open(bench)
        await host.command("AT")

    async def test_tones_and_quiet(self, session: BenchSession, told: Told, host: Host, bench: Bench) -> None:
        command(session, line="line1", do="ring")
        await host.command("AT+FCLASS=8")
        await host.command("AT+VLS=1")
        await host.command("AT+VRX", b"CONNECT")
        command(session, line="line1", do="tone", kind="busy")
        await host.until(b"\x10b")
        command(session, line="line1", do="quiet")
        await asyncio.sleep(1)
        loop = bench.lines[0].loop
        assert not loop.toward_subscriber.sounds(loop.now_sample(), loop.now_sample() + 8000)


@pytest.mark.fast_time
async def test_lines_are_found_by_name_and_number() -> None:
    async with Bench(3, country="US") as bench:
        assert bench.line("8002") is bench.lines[1]
        assert bench.line("line3") is bench.lines[2]
        assert bench.lines[0].tty is None
        assert bench.power is None
        with pytest.raises(NoSuchLine):
            bench.line("line4")
        assert not (await bench.caller("1", "x").dial("8001")).busy


COMMANDS = st.fixed_dictionaries(
    {"do": st.sampled_from(["ring", "key", "speak", "quiet", "tone", "hang_up", "unplug", "replug", "far_end"])},
    optional={
        "line": st.sampled_from(["line1", "8001", "line7"]),
        "number": st.text(max_size=20),
        "name": st.text(max_size=20),
        "key": st.sampled_from(["1", "D#", "x", ""]),
        "file": st.text(max_size=5),
        "kind": st.sampled_from(["busy", "ringback", "howler"]),
        "answers": st.sampled_from(["answer", "busy", "maybe"]),
        "caller_id": st.sampled_from(["before_ring", "absent"]),
    },
)


@given(texts=st.lists(COMMANDS.map(json.dumps) | st.text(max_size=20), max_size=12), picks_up=st.booleans())
def test_no_text_breaks_a_session(texts: list[str], picks_up: bool) -> None:
    async def main(directory: Path) -> None:
        told = Told()
        async with Bench(1) as bench:
            session = BenchSession(bench, directory, told)
            for text in texts:
                session.obey(text)
                await asyncio.sleep(0.3)
            if picks_up:
                bench.lines[0].card.went_off_hook()
            await asyncio.sleep(5)
            await session.settle()
        assert all(as_line(message).endswith(b"}\n") for message in told.messages)

    with tempfile.TemporaryDirectory() as directory:
        run_fast(main(Path(directory)))


def test_ptys_need_a_directory() -> None:
    with pytest.raises(ValueError, match="directory"):
        Bench(wire="pty")


async def read_from_tty(descriptor: int, wanted: bytes) -> None:
    received = b""
    async with asyncio.timeout(10):
        while wanted not in received:
            try:
                received += os.read(descriptor, 4096)
            except BlockingIOError:
                await asyncio.sleep(0.005)


@pytest.mark.fast_time
async def test_the_ups_obeys_and_tells_what_it_does_by_itself(tmp_path: Path) -> None:
    told = Told()
    async with Bench(1, directory=tmp_path) as bench:
        assert bench.power is not None
        session = BenchSession(bench, tmp_path, told)
        command(session, power="battery", percent=40)
        assert (await told.event("power"))["battery_percent"] == 40.0
        command(session, power="mains", on=False)
        assert (await told.event("power"))["mains"] is False
        await asyncio.sleep(3000)
        assert (await told.event("power"))["battery_low"] is True
        assert (await told.event("output"))["on"] is False
        for fields, state in (
            ({"power": "replace_battery"}, ("replace_battery", True)),
            ({"power": "contact", "name": "door"}, ("contacts", {"door": True})),
            ({"power": "never_cuts"}, ("output", False)),
            ({"power": "flap", "seconds": 0.003}, ("mains", True)),
            ({"power": "silent"}, ("mains", False)),
        ):
            command(session, **fields)
            event = await told.event("power")
            assert event[state[0]] == state[1]
            await asyncio.sleep(1)
        assert bench.power.silent
        await session.settle()


async def test_serving_on_real_ptys(tmp_path: Path) -> None:
    """In real time: the introduction, a ring on the tty, commands and events through the socket, the power socket."""
    commands: asyncio.Queue[str | None] = asyncio.Queue()
    told = Told()

    async def lines() -> AsyncIterator[str]:
        while (text := await commands.get()) is not None:
            yield text

    serving = asyncio.create_task(serve(2, "conexant", "CN", tmp_path, lines(), told))
    async with asyncio.timeout(10):
        while len(told.messages) < 3:
            await asyncio.sleep(0.005)
    introduction = told.messages[:3]
    assert introduction == [
        {"name": "line1", "tty": str(tmp_path / "line1")},
        {"name": "line2", "tty": str(tmp_path / "line2")},
        {"power_socket": str(tmp_path / "power.sock")},
    ]
    tty = os.open(tmp_path / "line1", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    await commands.put('{"line": "line1", "do": "ring", "number": "139"}\n')
    await read_from_tty(tty, b"RING")

    reader, writer = await asyncio.open_unix_connection(tmp_path / "bench.sock")
    next_line = _json_lines(reader)
    assert [await next_line() for _ in range(3)] == introduction
    writer.write(b'{"line": "line1", "do": "give_up"}\nrubbish\n{"power": "mains", "on": false}\n')
    assert [(await next_line())["event"] for _ in range(3)] == ["gave_up", "error", "power"]

    await commands.put(None)
    async with asyncio.timeout(10):
        await serving
    os.close(tty)
    writer.close()
    assert list(tmp_path.iterdir()) == []


def _json_lines(reader: asyncio.StreamReader) -> Callable[[], Awaitable[Any]]:
    async def next_line() -> Any:
        async with asyncio.timeout(5):
            return json.loads(await reader.readline())

    return next_line
