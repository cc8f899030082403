"""A load behind a relay or transistor on a pin."""

from __future__ import annotations

from firmware.errors import LoadError, PinError
from firmware.ups.pins import OutputPin, open_output
from firmware.ups.profile import Level

_OTHER: dict[Level, Level] = {"high": "low", "low": "high"}


class RelayLoad:
    """Drives its pin from the first use on; `close` gives it back."""

    def __init__(self, name: str, pin: int, active: Level) -> None:
        self._name = name
        self._number = pin
        self._active: Level = active
        self._pin: OutputPin | None = None

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        self._drive(_OTHER[self._active])

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        self._drive(self._active)

    async def check(self, *, shed: bool) -> bool:
        """What we drive. Before the first use nobody knows: how a relay that rests is wired is not told to us."""
        if self._pin is None:
            return False
        return (self._pin.high == (self._active == "high")) != shed

    def close(self) -> None:
        """Give the pin back. Idempotent."""
        if self._pin is not None:
            self._pin.close()
            self._pin = None

    def _drive(self, level: Level) -> None:
        try:
            if self._pin is None:
                self._pin = open_output(self._number, level)
            self._pin.drive(high=level == "high")
        except PinError as error:
            raise LoadError(f"load {self._name}: {error}") from error
