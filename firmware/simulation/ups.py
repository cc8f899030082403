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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware.simulation.json_lines import JsonLinesServer, Message
from firmware.simulation.ups_battery import Battery
from firmware.simulation.ups_output import Output


class SimulatedUps:
    """Mains and battery as a bench sets them.

    `silent` makes it a dead sensor, `never_cuts` one that takes the command to cut and goes on: the power race.
    """

    def __init__(self, path: Path) -> None:
        self._mains = True
        self._battery_low = False
        self._replace_battery = False
        self._battery: Battery | None = None
        self._battery_at_seconds = 0.0
        self._contacts: dict[str, bool] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._crossing: asyncio.TimerHandle | None = None
        self._watchers: list[Callable[[Message], None]] = []
        self._output = Output(lambda: self._mains, self._output_changed)
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
        drained = self._battery is not None and self._battery.low and not self._mains
        return self._battery_low or drained

    @property
    def output(self) -> bool:
        """Whether it feeds the appliance."""
        return self._output.on

    @property
    def never_cuts(self) -> bool:
        """Whether it goes on where it was told to cut."""
        return self._output.never_cuts

    @never_cuts.setter
    def never_cuts(self, never: bool) -> None:
        self._output.never_cuts = never

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in (*self._timers, *([self._crossing] if self._crossing else [])):
            timer.cancel()
        self._output.close()
        await self._server.__aexit__(kind, error, trace)

    def watch(self, watcher: Callable[[Message], None]) -> None:
        """Tell what happens by itself: `output` events, and `power` events of a draining battery."""
        self._watchers.append(watcher)

    def set_mains(self, *, on: bool) -> None:
        """Mains fails or comes back; a charging battery is no longer low."""
        self._pass_time()
        if on == self._mains:
            return
        self._mains = on
        self._battery_low = self._battery_low and not on
        self._output.mains_changed()
        self._changed()

    def set_battery_low(self, *, low: bool = True) -> None:
        """The battery is nearly empty, or no more."""
        if low != self._battery_low:
            self._battery_low = low
            self._changed()

    def set_battery(self, battery: Battery) -> None:
        """From now on it has a battery that drains by its load, and is charged by mains."""
        self._battery = battery
        self._battery_at_seconds = asyncio.get_running_loop().time()
        self._changed()

    def set_replace_battery(self, *, replace: bool) -> None:
        """The battery has grown old."""
        self._replace_battery = replace
        self._changed()

    def set_contact(self, name: str, *, active: bool) -> None:
        """An alarm contact goes into alarm, or out of it."""
        self._contacts[name] = active
        self._changed()

    def flap(self, seconds: float, times: int = 1) -> None:
        """Mains is away for so long and back as long, so many times, with no other thing done meanwhile."""
        loop = asyncio.get_running_loop()
        mains = self._mains
        for half in range(2 * times):
            on = mains if half % 2 else not mains
            if half == 0:
                self.set_mains(on=on)
            else:
                self._timers.add(loop.call_later(half * seconds, lambda on=on: self.set_mains(on=on)))  # type: ignore[misc]

    def state(self) -> Message:
        """What clients are told."""
        self._pass_time()
        state: dict[str, object] = {
            "mains": self._mains,
            "battery_low": self.battery_low,
            "output": self.output,
            "replace_battery": self._replace_battery,
            "at": asyncio.get_running_loop().time(),
        }
        if self._battery is not None:
            state["battery_percent"] = round(self._battery.percent, 2)
            state["runtime_seconds"] = round(self._battery.runtime_seconds, 1)
        if self._contacts:
            state["contacts"] = dict(self._contacts)
        return state

    # --- what it does by itself ---

    def _pass_time(self) -> None:
        if self._battery is None:
            return
        now_seconds = asyncio.get_running_loop().time()
        out_watts = self._battery.load_watts if self.output else 0.0
        flow_watts = self._battery.charge_watts if self._mains else -out_watts
        self._battery.pass_time(now_seconds - self._battery_at_seconds, flow_watts)
        self._battery_at_seconds = now_seconds

    def _changed(self) -> None:
        self._await_crossing()
        if not self.silent:
            self._server.say(self.state())

    def _await_crossing(self) -> None:
        """A draining battery warns, and later is empty: at the time its load says."""
        if self._crossing is not None:
            self._crossing.cancel()
            self._crossing = None
        if self._battery is None or self._mains or not self.output:
            return
        # A hair later, so that rounding cannot leave it just above.
        below = 0.0 if self._battery.low else self._battery.low_percent
        seconds = self._battery.seconds_until(below) + 0.001
        self._crossing = asyncio.get_running_loop().call_later(seconds, self._crossed)

    def _crossed(self) -> None:
        self._pass_time()
        assert self._battery is not None
        if self._battery.percent <= 0:
            self._output.run_out()
        else:
            self._changed()
            self._tell({"event": "power", **self.state()})

    def _output_changed(self, on: bool) -> None:
        self._pass_time()
        self._changed()
        self._tell({"event": "output", "on": on, "at": asyncio.get_running_loop().time()})

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


_LONGEST_CUT_SECONDS = 86_400.0


def _fields(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
