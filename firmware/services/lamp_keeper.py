"""Keeps the lamps showing how the appliance is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firmware.events import PowerState
from firmware.ports import Lamps, Look
from firmware.services.lamp_looks import looks


class LampKeeper:
    """`refresh` whenever something may have changed."""

    def __init__(self, power: Callable[[], PowerState], trouble: Callable[[], bool]) -> None:
        self._lamps: Lamps | None = None
        self._power = power
        self._trouble = trouble
        self._shown: dict[str, Look] = {}

    def begin(self, lamps: Lamps) -> None:
        """These are the lamps; nothing is shown before."""
        self._lamps, self._shown = lamps, {}

    def refresh(self, calls: dict[str, Any] | None) -> None:
        """Show what is true now; a lamp that shows it already is left alone, so that its blinking goes on."""
        if self._lamps is None:
            return
        wanted = looks(self._power(), calls, trouble=self._trouble())
        for lamp, look in wanted.items():
            if self._shown.get(lamp) is not look:
                self._lamps.show(lamp, look)
        self._shown = wanted
