"""A battery in the time of the event loop: it drains, charges, warns and runs out by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.simulation.json_lines import Message
from firmware.simulation.ups_battery import Battery

# Rounding must not leave the charge a hair above what was waited for.
_HAIR_SECONDS = 0.001


class Drain:
    """No battery at first: then nothing is told of one. `warned` and `empty` are called once that is so."""

    def __init__(self, warned: Callable[[], None], empty: Callable[[], None]) -> None:
        self._warned = warned
        self._empty = empty
        self._battery: Battery | None = None
        self._mains = True
        self._feeding = True
        self._at_seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def low(self) -> bool:
        """Whether it warns; a battery that is being charged does not."""
        return self._battery is not None and self._battery.low and not self._mains

    def put(self, battery: Battery) -> None:
        """Another battery is in its place from now on."""
        self._battery = battery
        self._at_seconds = asyncio.get_running_loop().time()
        self._wait()

    def flow(self, *, mains: bool, feeding: bool) -> None:
        """Whether it is charged by mains or feeds the load, from now on."""
        self._pass_time()
        self._mains, self._feeding = mains, feeding
        self._wait()

    def told(self) -> Message:
        """What the UPS says of it."""
        self._pass_time()
        if self._battery is None:
            return {}
        runtime_seconds = round(self._battery.runtime_seconds, 1)
        return {"battery_percent": round(self._battery.percent, 2), "runtime_seconds": runtime_seconds}

    def close(self) -> None:
        """Nothing happens any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass_time(self) -> None:
        if self._battery is None:
            return
        now_seconds = asyncio.get_running_loop().time()
        out_watts = self._battery.load_watts if self._feeding else 0.0
        flow_watts = self._battery.charge_watts if self._mains else -out_watts
        self._battery.pass_time(now_seconds - self._at_seconds, flow_watts)
        self._at_seconds = now_seconds

    def _wait(self) -> None:
        """A draining battery warns, and later is empty: at the time its load says."""
        self.close()
        if self._battery is None or self._mains or not self._feeding:
            return
        below = 0.0 if self._battery.low else self._battery.low_percent
        seconds = self._battery.seconds_until(below) + _HAIR_SECONDS
        self._timer = asyncio.get_running_loop().call_later(seconds, self._crossed)

    def _crossed(self) -> None:
        self._pass_time()
        assert self._battery is not None
        if self._battery.percent <= 0:
            self._empty()
        else:
            self._wait()
            self._warned()
