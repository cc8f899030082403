"""A systemd unit that is stopped."""

from __future__ import annotations

from firmware.errors import LoadError
from firmware.ups.loads.system import Finished, System

_WORKING = {"active", "activating", "reloading", "refreshing"}
_RESTING = {"inactive", "failed", "deactivating", "maintenance"}


class UnitLoad:
    """systemctl stop, start, is-active.

    Seen to work, it is left alone until it is shed: systemd itself starts again what fails, and whoever stops it - a
    technician, or the machine on its way down - means it.
    """

    def __init__(self, name: str, unit: str, system: System) -> None:
        self._name = name
        self._unit = unit
        self._system = system
        self._seen_working = False

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        self._seen_working = False
        await self._systemctl("stop")

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._systemctl("start")

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        if self._seen_working and not shed:
            return True
        # Its words, not its status: 3 is inactive, and also what systemctl says of some failures.
        answer = await self._system.run("systemctl", "is-active", self._unit)
        words = answer.output.split()
        state = words[0] if len(words) == 1 else ""
        if state not in _WORKING | _RESTING:
            raise self._failed("is-active", answer)
        self._seen_working = not shed and state in _WORKING
        return (state in _RESTING) == shed

    async def _systemctl(self, verb: str) -> None:
        answer = await self._system.run("systemctl", verb, self._unit)
        if answer.status != 0:
            raise self._failed(verb, answer)

    def _failed(self, verb: str, answer: Finished) -> LoadError:
        if "not been booted with systemd" in answer.output:
            return LoadError(
                f"load {self._name}: this machine does not run systemd, so {self._unit} cannot be switched"
            )
        return LoadError(f"load {self._name}: systemctl {verb} {self._unit} says: {answer.words or answer.status}")
