"""How `calls` saves power when `power` asks for it: speech, lines that rest, and the last minutes of the battery."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Protocol, Self

from firmware.errors import ServiceError, StorageError
from firmware.events import LineState
from firmware.journal import journal
from firmware.services.control import Action
from firmware.services.event_hub import CallHub
from firmware.services.line_status import LineStatus
from firmware.services.supervisor import keep_alive
from firmware.services.waiting_messages import CountingStore, WaitingMessages

_IN_CALL = (LineState.RINGING, LineState.IN_CALL)
# A database that could not be put in order is tried again so often.
_RETRY_SECONDS = 2.0

_log = journal("power saving")


class RestingLine(Protocol):
    """A line as far as it can save power, such as `LineKeeper`."""

    status: LineStatus

    def rest(self, *, resting: bool) -> None:
        """Close the port once no call is on it, or open it again."""

    def release(self) -> None:
        """Tell the caller of the battery, and let go."""


class Speech(Protocol):
    """What can be done without, such as `SpeechDesk`."""

    async def pause(self) -> None:
        """Stop at once."""

    def resume(self) -> None:
        """Go on."""


class QuietStore(CountingStore, Protocol):
    """Where records are, such as `Store`."""

    async def put_in_order(self) -> None:
        """Move everything into the database file itself. Raises: StorageError."""


class PowerSaving:
    """An asynchronous context manager. After a restart of the service nothing rests; `power` asks again."""

    def __init__(self, lines: Mapping[str, RestingLine], speech: Speech, store: QuietStore, hub: CallHub) -> None:
        self._lines = lines
        self._speech = speech
        self._store = store
        self._told_to_rest: set[str] = set()
        self._speech_on = True
        self._speech_turn = asyncio.Lock()
        self._answering = ""
        self._waiting = WaitingMessages(store)
        self._changed = asyncio.Event()
        hub.listen(lambda _: self._changed.set())
        self._started = AsyncExitStack()
        self.low_battery = False
        """Whether every call from now on gets the short message only."""
        self.quiet = False
        """At low battery: no call is on, every recording is closed, and the database is in order."""

    async def __aenter__(self) -> Self:
        task = asyncio.create_task(keep_alive("quiet", self._follow_calls, self._crashed))
        self._started.push_async_callback(_stop, task)
        await self._set_speech()  # what was asked while speech was starting
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    def actions(self) -> dict[str, Action]:
        """What `power` asks for at the control socket."""
        return {"speech": self._ask_speech, "rest": self._ask_rest, "low_battery": self._ask_low_battery}

    async def status(self) -> dict[str, Any]:
        """How the service is, in few words."""
        states = [line.status.state for line in self._lines.values()]
        waiting = await self._waiting.count()
        return {
            "lines": len(states),
            "in_call": sum(state in _IN_CALL for state in states),
            "faults": sum(line.status.fault is not None for line in self._lines.values()),
            "resting": states.count(LineState.RESTING),
            "waiting_messages": waiting,
            "speech": self._speech_on and not self.low_battery,
            "low_battery": self.low_battery,
            "quiet": self.quiet,
            "store": self._waiting.fault or "good",
        }

    async def _ask_speech(self, request: dict[str, Any]) -> dict[str, Any]:
        self._speech_on = _switch(request, "on")
        await self._set_speech()
        return {"on": self._speech_on}

    async def _ask_rest(self, request: dict[str, Any]) -> dict[str, Any]:
        name, resting = request.get("line"), _switch(request, "resting")
        line = self._lines.get(name) if isinstance(name, str) else None
        if line is None:
            raise ServiceError(f"no line is called {str(name)[:64]!r}; there are: {', '.join(self._lines)}")
        (self._told_to_rest.add if resting else self._told_to_rest.discard)(line.status.name)
        self._set_lines()
        return {"line": name, "state": line.status.state.value}

    async def _ask_low_battery(self, request: dict[str, Any]) -> dict[str, Any]:
        low = _switch(request, "on")
        if low != self.low_battery:
            self.low_battery, self.quiet = low, False
            self._answering = self._first_good_line() if low else ""
            self._set_lines()
            for line in self._lines.values():
                if low:
                    line.release()
            self._changed.set()
            await self._set_speech()
        return {"low_battery": self.low_battery, "quiet": self.quiet}

    def _first_good_line(self) -> str:
        """Who goes on answering: the first line of the configuration, unless it cannot."""
        able = [name for name, line in self._lines.items() if name not in self._told_to_rest and not line.status.fault]
        return next(iter(able or self._lines))

    def _set_lines(self) -> None:
        for name, line in self._lines.items():
            line.rest(resting=name in self._told_to_rest or (self.low_battery and name != self._answering))

    async def _set_speech(self) -> None:
        # One after the other, so that the last word counts.
        async with self._speech_turn:
            if self._speech_on and not self.low_battery:
                self._speech.resume()
            else:
                await self._speech.pause()

    async def _follow_calls(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            calls_on = any(line.status.state in _IN_CALL for line in self._lines.values())
            if not self.low_battery or calls_on:
                self.quiet = False
            elif not self.quiet:
                await self._become_quiet()

    async def _become_quiet(self) -> None:
        try:
            await self._store.put_in_order()
        except StorageError as error:
            _log.error("the database cannot be put in order", error=str(error))
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._changed.set)
        else:
            # A call that began meanwhile has set the event, and is seen next.
            self.quiet = self.low_battery

    async def _crashed(self, error: Exception) -> None:
        _log.error("the watch over the last calls was restarted", error=type(error).__name__)
        self._changed.set()


def _switch(request: dict[str, Any], name: str) -> bool:
    value = request.get(name)
    if not isinstance(value, bool):
        raise ServiceError(f'"{name}" must be true or false')
    return value


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
