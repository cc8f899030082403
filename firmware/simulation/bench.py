"""A whole bench: one exchange, lines with modems on them, and a UPS where there is a directory for its socket."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from firmware.ports import WireOpener
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.line_card import LineCard
from firmware.simulation.loop import Loop
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.modem import SimulatedModem
from firmware.simulation.pty_wire import PtyWire
from firmware.simulation.ups import SimulatedUps
from firmware.simulation.wires import MemoryWire

POWER_SOCKET = "power.sock"


@dataclass(frozen=True)
class BenchLine:
    """One line: `tty` is the path of a pty, or `opener` opens the wire in memory; the other is None."""

    name: str
    loop: Loop
    card: LineCard
    modem: SimulatedModem
    wire: PtyWire | MemoryWire

    @property
    def tty(self) -> Path | None:
        """The symlink to the modem's pty, the same from plug to plug."""
        return self.wire.path if isinstance(self.wire, PtyWire) else None

    @property
    def opener(self) -> WireOpener | None:
        """Opens the wire in memory."""
        return self.wire.opener if isinstance(self.wire, MemoryWire) else None

    def unplug(self) -> None:
        """Pull the USB plug: the modem has no power, and drops the line."""
        self.modem.unplug()

    def replug(self) -> None:
        """Put it back."""
        self.modem.plug_in()


class Bench:
    """Lines `line1`, `line2` ... with the numbers 8001, 8002 ...; all modems are plugged in inside the context.

    `wire` is `pty` (needs a directory) or `memory`. Raises: UnknownCountry, ValueError for an unknown profile.
    """

    def __init__(
        self,
        lines: int = 1,
        profile: str = "conexant",
        country: str = "CN",
        wire: Literal["pty", "memory"] = "memory",
        directory: Path | None = None,
        faults: ModemFaults | None = None,
    ) -> None:
        if wire == "pty" and directory is None:
            raise ValueError("ptys need a directory for their names")
        self.exchange = Exchange(country)
        self.power = None if directory is None else SimulatedUps(directory / POWER_SOCKET)
        self.lines = [
            self._build(number, profile, directory if wire == "pty" else None, faults) for number in range(1, lines + 1)
        ]
        self._opened = AsyncExitStack()

    def line(self, name: str) -> BenchLine:
        """One line by name. Raises: NoSuchLine."""
        card = self.exchange.line(name)
        return next(line for line in self.lines if line.card is card)

    def caller(self, number: str | bytes | None = None, name: str | bytes | None = None) -> Caller:
        """Somebody who can call the lines; for more choice build a Caller on `exchange`."""
        return Caller(self.exchange, number, name)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            if self.power is not None:
                await opening.enter_async_context(self.power)
            for line in self.lines:
                opening.callback(line.unplug)
                line.replug()
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.__aexit__(kind, error, trace)

    def _build(self, number: int, profile: str, directory: Path | None, faults: ModemFaults | None) -> BenchLine:
        name = f"line{number}"
        card = self.exchange.add_line(name, str(8000 + number))
        wire = MemoryWire(f"bench:{name}") if directory is None else PtyWire(directory / name)
        modem = SimulatedModem(card.loop, wire, profile, faults=faults)
        return BenchLine(name, card.loop, card, modem, wire)
