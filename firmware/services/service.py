"""What every service looks like to whoever runs it, and how it shows that it is alive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Probe:
    """One part of a service that must go on answering."""

    name: str
    check: Callable[[], Awaitable[None]]
    """Returns once the part answered. Raises: LinekeeperError where it answers that it is unwell: that is no hang."""
    patience_seconds: float
    """Silence for longer than this is a hang."""
    excused: Callable[[], bool] = lambda: False
    """Whether its silence has a reason that a new start of the service would not cure."""


class Service(Protocol):
    """An asynchronous context manager: inside it, the service does its duty.

    Entering returns once it does. It is then ready for systemd, also while its hardware is missing: an appliance
    without its modems runs, and says what it lacks. Raises: LinekeeperError where it cannot start at all.
    """

    async def __aenter__(self) -> Self:
        """Start."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop in good order."""

    async def ready(self) -> None:
        """Until what it serves is there as well, such as a line that can ring."""

    def probes(self) -> Sequence[Probe]:
        """What is asked whether it is alive, apart from the event loop itself."""

    def sentence(self) -> str:
        """How it is, in one plain sentence."""
