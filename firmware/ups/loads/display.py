"""A display's backlight.

Only panels with a backlight driver: whether a monitor on HDMI can be switched depends on what draws on it.
"""

from __future__ import annotations

from pathlib import Path

from firmware.errors import LoadError
from firmware.ups.loads.system import System, read_word, write_bytes

# FB_BLANK_UNBLANK and FB_BLANK_POWERDOWN (Documentation/ABI/stable/sysfs-class-backlight).
_ON, _OFF = "0", "4"


class DisplayLoad:
    """One backlight by name, else all there are."""

    def __init__(self, name: str, device: str | None, system: System) -> None:
        self._name = name
        self._device = device
        self._folder = system.sys / "class/backlight"

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._write(_OFF)

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._write(_ON)

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        words = [await read_word(file) for file in self._files()]
        return all(word is not None and (word != _ON) == shed for word in words)

    async def _write(self, word: str) -> None:
        for file in self._files():
            await write_bytes(file, word.encode(), self._name)

    def _files(self) -> list[Path]:
        found = sorted(self._folder.glob(f"{self._device or '*'}/bl_power"))
        if not found:
            what = f"backlight {self._device}" if self._device else "backlight"
            raise LoadError(f"load {self._name}: there is no {what} in {self._folder}")
        return found
