"""Real ttys: a simulated modem on a pty, and everything that can go wrong with a device."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import tty
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import serial

from firmware.errors import PortBusy, PortDenied, PortLost, PortMissing
from firmware.events import RecordingEnd
from firmware.modem import port as port_module
from firmware.modem.line import ModemLine
from firmware.modem.port import TtyOpener, discover_ports
from firmware.modem.tone import tone_clip
from firmware.pcm import SampleFormat
from firmware.ports import RecordLimits
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.modem.modem import SimulatedModem
from firmware.simulation.pty_wire import PtyWire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware.errors import PortError
    from tests.modem.conftest import Sink


class Receiver:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: list[PortError] = []
        self.deliveries = 0
        self.changed = asyncio.Event()

    def bytes_received(self, data: bytes) -> None:
        self.data += data
        self.deliveries += 1
        self.changed.set()

    def wire_lost(self, error: PortError) -> None:
        self.lost.append(error)
        self.changed.set()

    async def until(self, size: int = 1) -> None:
        while len(self.data) < size and not self.lost:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A pty: its master, and the path to open."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    os.close(slave)
    # A test may have closed it, to pull the plug.
    with suppress(OSError):
        os.close(master)


async def test_bytes_pass_both_ways(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    wire.write(b"AT\x11\x13\r")
    os.write(master, bytes(range(256)))
    await receiver.until(256)
    assert receiver.data == bytes(range(256))
    assert os.read(master, 100) == b"AT\x11\x13\r"
    await wire.close()
    await wire.close()


async def test_a_full_queue_neither_blocks_nor_loses(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    wire.start(Receiver())
    payload = bytes(range(256)) * 400
    wire.write(payload[:50_000])
    wire.write(payload[50_000:])
    taken = bytearray()
    while len(taken) < len(payload):
        try:
            taken += os.read(master, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.001)
    assert taken == payload
    await wire.close()


async def test_discarded_output_never_arrives(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    wire.start(Receiver())
    wire.write(b"x" * 100_000)
    wire.discard_output()
    wire.write(b"END")
    await asyncio.sleep(0.05)
    left = bytearray()
    while True:
        try:
            left += os.read(master, 65536)
        except BlockingIOError:
            break
    assert left.endswith(b"END")
    # One read of the far end may have been under way already (modem-reference 13).
    assert len(left) <= 4096 + 3
    await wire.close()


async def test_a_modem_that_takes_nothing_any_more_is_told_as_hung(terminal: tuple[int, str]) -> None:
    _, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    began = asyncio.get_running_loop().time()
    wire.write(b"x" * 100_000)
    await receiver.until()
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0, abs=0.5)
    assert "takes no more data, so it hangs" in str(receiver.lost[0])
    await wire.close()


async def test_a_modem_that_takes_little_or_nothing_of_importance_is_not_given_up(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    wire.write(b"x" * 100_000)
    for _ in range(5):
        await asyncio.sleep(0.5)
        os.read(master, 8192)
    assert receiver.lost == []
    wire.discard_output()
    await asyncio.sleep(2.5)
    assert receiver.lost == []
    await wire.close()


async def test_gathered_bytes_come_together_and_at_most_a_little_late(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    wire.gather_input(True)
    # Nothing there to read is no hang-up.
    await asyncio.sleep(0.12)
    for _ in range(40):
        os.write(master, b"x" * 40)
        await asyncio.sleep(0.005)
    await receiver.until(1600)
    assert receiver.lost == []
    assert receiver.deliveries <= 8
    wire.gather_input(False)
    loop = asyncio.get_running_loop()
    for _ in range(5):
        sent = loop.time()
        os.write(master, b"y")
        await receiver.until(len(receiver.data) + 1)
        assert loop.time() - sent < 0.03
    await wire.close()


async def test_a_tty_that_vanishes_while_bytes_are_gathered_is_told(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    wire.gather_input(True)
    os.write(master, b"last words")
    os.close(master)
    await receiver.until(1000)
    assert len(receiver.lost) == 1
    wire.gather_input(False)
    await wire.close()
    assert len(receiver.lost) == 1


async def test_a_vanished_tty_is_told_once_and_writing_then_does_nothing(terminal: tuple[int, str]) -> None:
    master, path = terminal
    wire = await TtyOpener(path)()
    receiver = Receiver()
    wire.start(receiver)
    os.close(master)
    await receiver.until()
    wire.write(b"AT\r")
    wire.discard_output()
    await asyncio.sleep(0)
    assert len(receiver.lost) == 1
    assert isinstance(receiver.lost[0], PortLost)
    assert path in str(receiver.lost[0])
    await wire.close()


async def test_a_second_opener_is_told_that_the_port_is_busy(terminal: tuple[int, str]) -> None:
    _, path = terminal
    wire = await TtyOpener(path)()
    with pytest.raises(PortBusy, match="another program"):
        await TtyOpener(path)()
    await wire.close()
    await (await TtyOpener(path)()).close()


async def test_a_missing_device_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PortMissing, match="plug the modem in"):
        await TtyOpener(str(tmp_path / "ttyACM0"))()


async def test_a_file_is_no_port(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.write_bytes(b"precious")
    for place in (str(path), "/etc/passwd", str(tmp_path)):
        with pytest.raises(PortMissing, match=f"{place} is not a device, so it is no serial port"):
            await TtyOpener(place)()
    with pytest.raises(PortMissing, match="serial port"):
        await TtyOpener("/dev/null")()
    assert path.read_bytes() == b"precious"


async def test_a_missing_permission_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "Serial", denied)
    with pytest.raises(PortDenied, match="dialout"):
        await TtyOpener(str(tmp_path / "ttyACM0"))()


def test_ports_are_found_by_their_stable_names_first_and_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    links = tmp_path / "by-path"
    links.mkdir()
    for name in ("ttyACM0", "ttyACM1", "ttyUSB0", "ttyS0"):
        (tmp_path / name).touch()
    (links / "usb-1").symlink_to(tmp_path / "ttyACM1")
    monkeypatch.setattr(port_module, "_SERIAL_LINKS", links)
    monkeypatch.setattr(port_module, "_DEVICES", tmp_path)
    assert discover_ports() == [str(links / "usb-1"), str(tmp_path / "ttyACM0"), str(tmp_path / "ttyUSB0")]
    monkeypatch.setattr(port_module, "_SERIAL_LINKS", tmp_path / "nowhere")
    assert len(discover_ports()) == 3


async def test_a_whole_call_over_a_pty(tmp_path: Path, sink: Sink) -> None:
    exchange = Exchange("CN")
    card = exchange.add_line("front", "100")
    wire = PtyWire(tmp_path / "modem")
    modem = SimulatedModem(card.loop, wire, "conexant")
    modem.plug_in()
    line = ModemLine("front", TtyOpener(str(tmp_path / "modem")))
    await line.open()
    settings = wire.client_settings()
    assert settings.raw
    assert not settings.xon_xoff
    assert settings.speed_baud >= 115200
    call = await Caller(exchange, "13800138000", "ZHANG SAN").dial("front")
    await line.wait_for_ring()
    caller = await line.read_caller(2)
    assert caller is not None
    assert caller.number == "13800138000"
    async with line.answer() as voice:
        playing = asyncio.create_task(voice.play([tone_clip(440, 5.0)]))
        await call.heard_speech(2)
        await call.key("1")
        assert await playing is False
        assert await voice.take_key(1) == "1"
        take = await voice.record(sink, RecordLimits(1.0, 5, -38))
        assert take.end is RecordingEnd.TIME_LIMIT
    assert not modem.off_hook
    waiting = asyncio.create_task(line.wait_for_ring())
    await asyncio.sleep(0.1)
    modem.unplug()
    with pytest.raises(PortLost):
        await asyncio.wait_for(waiting, 5)
    modem.plug_in()
    await line.open()
    await line.close()
    modem.unplug()


class Chunks:
    """`ports.CallMonitor` that counts."""

    def __init__(self) -> None:
        self.said = 0

    def caller_said(self, data: bytes, sample_format: SampleFormat) -> None:
        self.said += bool(data and sample_format)

    def caller_hears(self, data: bytes, sample_format: SampleFormat) -> None:
        assert data
        assert sample_format


async def test_a_recording_over_a_pty_wakes_us_ten_times_a_second_and_a_wait_for_a_key_does_not_wait(
    tmp_path: Path, sink: Sink
) -> None:
    exchange = Exchange("CN")
    card = exchange.add_line("front", "100")
    modem = SimulatedModem(card.loop, PtyWire(tmp_path / "modem"), "usr")
    modem.plug_in()
    line = ModemLine("front", TtyOpener(str(tmp_path / "modem")))
    await line.open()
    call = await Caller(exchange, "13800138000", "ZHANG SAN").dial("front")
    await line.wait_for_ring()
    await line.read_caller(2)
    line.monitor = chunks = Chunks()
    loop = asyncio.get_running_loop()
    async with line.answer() as voice:
        take = await voice.record(sink, RecordLimits(1.5, 5, -38))
        assert take.total_samples >= 12_000
        assert chunks.said <= 22
        waiting = asyncio.create_task(voice.take_key(3))
        await asyncio.sleep(0.5)
        pressed_at = loop.time()
        await call.key("1", 0.06)
        assert await waiting == "1"
        assert loop.time() - pressed_at < 0.2
        recording = asyncio.create_task(voice.record(sink, RecordLimits(9, 5, -38)))
        await asyncio.sleep(0.3)
        await call.key("#", 0.06)
        take = await asyncio.wait_for(recording, 1)
        assert take.end is RecordingEnd.KEY
    await line.close()
    modem.unplug()


async def test_a_modem_that_hangs_in_a_long_prompt_is_noticed_long_before_its_end(tmp_path: Path) -> None:
    exchange = Exchange("CN")
    card = exchange.add_line("front", "100")
    wire = PtyWire(tmp_path / "modem")
    modem = SimulatedModem(card.loop, wire, "conexant")
    modem.plug_in()
    line = ModemLine("front", TtyOpener(str(tmp_path / "modem")))
    await line.open()
    await Caller(exchange, "13800138000", "ZHANG SAN").dial("front")
    await line.wait_for_ring()
    await line.read_caller(2)
    loop = asyncio.get_running_loop()

    def hang() -> None:
        modem.hang()
        wire.modem_reads = False

    loop.call_later(0.5, hang)
    began = loop.time()
    with pytest.raises(PortLost, match="so it hangs"):
        async with line.answer() as voice:
            await voice.play([tone_clip(440, 20.0)])
    assert loop.time() - began <= 7.0
    await line.close()
    modem.unplug()
