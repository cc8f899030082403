"""Tells a board to cut its output, once, at the end of a shutdown. No pin of it is driven before that."""

from __future__ import annotations

import asyncio
from pathlib import Path

from firmware.ups.i2c_chip import Chip
from firmware.ups.pins import OutputPin, open_output
from firmware.ups.profile import Off

_DEVICE_TREE = Path("/sys/firmware/devicetree/base")
_OTHER = {"high": "low", "low": "high"}


class BoardOff:
    """Power is cut at most once in the life of a process: the decision to shut down is never taken back."""

    def __init__(self, off: Off, chip: Chip | None, device_tree: Path = _DEVICE_TREE) -> None:
        self._off = off
        self._chip = chip
        self._device_tree = device_tree
        self._pin: OutputPin | None = None
        self._told = False

    async def cut(self) -> bool:
        """False where the board cannot be told. Raises: PowerSourceLost, PinError."""
        if self._told or self._off.method == "none":
            return self._told
        if self._off.method == "kernel":
            return await asyncio.to_thread(kernel_cuts, self._device_tree)
        if self._off.method == "i2c":
            assert self._chip is not None
            await asyncio.to_thread(self._chip.write, self._off.writes)
        else:
            await self._drive()
        self._told = True
        return True

    async def _drive(self) -> None:
        assert self._off.pin is not None
        # Kept open after a level: the board must see it until the end.
        self._pin = open_output(self._off.pin, self._off.level)
        if self._off.method == "pulse":
            try:
                await asyncio.sleep(self._off.seconds)
            finally:
                self._pin.drive(high=_OTHER[self._off.level] == "high")

    def close(self) -> None:
        """Give the pin back, unless it must stay as it is."""
        if self._pin is not None and self._off.method == "pulse":
            self._pin.close()
            self._pin = None


def kernel_cuts(device_tree: Path = _DEVICE_TREE) -> bool:
    """Whether the kernel drives a pin at power-off: the overlay gpio-poweroff is loaded."""
    for node in device_tree.glob("*/compatible"):
        try:
            if b"gpio-poweroff" in node.read_bytes():
                return True
        except OSError:
            continue  # a node that is just going away
    return False
