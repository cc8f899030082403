"""Which port each line's modem is found at: the configured one, or any that no other line has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware.errors import PortMissing
from firmware.modem.port import TtyOpener, discover_ports
from firmware.ports import ByteWire, WireOpener
from firmware.settings import AUTO, LineSettings


class PortBook:
    """Hands out openers, and remembers for the automatic ones which ports are taken."""

    def __init__(self, lines: Sequence[LineSettings], openers: Mapping[str, WireOpener]) -> None:
        self._given = openers
        self._configured = [line.port for line in lines if line.port != AUTO]
        self._found: dict[str, str] = {}

    def opener(self, line: LineSettings) -> WireOpener:
        """The opener of a line's port."""
        if line.name in self._given:
            return self._given[line.name]
        return _AutoOpener(self, line.name) if line.port == AUTO else TtyOpener(line.port)

    def find(self, line: str) -> str:
        """A port for an automatic line that no other line has; after a failure the next one, in turn.

        Raises: PortMissing.
        """
        others = [port for name, port in self._found.items() if name != line]
        # One device has several names: by path, by number.
        taken = {Path(port).resolve() for port in [*self._configured, *others]}
        free = [port for port in discover_ports() if Path(port).resolve() not in taken]
        if not free:
            raise PortMissing("no free modem was found; plug one in, or name its port in the configuration")
        had = self._found.get(line)
        self._found[line] = free[(free.index(had) + 1) % len(free)] if had in free else free[0]
        return self._found[line]


class _AutoOpener:
    def __init__(self, book: PortBook, line: str) -> None:
        self._book = book
        self._line = line

        self.place = "any port"

    async def __call__(self) -> ByteWire:
        self.place = self._book.find(self._line)
        return await TtyOpener(self.place)()
