"""A simulated UPS behind a Unix socket: every client gets its state as JSON lines, at connect and at every change.

`{"mains": true, "battery_low": false, "output": true, "replace_battery": false, "at": 12.5}`, `at` in seconds of the
event loop; `battery_percent` and `runtime_seconds` where it has a battery that drains, `contacts` where some were set.

A client may ask `{"do": "state"}`, and tell it `{"do": "cut", "after_seconds": 20}`: then it cuts its output, and gives
it again once there is mains. An output that goes off and on is told to its watchers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware.simulation.json_lines import JsonLinesServer, Message
from firmware.simulation.ups_battery import Battery
from firmware.simulation.ups_drain import Drain
from firmware.simulation.ups_output import Output

_LONGEST_CUT_SECONDS = 86_400.0


class SimulatedUps:
    """Mains and battery as a bench sets them. A `silent` one says nothing, as a dead sensor."""

    def __init__(self, path: Path) -> None:
        self._mains = True
        self._battery_low = False
        self._replace_battery = False
        self._contacts: dict[str, bool] = {}
        self._flapping: list[asyncio.TimerHandle] = []
        self._watchers: list[Callable[[Message], None]] = []
        self._output = Output(lambda: self._mains, self._output_changed)
        self._drain = Drain(self._warned, self._output.run_out)
        self._server = JsonLinesServer(path, self._greeting, self._take)
        self.silent = False

    @property
    def path(self) -> Path:
        """Where its socket is."""
        return self._server.path

    @property
    def mains(self) -> bool:
        """Whether there is mains power."""
        return self._mains

    @property
    def battery_low(self) -> bool:
        """Whether the battery is nearly empty."""
        return self._battery_low or self._drain.low

    @property
    def output(self) -> bool:
        """Whether it feeds the appliance."""
        return self._output.on

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_flapping()
        self._drain.close()
        self._output.close()
        await self._server.__aexit__(kind, error, trace)

    def watch(self, watcher: Callable[[Message], None]) -> None:
        """Tell what happens by itself: `output` events, and `power` events of a draining battery."""
        self._watchers.append(watcher)

    def set_mains(self, *, on: bool) -> None:
        """Mains fails or comes back, for good; a charging battery is no longer low."""
        self._stop_flapping()
        self._switch_mains(on=on)

    def set_battery_low(self, *, low: bool = True) -> None:
        """The battery is nearly empty, or no more."""
        if low != self._battery_low:
            self._battery_low = low
            self._changed()

    def set_battery(self, battery: Battery) -> None:
        """From now on it has a battery that drains by its load, and is charged by mains."""
        self._drain.put(battery)
        self._changed()

    def set_replace_battery(self, *, replace: bool) -> None:
        """The battery has grown old."""
        self._replace_battery = replace
        self._changed()

    def set_never_cuts(self, *, never: bool) -> None:
        """It takes the command to cut, and goes on: the power race."""
        self._output.never_cuts = never

    def set_contact(self, name: str, *, active: bool) -> None:
        """An alarm contact goes into alarm, or out of it."""
        self._contacts[name] = active
        self._changed()

    def flap(self, seconds: float, times: int = 1) -> None:
        """Mains changes for so long and is back for as long, so many times."""
        self._stop_flapping()
        loop, mains = asyncio.get_running_loop(), self._mains
        self._switch_mains(on=not mains)
        for half in range(1, 2 * times):
            on = mains if half % 2 else not mains
            self._flapping.append(loop.call_later(half * seconds, partial(self._switch_mains, on=on)))

    def state(self) -> Message:
        """What clients are told."""
        contacts = {"contacts": dict(self._contacts)} if self._contacts else {}
        return {
            "mains": self._mains,
            "battery_low": self.battery_low,
            "output": self.output,
            "replace_battery": self._replace_battery,
            "at": asyncio.get_running_loop().time(),
            **self._drain.told(),
            **contacts,
        }

    def _switch_mains(self, *, on: bool) -> None:
        if on == self._mains:
            return
        self._mains = on
        self._battery_low = self._battery_low and not on
        self._drain.flow(mains=on, feeding=self.output)
        self._output.mains_changed()
        self._changed()

    def _stop_flapping(self) -> None:
        for timer in self._flapping:
            timer.cancel()
        self._flapping.clear()

    def _warned(self) -> None:
        self._changed()
        self._tell({"event": "power", **self.state()})

    def _output_changed(self, on: bool) -> None:
        self._drain.flow(mains=self._mains, feeding=on)
        self._changed()
        self._tell({"event": "output", "on": on, "at": asyncio.get_running_loop().time()})

    def _changed(self) -> None:
        if not self.silent:
            self._server.say(self.state())

    def _tell(self, event: Message) -> None:
        for watcher in self._watchers:
            watcher(event)

    # --- its socket ---

    def _greeting(self) -> list[Message]:
        return [] if self.silent else [self.state()]

    def _take(self, text: str) -> Message | None:
        if self.silent:
            return None
        match _fields(text):
            case {"do": "state"}:
                return self.state()
            case {"do": "cut", "after_seconds": int() | float() as seconds} if 0 <= seconds <= _LONGEST_CUT_SECONDS:
                self._output.cut(seconds)
                return {"do": "cut", "after_seconds": seconds}
            case _:
                return {"error": "a UPS can be asked for its state and be told to cut after some seconds"}


def _fields(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
