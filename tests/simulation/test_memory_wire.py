from __future__ import annotations

import asyncio

import pytest

from firmware.errors import PortBusy, PortDenied, PortLost, PortMissing
from firmware.simulation.terminal import Terminal
from firmware.simulation.wires import MemoryWire

pytestmark = pytest.mark.fast_time


class Modem:
    """The modem's end: takes as much as it is told to."""

    def __init__(self) -> None:
        self.free_bytes = 1000
        self.got: list[tuple[float, bytes]] = []
        self.discarded: list[int] = []

    def room(self) -> int:
        return self.free_bytes

    def host_sent(self, data: bytes) -> None:
        assert len(data) <= self.free_bytes
        self.free_bytes -= len(data)
        self.got.append((asyncio.get_running_loop().time(), data))

    def host_discarded_output(self, discarded_bytes: int) -> None:
        self.discarded.append(discarded_bytes)

    @property
    def taken(self) -> bytes:
        return b"".join(data for _, data in self.got)


async def plugged(latency_seconds: float = 0.0) -> tuple[MemoryWire, Modem, Terminal]:
    wire, modem, terminal = MemoryWire("somewhere", latency_seconds), Modem(), Terminal()
    wire.plug_in(modem)
    await terminal.open(wire.opener)
    return wire, modem, terminal


async def test_bytes_arrive_both_ways_in_order_after_the_latency() -> None:
    wire, modem, terminal = await plugged(latency_seconds=0.25)
    terminal.write(b"one")
    await asyncio.sleep(0.1)
    terminal.write(b"two")
    wire.send(b"three")
    await asyncio.sleep(1)
    came = [*modem.got, *terminal.arrivals]
    assert [data for _, data in came] == [b"one", b"two", b"three"]
    assert [at for at, _ in came] == pytest.approx([0.25, 0.35, 0.35])


async def test_what_came_before_the_host_listens_is_delivered_first() -> None:
    wire, modem = MemoryWire("somewhere"), Modem()
    wire.plug_in(modem)
    wire.send(b"early ")
    await asyncio.sleep(1)
    terminal = Terminal()
    await terminal.open(wire.opener)
    wire.send(b"late")
    await asyncio.sleep(1)
    assert terminal.take() == b"early late"


async def test_a_full_modem_holds_the_host_back_without_loss() -> None:
    wire, modem, terminal = await plugged()
    terminal.write(bytes(range(200)) * 10)
    await asyncio.sleep(1)
    assert len(modem.taken) == 1000
    modem.free_bytes = 5000
    wire.room_grew()
    assert modem.taken == bytes(range(200)) * 10


async def test_discarding_drops_what_has_not_left_and_nothing_else() -> None:
    _, modem, terminal = await plugged()
    terminal.write(b"x" * 1500)
    await asyncio.sleep(1)
    terminal.write(b"y" * 20)
    terminal.wire.discard_output()
    modem.free_bytes = 5000
    terminal.write(b"z")
    await asyncio.sleep(1)
    assert modem.taken == b"x" * 1000 + b"z"
    assert modem.discarded == [520]


async def test_a_second_opener_is_turned_away_until_the_first_closes() -> None:
    wire, _, terminal = await plugged()
    with pytest.raises(PortBusy, match="somewhere"):
        await Terminal().open(wire.opener)
    await terminal.wire.close()
    await terminal.wire.close()
    await Terminal().open(wire.opener)


async def test_permission_may_be_missing() -> None:
    wire = MemoryWire("somewhere")
    wire.denied = True
    wire.plug_in(Modem())
    with pytest.raises(PortDenied):
        await wire.opener()


async def test_unplugging_is_told_once_and_the_wire_is_dead_then() -> None:
    wire, modem, terminal = await plugged()
    wire.unplug()
    wire.unplug()
    terminal.write(b"into the void")
    terminal.wire.discard_output()
    await asyncio.sleep(1)
    assert isinstance(terminal.lost, PortLost)
    assert modem.taken == b""
    with pytest.raises(PortMissing, match="somewhere"):
        await wire.opener()


async def test_closing_is_no_loss_and_plugging_in_again_opens_anew() -> None:
    wire, _, terminal = await plugged()
    await terminal.wire.close()
    wire.unplug()
    await asyncio.sleep(1)
    assert terminal.lost is None
    fresh = Modem()
    wire.plug_in(fresh)
    await terminal.open(wire.opener)
    terminal.write(b"hello")
    await asyncio.sleep(1)
    assert fresh.taken == b"hello"


async def test_a_host_that_does_not_read_makes_a_backlog() -> None:
    wire, _, terminal = await plugged()
    wire.host_reads = False
    wire.send(b"x" * 300)
    await asyncio.sleep(1)
    assert wire.backlog_bytes == 300
    wire.host_reads = True
    wire.host_ready()
    assert (wire.backlog_bytes, terminal.take()) == (0, b"x" * 300)
