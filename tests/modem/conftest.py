from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from firmware.errors import PortError
from firmware.modem.line import ModemLine
from firmware.modem.options import LineOptions
from firmware.modem.tone import tone_clip
from firmware.ports import ByteWire, Clip, RecordLimits, WireReceiver
from firmware.simulation.call import Call
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.modem import SimulatedModem
from firmware.simulation.modem.outlet import Direction
from firmware.simulation.wires import MemoryWire

LIMITS = RecordLimits(longest_seconds=30, silence_seconds=5, silence_below_dbfs=-38)


class Sink:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


@dataclass
class Bench:
    """One line of a simulated exchange, with a simulated modem and the driver under test."""

    profile: str = "conexant"
    faults: ModemFaults = field(default_factory=ModemFaults)
    options: LineOptions = field(default_factory=LineOptions)
    latency_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.exchange = Exchange("CN")
        self.card = self.exchange.add_line("front", "100")
        self.wire = MemoryWire("/dev/bench", self.latency_seconds)
        self.traffic: list[tuple[float, Direction, bytes]] = []
        self.modem = SimulatedModem(self.card.loop, self.wire, self.profile, faults=self.faults, traffic=self._passed)
        self.modem.plug_in()
        self.line = ModemLine("front", self.wire.opener, self.options)

    def _passed(self, direction: Direction, data: bytes, at_seconds: float) -> None:
        self.traffic.append((at_seconds, direction, bytes(data)))

    def sent(self) -> list[tuple[float, bytes]]:
        """What the driver wrote."""
        return [(at, data) for at, direction, data in self.traffic if direction is Direction.TO_MODEM]

    def told(self) -> list[tuple[float, bytes]]:
        """What the modem wrote."""
        return [(at, data) for at, direction, data in self.traffic if direction is Direction.FROM_MODEM]

    def sent_at(self, data: bytes) -> float:
        """When the driver last wrote these bytes."""
        return [at for at, sent in self.sent() if data in sent][-1]

    async def ring(self, number: str | bytes | None = "13800138000", name: str | bytes | None = "ZHANG SAN") -> Call:
        """A call that rings."""
        return await Caller(self.exchange, number, name).dial("front")

    async def ring_and_see(self) -> Call:
        """A call up to the moment before the answer."""
        call = await self.ring()
        await self.line.wait_for_ring()
        await self.line.read_caller(2)
        return call

    @property
    def idle(self) -> bool:
        """Whether the line is on hook, and the exchange agrees."""
        return not self.modem.off_hook


BenchMaker = Callable[..., Bench]


@pytest.fixture
async def make_bench() -> AsyncIterator[BenchMaker]:
    benches: list[Bench] = []

    def make(
        profile: str = "conexant",
        faults: ModemFaults | None = None,
        options: LineOptions | None = None,
        latency_seconds: float = 0.0,
    ) -> Bench:
        benches.append(Bench(profile, faults or ModemFaults(), options or LineOptions(), latency_seconds))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.line.close()
        bench.modem.unplug()


class ScriptedWire:
    """A wire in memory whose far end is a function: command in, answer out. `temper` says how answers travel."""

    def __init__(self, answer: Callable[[bytes], bytes | None], temper: str = "whole") -> None:
        self._answer = answer
        self._temper = temper
        self._line = bytearray()
        self._chance = random.Random(4)
        self.receiver: WireReceiver | None = None
        self.sent = bytearray()
        self.closed = False

    def start(self, receiver: WireReceiver) -> None:
        self.receiver = receiver

    def write(self, data: bytes) -> None:
        self.sent += data
        for byte in data:
            self._line.append(byte)
            if byte == 0x0D:
                command, self._line = bytes(self._line[:-1]), bytearray()
                answer = self._answer(command)
                if answer:
                    self.say(answer)

    def gather_input(self, gathering: bool) -> None:
        """All comes as it comes."""

    def discard_output(self) -> None:
        self._line.clear()

    async def close(self) -> None:
        self.closed = True

    def say(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        if self._temper == "whole":
            loop.call_soon(self._deliver, data)
        elif self._temper == "one byte":
            for number, byte in enumerate(data):
                loop.call_later(0.001 * number, self._deliver, bytes((byte,)))
        elif self._temper == "delayed":
            loop.call_later(0.4, self._deliver, data)
        else:
            kept = bytes(byte for byte in data if self._chance.random() > 0.2)
            loop.call_soon(self._deliver, kept)

    def lose(self, error: PortError) -> None:
        assert self.receiver is not None
        self.receiver.wire_lost(error)

    def _deliver(self, data: bytes) -> None:
        assert self.receiver is not None
        if data and not self.closed:
            self.receiver.bytes_received(data)


class ScriptedOpener:
    """Opens scripted wires."""

    def __init__(self, wire: ScriptedWire) -> None:
        self.wire = wire
        self.place = "/dev/script"

    async def __call__(self) -> ByteWire:
        await asyncio.sleep(0)
        return self.wire


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def limits() -> RecordLimits:
    return LIMITS


@pytest.fixture
def make_wire() -> type[ScriptedWire]:
    return ScriptedWire


@pytest.fixture
def make_opener() -> type[ScriptedOpener]:
    return ScriptedOpener


@pytest.fixture
def long_prompt() -> Clip:
    return tone_clip(440, 5.0)
