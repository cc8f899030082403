"""A port of a USB hub that can switch it (uhubctl), with the modem of a telephone line on it or something else."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware.errors import LoadBusy, LoadError, ServiceAbsent
from firmware.ups.loads.asking import Asker, as_load_error, field_of
from firmware.ups.loads.system import System
from firmware.ups.loads.uhubctl import port_has_power

_RESTING = "resting"
_ABSENT = None
_IN_CALL = {"ringing", "in_call"}
# Without a call, a line gives its port back at once; a modem that is being spoken to takes some seconds.
_REST_SECONDS = 10.0
_LOOK_SECONDS = 0.25


class UsbPortLoad:
    """With a line, its port is given back by the calls service before power goes, and taken again after it came.

    While that service does not run, its lines keep their power, and nothing has to be asked of it to give them power:
    it begins with every line in service, and who looks again later finds one that should rest.
    """

    def __init__(self, name: str, hub: str, port: int, line: str | None, asker: Asker, system: System) -> None:
        self._name = name
        self._hub = hub
        self._port = port
        self._line = line
        self._asker = asker
        self._system = system

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """Raises LoadBusy while a call is on the line; it is let rest once that call has ended."""
        if self._line is not None:
            await self._let_rest(self._line)
        try:
            await self._switch("off")
        except LoadError:
            if self._line is not None:
                await self._rest(self._line, resting=False)
            raise

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._switch("on")
        if self._line is not None:
            await self._rest(self._line, resting=False)

    async def check(self, *, shed: bool) -> bool:
        """A line that does not rest without power counts as wrong: the calls service may have been started anew."""
        answer = await self._system.run("uhubctl", "-l", self._hub, "-p", str(self._port))
        powered = port_has_power(answer.output, self._port)
        if powered is None:
            raise self._failed(answer.words)
        if powered == shed:
            return False
        if self._line is None:
            return True
        state = await self._line_state(self._line)
        return state is _ABSENT or (state == _RESTING) == shed

    async def _let_rest(self, line: str) -> None:
        loop = asyncio.get_running_loop()
        until_seconds = loop.time() + _REST_SECONDS
        while (state := await self._rest(line, resting=True)) != _RESTING:
            if state is _ABSENT:
                raise LoadBusy(f"load {self._name}: the calls service is just starting, or stopped; it keeps its power")
            if state in _IN_CALL:
                raise LoadBusy(f"load {self._name}: a call is on line {line}; it keeps its power until that has ended")
            if loop.time() >= until_seconds:
                raise LoadBusy(f"load {self._name}: line {line} does not rest yet ({state}); it keeps its power")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _rest(self, line: str, *, resting: bool) -> Any:
        with as_load_error(self._name):
            try:
                answer = await self._asker.ask("calls", "rest", line=line, resting=resting)
            except ServiceAbsent:
                return _ABSENT
        return field_of(answer, "state", self._name)

    async def _line_state(self, line: str) -> Any:
        with as_load_error(self._name):
            try:
                lines = await self._asker.view("calls", "lines")
            except ServiceAbsent:
                return _ABSENT
        for one in lines if isinstance(lines, list) else []:
            if field_of(one, "name", self._name) == line:
                return field_of(one, "state", self._name)
        raise LoadError(f"load {self._name}: the calls service has no line {line}; name one of its lines")

    async def _switch(self, action: str) -> None:
        answer = await self._system.run("uhubctl", "-l", self._hub, "-p", str(self._port), "-a", action)
        if answer.status != 0 or port_has_power(answer.output, self._port) != (action == "on"):
            raise self._failed(answer.words)

    def _failed(self, words: str) -> LoadError:
        return LoadError(
            f"load {self._name}: port {self._port} of hub {self._hub} cannot be switched; uhubctl says: "
            f"{words or 'nothing'}; few hubs can do it, and `uhubctl` alone lists those that can"
        )
