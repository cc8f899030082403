"""Mains, battery, loads, contacts and lamps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class PowerReading:
    """What a power source says now; None where it cannot tell."""

    mains: bool | None
    battery_low: bool | None = None
    battery_percent: float | None = None
    runtime_seconds: float | None = None
    replace_battery: bool = False


class PowerSource(Protocol):
    """Watches mains and battery: pins, a UPS server, or the bench. An asynchronous context manager."""

    @property
    def place(self) -> str:
        """What is watched, for messages."""

    async def __aenter__(self) -> Self:
        """Begin to watch. Raises: PowerSourceLost, PinError."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it."""

    def readings(self) -> AsyncIterator[PowerReading]:
        """The level at once, every change as it comes, and the level again at least every second or two.

        Levels are raw apart from electrical debounce: the policy confirms. One reader at a time.
        Raises: PowerSourceLost once it is gone; a new call then looks for it again.
        """

    async def cut_power(self) -> bool:
        """Tell the UPS to cut its output once we are down, and to give it again with mains.

        False where it cannot be told. Raises: PowerSourceLost, PinError.
        """


class LoadSwitch(Protocol):
    """One load that can be done without for a while. Every method may be called again at any time."""

    @property
    def name(self) -> str:
        """How people call it."""

    async def shed(self) -> None:
        """Returns once it is off. Raises: LoadError; LoadBusy where a call must end first."""

    async def restore(self) -> None:
        """Returns once it was told to work again. Raises: LoadError."""

    async def check(self, *, shed: bool) -> bool:
        """Whether it is in this state now. Raises: LoadError where that cannot be found out."""


@dataclass(frozen=True, slots=True)
class ContactChange:
    """An alarm contact (fire, door, cooling) was closed or opened; `active` after what its settings call an alarm."""

    contact: str
    active: bool


class AlarmContacts(Protocol):
    """Watches all alarm contacts. An asynchronous context manager."""

    async def __aenter__(self) -> Self:
        """Begin to watch. Raises: PinError."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the pins."""

    def changes(self) -> AsyncIterator[ContactChange]:
        """The state of each contact at once, then every change, debounced."""


class Look(Enum):
    """What a lamp shows."""

    OFF = "off"
    ON = "on"
    SLOW = "slow"
    FAST = "fast"


class Lamps(Protocol):
    """The status lamps: `line`, `message`, `power`, `fault`. One that is not wired is ignored."""

    def show(self, lamp: str, look: Look) -> None:
        """Never blocks or raises."""

    def close(self) -> None:
        """All off, pins given back."""
