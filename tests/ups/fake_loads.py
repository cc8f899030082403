"""Loads whose switches are slow, busy, broken or stubborn, as a test wants them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from firmware.errors import LoadBusy, LoadError


@dataclass
class FakeLoad:
    """A `LoadSwitch`. `log` is shared: (time, load, what) of every call that ended well."""

    name: str
    log: list[tuple[float, str, str]]
    shed_seconds: float = 0.0
    restore_seconds: float = 0.0
    busy_until: float = 0.0
    failures: int = 0
    """So many calls fail before one works."""
    bug: Exception | None = None
    off: bool = False
    works_after_seconds: float = 0.0
    looks_fail: bool = False
    look_seconds: float = 0.0
    letting_go_seconds: float = 0.0
    """How long it takes to give up when it is told to."""
    tries: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    _on_at: float = 0.0

    async def shed(self) -> None:
        await self._switch(self.shed_seconds)
        if self._now() < self.busy_until:
            raise LoadBusy(f"a call is on the line of {self.name}")
        self.off = True
        self.log.append((self._now(), self.name, "shed"))

    async def restore(self) -> None:
        await self._switch(self.restore_seconds)
        self.off, self._on_at = False, self._now()
        self.log.append((self._now(), self.name, "restored"))

    async def check(self, *, shed: bool) -> bool:
        await asyncio.sleep(self.look_seconds)
        if self.looks_fail:
            raise LoadError(f"{self.name} cannot be looked at")
        return self.off if shed else not self.off and self._now() >= self._on_at + self.works_after_seconds

    async def _switch(self, seconds: float) -> None:
        self.tries.append(self._now())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(self.letting_go_seconds)
            raise
        finally:
            self.at_once -= 1
        if self.bug is not None:
            raise self.bug
        if self.failures > 0:
            self.failures -= 1
            raise LoadError(f"{self.name} did not switch")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
