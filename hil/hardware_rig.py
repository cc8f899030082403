"""Real hardware as a rig: the appliance by SSH, its supply and USB plugs by relays, callers by far-end modems."""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from firmware import wav
from firmware.pcm import decode_to_s16
from hil.far_end_modem import FarEndModem, ModemCall
from hil.labgrid_driver import Labgrid, RigFault
from hil.rig import RigAbsent
from hil.rig_file import LineEntry, RigFile

_LOOK_EVERY_SECONDS = 2.0
# Far longer than the hold-up time of a power supply's capacitors, so that "off" is off.
_DISCHARGE_SECONDS = 5.0


class HardwareRig:
    """`rig.Rig` on hardware. An asynchronous context manager: inside it, the appliance runs and has no records.

    Raises on entering: RigAbsent for what cannot be reached, RigFault for an appliance that does not get ready.
    """

    sample_exact = False

    def __init__(self, rig_file: RigFile) -> None:
        self.lines: Sequence[str] = tuple(line.name for line in rig_file.lines)
        self._appliance = rig_file.appliance
        self._entries = {line.name: line for line in rig_file.lines}
        self._far_ends = {line.name: FarEndModem(line.name, line.far_end) for line in rig_file.lines}
        self._labgrid = Labgrid(rig_file.environment, rig_file.target)
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            opening.push_async_callback(self._labgrid.close)
            await self._labgrid.open()
            for far_end in self._far_ends.values():
                opening.push_async_callback(far_end.close)
                await far_end.open()
            opening.push_async_callback(self._everything_on)
            await self._reach()
            await self._labgrid.run(self._appliance.reset)
            await self._until_ready()
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.__aexit__(kind, error, trace)

    async def ring(self, line: str, number: str | None = None) -> ModemCall:
        """Let the far-end modem dial the line; it calls from its own line's number, whatever `number` says."""
        del number
        return await self._far_ends[line].call(self._entries[line].number)

    async def cut_power(self) -> None:
        """Open the supply's relay; modems fed by the appliance go down with it."""
        await self._labgrid.switch(self._appliance.supply, on=False)

    async def restore_power(self) -> None:
        """Close it after a while; wait for the boot, and until lines can ring."""
        await asyncio.sleep(_DISCHARGE_SECONDS)
        await self._labgrid.switch(self._appliance.supply, on=True)
        await self._labgrid.connect(self._appliance.ready_seconds)
        await self._until_ready()

    async def unplug_modem(self, line: str) -> None:
        """Switch the USB power of its port off."""
        await self._labgrid.switch(self._entries[line].plug, on=False)

    async def replug_modem(self, line: str) -> None:
        """Switch it on."""
        await self._labgrid.switch(self._entries[line].plug, on=True)

    async def records(self, kind: str) -> list[dict[str, Any]]:
        """What the CLI lists; see `Rig`."""
        printed = await self._labgrid.run(f"{self._appliance.command} {shlex.quote(kind)} list --json")
        listed: list[dict[str, Any]] = json.loads(printed)
        return listed

    async def message_samples(self, message_id: str) -> bytes:
        """An exported message, brought here as text: every shell can carry that."""
        export = f'{self._appliance.command} messages export {shlex.quote(message_id)} "$folder/message.wav"'
        encoded = await self._labgrid.run(
            f'folder=$(mktemp -d) && {export} >&2 && base64 "$folder/message.wav" && rm -r "$folder"'
        )
        parsed = wav.parse(base64.b64decode(encoded))
        return decode_to_s16(parsed.data, parsed.sample_format)

    async def _reach(self) -> None:
        """Give power to everything, and find the appliance. Raises: RigAbsent."""
        try:
            await self._everything_on()
            await self._labgrid.connect(self._appliance.ready_seconds)
        except RigFault as fault:
            raise RigAbsent(str(fault)) from fault

    async def _everything_on(self) -> None:
        """As a scenario may leave it: a supply off, a modem unplugged."""
        await self._labgrid.switch(self._appliance.supply, on=True)
        for entry in self._entries.values():
            await self._labgrid.switch(entry.plug, on=True)

    async def _until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._appliance.ready_seconds
        while waiting := await self._not_ready():
            if asyncio.get_running_loop().time() >= deadline:
                raise RigFault(f"not ready after {self._appliance.ready_seconds:g} s: {waiting}")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _not_ready(self) -> str:
        """What we still wait for, in words."""
        try:
            lines = {line["name"]: line for line in await self.records("lines")}
        except RigFault as fault:
            return str(fault)
        waiting = [_waits_for(entry, lines.get(entry.name)) for entry in self._entries.values()]
        return "; ".join(sentence for sentence in waiting if sentence)


def _waits_for(entry: LineEntry, line: dict[str, Any] | None) -> str:
    if line is None:
        return f"the appliance has no line {entry.name}"
    if line["state"] == "idle":
        return ""
    return f"line {entry.name} is {line['state']}{': ' + line['fault'] if line['fault'] else ''}"
