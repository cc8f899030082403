"""`Lamps` on pins. They blink by timers of the event loop: gpiozero would start a thread for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from firmware.errors import PinError
from firmware.ports import Look
from firmware.power_settings import LampSettings
from firmware.ups.pins import OutputPin, open_output

# Half a period. Told apart at a glance from across a room: once in two seconds, four times a second.
_HALF_SECONDS = {Look.SLOW: 1.0, Look.FAST: 0.125}


class PinLamps:
    """`trouble` is told, in a sentence, of each lamp that cannot be driven; the others work."""

    def __init__(self, settings: LampSettings, trouble: Callable[[str], None]) -> None:
        self._lamps: dict[str, _Lamp] = {}
        for name, pin in settings.model_dump(exclude_none=True).items():
            try:
                self._lamps[name] = _Lamp(open_output(pin, "low"))
            except PinError as error:
                trouble(f"the lamp {name} stays dark: {error}")

    def show(self, lamp: str, look: Look) -> None:
        """See `ports.Lamps`."""
        if lamp in self._lamps:
            self._lamps[lamp].show(look)

    def close(self) -> None:
        """See `ports.Lamps`."""
        for lamp in self._lamps.values():
            lamp.close()
        self._lamps.clear()


class _Lamp:
    def __init__(self, pin: OutputPin) -> None:
        self._pin = pin
        self._look = Look.OFF
        self._timer: asyncio.TimerHandle | None = None

    def show(self, look: Look) -> None:
        if look is not self._look:
            self._look = look
            self._stop()
            self._shine(on=look is not Look.OFF)

    def close(self) -> None:
        self._stop()
        with suppress(PinError):
            self._pin.drive(high=False)
        self._pin.close()

    def _shine(self, *, on: bool) -> None:
        with suppress(PinError):  # a lamp is no reason to stop anything
            self._pin.drive(high=on)
        half_seconds = _HALF_SECONDS.get(self._look)
        if half_seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(half_seconds, lambda: self._shine(on=not on))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
