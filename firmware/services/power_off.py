"""The last things before power goes: the UPS is told to cut, and the machine to go down; or it is started anew."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from firmware.errors import PinError, PowerSourceLost
from firmware.journal import journal
from firmware.ports import PowerSource

_COMMAND_SECONDS = 60.0

_log = journal("power")


class PowerOff:
    """Every method returns sentences about what was done; none raises."""

    def __init__(self, off_command: Sequence[str], reboot_command: Sequence[str], source: PowerSource | None) -> None:
        self._off_command = off_command
        self._reboot_command = reboot_command
        self._source = source

    async def go_down(self, *, mains_there: bool) -> list[str]:
        """Tell the UPS, then the machine.

        A machine that halts while its UPS goes on giving power stays off for ever, the top complaint about UPS boards
        (power-reference 1.2). So where the UPS cannot be told to cut, the machine stays up with everything closed until
        the battery is empty or the policy starts it anew; with mains there already it starts anew at once.
        """
        will_cut, sentence = await self._tell_ups()
        if will_cut:
            return [sentence, await _run(self._off_command, "the machine was told to go down")]
        if mains_there:
            return [sentence, await self.start_anew()]
        await asyncio.to_thread(os.sync)
        return [sentence, "everything is closed and on the disk; the machine waits for mains and then starts anew"]

    async def start_anew(self) -> str:
        """Mains is back and the UPS never cut: a machine that halted would stay off for ever."""
        return await _run(self._reboot_command, "the machine was told to start anew")

    async def _tell_ups(self) -> tuple[bool, str]:
        if self._source is None:
            return False, "there is no UPS to be told"
        try:
            told = await self._source.cut_power()
        except (PowerSourceLost, PinError) as error:
            return False, f"the UPS could not be told to cut its output: {error}"
        return told, "the UPS was told to cut its output" if told else "this UPS cannot be told to cut its output"


async def _run(command: Sequence[str], done: str) -> str:
    try:
        async with asyncio.timeout(_COMMAND_SECONDS):
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=None
            )
            status = await process.wait()
    except (OSError, TimeoutError) as error:
        _log.error("a command of the shutdown failed", command=command[0], error=str(error))
        return f"{' '.join(command)} failed: {error or 'it took too long'}"
    return done if status == 0 else f"{' '.join(command)} failed with status {status}"
