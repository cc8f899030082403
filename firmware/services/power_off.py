"""The last things before power goes: the UPS is told to cut, and the machine to go down; or it is started anew."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

from firmware.errors import LinekeeperError
from firmware.journal import journal
from firmware.ports import PowerSource

# A command of the shutdown that hangs is given up and tried again.
_COMMAND_SECONDS = 30.0
_AGAIN_SECONDS = 10.0
# The longest pulse of a board lasts 30 s.
_TELLING_SECONDS = 40.0
_SYNC_SECONDS = 10.0

_log = journal("power")


class PowerOff:
    """`tell` gets sentences about what was done, as it is done. No method raises."""

    def __init__(
        self,
        off_command: Sequence[str],
        reboot_command: Sequence[str],
        source: PowerSource | None,
        tell: Callable[[str], None],
    ) -> None:
        self._off_command = off_command
        self._reboot_command = reboot_command
        self._source = source
        self._tell = tell

    async def go_down(self, *, mains_there: bool) -> None:
        """Tell the UPS, then the machine.

        A machine that halts while its UPS goes on giving power stays off for ever, the top complaint about UPS boards
        (power-reference 1.2). So where the UPS cannot be told to cut, the machine stays up with everything closed until
        the battery is empty or the policy starts it anew; with mains there already it starts anew at once.
        """
        if await self._tell_ups():
            await self._until_obeyed(self._off_command, "the machine was told to go down")
        elif mains_there:
            await self.start_anew()
        else:
            await self._empty_caches()

    async def start_anew(self) -> None:
        """Mains is back and the UPS never cut: a machine that halted would stay off for ever."""
        await self._until_obeyed(self._reboot_command, "the machine was told to start anew")

    async def _tell_ups(self) -> bool:
        if self._source is None:
            self._tell("there is no UPS to be told")
            return False
        # In a task, as nothing that may be wrong with it - a bug, a hang - can be allowed to keep the machine up.
        telling = asyncio.create_task(self._source.cut_power())
        try:
            await asyncio.wait([telling], timeout=_TELLING_SECONDS)
        finally:
            telling.cancel()
        if not telling.done():
            self._tell("the UPS could not be told to cut its output: it does not answer")
            return False
        if error := telling.exception():
            if not isinstance(error, LinekeeperError):
                _log.error("the power source broke down", exc_info=error)
            self._tell(f"the UPS could not be told to cut its output: {error}")
            return False
        told = telling.result()
        self._tell("the UPS was told to cut its output" if told else "this UPS cannot be told to cut its output")
        return told

    async def _until_obeyed(self, command: Sequence[str], done: str) -> None:
        """Again and again: a machine that stays up with everything closed serves nobody."""
        last_failure = ""
        while failure := await _run(command):
            if failure != last_failure:
                last_failure = failure
                _log.error("a command of the shutdown failed", command=command[0], error=failure)
                self._tell(f"{' '.join(command)} failed: {failure}; it is tried again")
            await asyncio.sleep(_AGAIN_SECONDS)
        self._tell(done)

    async def _empty_caches(self) -> None:
        syncing = asyncio.ensure_future(asyncio.to_thread(os.sync))
        await asyncio.wait([syncing], timeout=_SYNC_SECONDS)
        kept = "everything is closed and on the disk" if syncing.done() else "the disk does not answer"
        self._tell(f"{kept}; the machine waits for mains and then starts anew")


async def _run(command: Sequence[str]) -> str:
    """What went wrong; "" where nothing did."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=None
        )
    except (OSError, ValueError) as error:
        return str(error)
    try:
        async with asyncio.timeout(_COMMAND_SECONDS):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        return f"it did not end within {_COMMAND_SECONDS:g} s"
    return f"status {status}" if status else ""
