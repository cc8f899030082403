"""`PowerSource` over the bench's UPS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.ports import PowerReading
from firmware.ups.bench_socket import State, connected

# Long enough to be down by then: NUT's UPSes take 20 to 30 s by default.
CUT_AFTER_SECONDS = 30.0
_MOST = 1e9


class BenchSource:
    """Connects anew whenever somebody begins to read after a loss. One reader at a time."""

    def __init__(self, path: Path, cut_after_seconds: float = CUT_AFTER_SECONDS) -> None:
        self._path = path
        self._cut_after_seconds = cut_after_seconds

    @property
    def place(self) -> str:
        """What is watched."""
        return f"the simulated UPS at {self._path}"

    async def __aenter__(self) -> Self:
        async with connected(self._path):
            return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held between readings."""

    async def readings(self) -> AsyncIterator[PowerReading]:
        """See `ports.PowerSource`. After PowerSourceLost, a new call connects anew."""
        async with connected(self._path) as socket, aclosing(socket.states()) as states:
            async for state in states:
                yield reading_from(state)

    async def cut_power(self) -> bool:
        """See `ports.PowerSource`."""
        async with connected(self._path) as socket:
            socket.say({"do": "cut", "after_seconds": self._cut_after_seconds})
            await socket.answer("after_seconds")
        return True


def reading_from(state: State) -> PowerReading:
    """What a state says; whatever has not the right form counts as not told."""
    return PowerReading(
        mains=_flag(state.get("mains")),
        battery_low=_flag(state.get("battery_low")),
        battery_percent=_number(state.get("battery_percent")),
        runtime_seconds=_number(state.get("runtime_seconds")),
        replace_battery=state.get("replace_battery") is True,
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # An integer of any length may come; none of ours is longer than a float can hold.
    return float(value) if abs(value) <= _MOST else None
