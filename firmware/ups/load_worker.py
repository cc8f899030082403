"""One load and its switch, however slow, busy or broken that is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from firmware.errors import LoadBusy, LoadError
from firmware.events import LoadSwitched
from firmware.journal import journal
from firmware.ports import LoadSwitch

_log = journal("loads")

_LETTING_GO_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """How patient we are with loads, in seconds."""

    longest_switching: float = 30.0
    """A switch that takes longer has failed."""
    busy_again: float = 2.0
    """Between two tries at a load that is in use."""
    again_first: float = 2.0
    again_longest: float = 300.0
    """Between two tries after a failure: at first, and after doubling again and again."""
    settling: float = 30.0
    """A load that was restored must be found working within this."""
    look_again: float = 1.0
    """Between two looks at it meanwhile."""
    between_loads: float = 2.0
    """From a load that came back to the next one, so that their inrush does not add up."""


class LoadWorker:
    """Sheds, restores and checks one load, and tells each change of its state or of its fault once."""

    def __init__(self, switch: LoadSwitch, tell: Callable[[LoadSwitched], None], times: LoadTimes) -> None:
        self._switch = switch
        self._tell = tell
        self._times = times
        self._turn = asyncio.Lock()
        self._looking: asyncio.Task[BaseException | None] | None = None
        self._known_shed: bool | None = None
        self.wanted_shed: bool | None = None
        """What is wanted of it; None until something was."""
        self.told: LoadSwitched | None = None
        """What was told of it last."""

    def is_known(self, *, shed: bool) -> bool:
        """Whether it is known to be in this state, without a fault, and not on its way to the other."""
        return self._known_shed is shed

    async def shed(self) -> None:
        """Returns once it is off. Tries as long as it takes: cancel it when that is no longer wanted."""
        self._known_shed = None
        self._stop_looking()
        pause_seconds = self._times.again_first
        while error := await self._attempt(self._switch.shed):
            if isinstance(error, LoadBusy):
                await asyncio.sleep(self._times.busy_again)
                continue
            self._say(shed=True, fault=self._sentence(error))
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, self._times.again_longest)
        self._say(shed=True)

    async def restore(self) -> bool:
        """Bring it back and look whether it works: one try. Returns whether it does."""
        self._known_shed = None
        self._stop_looking()
        error = await self._attempt(self._switch.restore) or await self._attempt(
            self._look_until_back, self._times.settling
        )
        self._say(shed=False, fault=self._sentence(error) if error else None)
        return error is None

    async def conforms(self, *, shed: bool) -> bool:
        """Whether it is in this state. One that cannot be looked at counts as such, as nothing better is known.

        So does one that is switched meanwhile: a look that hangs must not delay that.
        """
        found = True

        async def look() -> None:
            nonlocal found
            found = await self._switch.check(shed=shed)

        looking = self._looking = asyncio.create_task(self._attempt(look))
        try:
            await asyncio.wait([looking])
        finally:
            looking.cancel()
        if looking.cancelled():
            return True
        if error := looking.result():
            self._say(shed=shed, fault=self._sentence(error))
        elif found:
            self._say(shed=shed)
        return found

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _look_until_back(self) -> None:
        deadline_seconds = asyncio.get_running_loop().time() + self._times.settling
        while not await self._switch.check(shed=False):
            if asyncio.get_running_loop().time() >= deadline_seconds:
                seconds = f"{self._times.settling:g} s"
                raise LoadError(f"{self._switch.name} was switched on but does not work after {seconds}; look at it")
            await asyncio.sleep(self._times.look_again)

    async def _attempt(
        self, work: Callable[[], Coroutine[Any, Any, None]], more_seconds: float = 0.0
    ) -> BaseException | None:
        """Do it, alone and within its time; what went wrong, also where that is a bug in the switch."""
        async with self._turn:
            task = asyncio.create_task(work())
            try:
                await asyncio.wait([task], timeout=self._times.longest_switching + more_seconds)
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait([task], timeout=_LETTING_GO_SECONDS)
        if not task.done() or task.cancelled():
            return LoadError(f"{self._switch.name} does not obey; look at its switch and its wiring")
        return task.exception()

    def _sentence(self, error: BaseException) -> str:
        if isinstance(error, LoadError):
            return str(error)
        _log.error("a load switch broke down", load=self._switch.name, exc_info=error)
        return f"the switch of {self._switch.name} broke down ({error!r}); please report it with the journal"

    def _say(self, *, shed: bool, fault: str | None = None) -> None:
        self._known_shed = None if fault else shed
        news = LoadSwitched(self._switch.name, shed, fault)
        if news != self.told:
            self.told = news
            self._tell(news)
