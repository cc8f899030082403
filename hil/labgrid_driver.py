"""Everything we ask of labgrid, and the only place that imports it.

labgrid blocks, belongs to one thread, and raises bare Exception in places: so each call runs in a thread of its own,
and what it raised is looked at as a value.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from firmware.errors import LinekeeperError
from hil.rig import RigAbsent

T = TypeVar("T")

_COMMAND_SECONDS = 60.0
_RETRY_SECONDS = 2.0


class RigFault(LinekeeperError):
    """Something of the rig, or a command on the appliance, failed in the middle of a scenario."""


class Labgrid:
    """One target of one labgrid environment: a shell on the appliance, and switches by name."""

    def __init__(self, environment: Path, target: str) -> None:
        self._path = environment
        self._target_name = target
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="labgrid")
        self._environment: Any = None
        self._target: Any = None

    async def open(self) -> None:
        """Load the environment and find the target. Raises: RigAbsent."""
        try:
            await self._ask("labgrid cannot use the environment", self._load)
        except RigFault as fault:
            raise RigAbsent(str(fault)) from fault
        if self._target is None:
            raise RigAbsent(f"{self._path} has no labgrid target {self._target_name!r}")

    async def connect(self, patience_seconds: float) -> None:
        """A fresh shell on the appliance, which may just be starting. Raises: RigFault after the time-out."""
        deadline = asyncio.get_running_loop().time() + patience_seconds
        while True:
            try:
                await self._ask("the appliance cannot be reached", self._connect)
                return
            except RigFault:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
            await asyncio.sleep(_RETRY_SECONDS)

    async def run(self, command: str) -> str:
        """What a shell command on the appliance prints. Raises: RigFault when it fails."""
        lines = await self._ask(f"{command!r} failed on the appliance", self._run, command)
        return "\n".join(lines)

    async def switch(self, name: str, *, on: bool) -> None:
        """Give or take power by a power driver, or a relay, of this name. Raises: RigFault."""
        await self._ask(f"the switch {name!r} does not work", self._switch, name, on)

    async def close(self) -> None:
        """Let go of the environment; places stay reserved as they were."""
        if self._environment is not None:
            await self._ask("labgrid cannot let go", self._environment.cleanup)
        self._thread.shutdown()

    # --- in the thread ---

    def _load(self) -> None:
        from labgrid import Environment

        self._environment = Environment(str(self._path))
        self._target = self._environment.get_target(self._target_name)

    def _connect(self) -> None:
        # A shell that was connected before a power cut does not know that it is dead.
        shell = self._shell(activate=False)
        self._target.deactivate(shell)
        self._target.activate(shell)
        shell.run_check("true", timeout=_COMMAND_SECONDS)

    def _run(self, command: str) -> list[str]:
        lines: list[str] = self._shell(activate=True).run_check(command, timeout=_COMMAND_SECONDS)
        return lines

    def _shell(self, *, activate: bool) -> Any:
        from labgrid.protocol import CommandProtocol

        return self._target.get_driver(CommandProtocol, activate=activate)

    def _switch(self, name: str, on: bool) -> None:
        from labgrid.exceptions import NoDriverFoundError
        from labgrid.protocol import DigitalOutputProtocol, PowerProtocol

        with contextlib.suppress(NoDriverFoundError):
            power = self._target.get_driver(PowerProtocol, name=name)
            (power.on if on else power.off)()
            return
        self._target.get_driver(DigitalOutputProtocol, name=name).set(on)

    # --- out of it ---

    async def _ask(self, trouble: str, function: Callable[..., T], *arguments: Any) -> T:
        work = asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        await asyncio.wait([work])
        error = work.exception()
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "labgrid":
            raise RigAbsent("labgrid is not installed; install it with: pip install -e '.[rig]'") from error
        if isinstance(error, Exception):
            raise RigFault(f"{trouble}: {_told(error)}") from error
        return work.result()


def _told(error: Exception) -> str:
    """One line; labgrid's own errors keep their words in `msg` and the command's in `stderr`."""
    words = [str(getattr(error, "msg", "")) or str(error), *(getattr(error, "stderr", None) or [])]
    return " ".join(" ".join(words).split())[:500] or type(error).__name__
