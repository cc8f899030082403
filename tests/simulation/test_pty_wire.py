"""On real time: the kernel does the work."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import serial

from firmware.pcm import SampleFormat, decode_to_s16
from firmware.simulation.bench import Bench, BenchLine
from firmware.simulation.modem.shielding import shielded
from firmware.simulation.pty_wire import PtyWire


class Port:
    """The tty as a program opens it."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def write(self, data: bytes) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def read(self) -> bytes:
        try:
            return os.read(self.fd, 65536)
        except BlockingIOError:
            return b""

    async def hear(self, wanted: Callable[[bytes], bool], seconds: float = 5) -> bytes:
        """Read until it is enough."""
        got = b""
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.fd, readable.set)
        try:
            async with asyncio.timeout(seconds):
                while not wanted(got):
                    await readable.wait()
                    readable.clear()
                    got += self.read()
        finally:
            loop.remove_reader(self.fd)
        return got

    async def command(self, line: str) -> bytes:
        self.write(line.encode() + b"\r")
        return await self.hear(lambda got: got.endswith((b"OK\r\n", b"ERROR\r\n", b"CONNECT\r\n")))


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[BenchLine]:
    async with Bench(1, "conexant", wire="pty", directory=tmp_path) as bench:
        yield bench.lines[0]


def tty(line: BenchLine) -> Path:
    assert line.tty is not None
    return line.tty


def wire(line: BenchLine) -> PtyWire:
    assert isinstance(line.wire, PtyWire)
    return line.wire


async def talking(line: BenchLine) -> Port:
    port = Port(tty(line))
    for command in ("ATE0", "AT+FCLASS=8", "AT+VLS=1"):
        assert (await port.command(command)).endswith(b"OK\r\n")
    return port


async def test_the_first_exchange_is_free_of_the_ttys_own_echo(line: BenchLine) -> None:
    port = Port(tty(line))
    assert await port.command("ATI3") == b"ATI3\r\r\nCX93001-EIS_V0.2013-V92\r\n\r\nOK\r\n"
    os.close(port.fd)


async def test_the_port_survives_closing_and_opening_again(line: BenchLine) -> None:
    for _ in range(3):
        port = Port(tty(line))
        assert (await port.command("ATE0")).endswith(b"OK\r\n")
        os.close(port.fd)


async def test_a_client_cannot_write_faster_than_the_line_plays(line: BenchLine) -> None:
    port = await talking(line)
    await port.command("AT+VTX")
    written = 0
    for _ in range(20):
        written += port.write(b"\x90" * 4096)
        await asyncio.sleep(0.005)
    # What the kernel and the modem hold, and what played in a tenth of a second.
    assert 8192 < written < 40_000
    assert line.modem.buffered_samples <= line.modem.profile.buffer_bytes
    os.close(port.fd)


async def test_a_flush_by_the_client_drops_what_the_modem_has_not_taken(line: BenchLine) -> None:
    port = await talking(line)
    await port.command("AT+VTX")
    port.write(b"\x90" * 5000)
    await asyncio.sleep(0.05)
    termios.tcflush(port.fd, termios.TCOFLUSH)
    port.write(b"\x10\x18\x10\x03")
    began = asyncio.get_running_loop().time()
    assert (await port.hear(lambda got: got.endswith(b"OK\r\n"))) == b"\r\nOK\r\n"
    assert asyncio.get_running_loop().time() - began < 0.1
    os.close(port.fd)


async def test_every_byte_value_passes_both_ways(line: BenchLine) -> None:
    samples = bytes(range(256)) * 4
    line.loop.exchange = None  # no dial tone over what is compared
    port = await talking(line)
    await port.command("AT+VTX")
    began = line.loop.now_sample()
    port.write(shielded(samples) + b"\x10\x03")
    await port.hear(lambda got: got.endswith(b"OK\r\n"))
    played = line.loop.toward_exchange.read(began, line.loop.now_sample())
    assert decode_to_s16(samples, SampleFormat.U8) in played
    await port.command("AT+VRX")
    line.loop.toward_subscriber.put(line.loop.now_sample() + 80, decode_to_s16(samples, SampleFormat.U8))
    await asyncio.sleep(0.3)
    port.write(b"\x10!")
    recorded = await port.hear(lambda got: got.endswith(b"OK\r\n"))
    assert shielded(samples) in recorded
    os.close(port.fd)


async def test_the_clients_settings_can_be_looked_at(line: BenchLine) -> None:
    with serial.Serial(str(tty(line)), 115200, rtscts=True, exclusive=True):
        settings = wire(line).client_settings()
        assert settings.speed_baud == 115200
        assert settings.hardware_flow
        assert settings.raw
        assert not settings.xon_xoff
    with serial.Serial(str(tty(line)), 57600, xonxoff=True):
        assert wire(line).client_settings().xon_xoff
        assert wire(line).client_settings().speed_baud == 57600


async def test_there_are_no_modem_lines_and_an_exclusive_port_has_one_owner(line: BenchLine) -> None:
    with serial.Serial(str(tty(line)), 115200, exclusive=True) as port:
        with pytest.raises(OSError, match=r"ioctl"):
            _ = port.cts
        with pytest.raises(serial.SerialException) as refused:
            serial.Serial(str(tty(line)), 115200, exclusive=True)
        assert refused.value.errno == errno.EAGAIN


async def test_unplugging_ends_the_clients_port_and_replugging_brings_another(line: BenchLine) -> None:
    port = Port(tty(line))
    await port.command("ATE0")
    line.unplug()
    assert not tty(line).exists()
    assert os.read(port.fd, 100) == b""
    with pytest.raises(OSError, match="Input/output error"):
        os.write(port.fd, b"AT\r")
    line.replug()
    assert os.path.realpath(tty(line)) == wire(line).device
    again = Port(tty(line))
    assert (await again.command("AT")).endswith(b"OK\r\n")
    os.close(port.fd)
    os.close(again.fd)


async def test_a_client_that_does_not_read_loses_audio_and_is_told(line: BenchLine) -> None:
    port = await talking(line)
    await port.command("AT+VRX")
    before = line.modem.overruns
    wire(line).send(b"\x80" * 60_000)
    assert wire(line).backlog_bytes > 30_000
    await asyncio.sleep(0.2)
    assert line.modem.overruns > before
    got = await port.hear(lambda got: len(got) > 60_000)
    assert b"\x10o" in got
    assert wire(line).backlog_bytes == 0
    os.close(port.fd)
