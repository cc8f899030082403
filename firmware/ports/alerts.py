"""How people are told of incidents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class What(Enum):
    """What people are told."""

    BEGAN = "began"
    OVER = "over"
    BOTH = "both"
    """It began and is over: nobody could be told in between."""
    SUMMARY = "summary"
    """Many that came too fast to be told one by one."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing to tell. `telling_id` is the same whenever the same is told again.

    `incidents` are records as they are delivered (docs/delivery.md): one, or those of a summary.
    """

    telling_id: str
    what: What
    step: int
    incidents: Sequence[Mapping[str, Any]]
    more: int = 0
    """So many more of them are not listed."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who was reached; who never will be, and who not now, with the reason."""

    reached: Collection[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)


class AlertChannel(Protocol):
    """A way to tell some people: mail, a web hook."""

    @property
    def name(self) -> str:
        """For records: "e-mail", "web hook"."""

    @property
    def people(self) -> Collection[str]:
        """All whom it reaches, by address."""

    async def tell(self, telling: Telling, people: Sequence[str]) -> Told:
        """Tell these of its people. Raises: DeliveryError where none was reached now."""

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
