"""What is known of one line right now, in the field names that monitoring relies on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from firmware.events import LineChanged, LineState
from firmware.ports import CallWatcher, ModemIdentity


@dataclass(slots=True)
class LineStatus:
    """Written by the line's keeper only; everybody else reads."""

    name: str
    now: Callable[[], datetime]
    watcher: CallWatcher
    state: LineState = LineState.OPENING
    identity: ModemIdentity | None = None
    last_ring_at: datetime | None = None
    last_proved_alive_at: datetime | None = None
    fault: str | None = None

    def change(self, state: LineState, fault: str | None = None) -> None:
        """Enter a state and tell the watchers; the fault is forgotten unless given again."""
        if (state, fault) == (self.state, self.fault):
            return
        self.state, self.fault = state, fault
        self.watcher(LineChanged(self.name, state, fault))

    def rang(self) -> None:
        """A ring was heard."""
        self.last_ring_at = self.last_proved_alive_at = self.now()

    def proved_alive(self, seconds_ago: float = 0.0) -> None:
        """The modem answered us."""
        self.last_proved_alive_at = self.now() - timedelta(seconds=seconds_ago)

    def to_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """The line's JSON fields (design, Fixed points)."""
        return {
            "name": self.name,
            "state": self.state.value,
            "modem": self.identity and f"{self.identity.maker} {self.identity.model}".strip(),
            "firmware": self.identity and self.identity.firmware,
            "last_ring_at": _local(self.last_ring_at, zone),
            "last_proved_alive_at": _local(self.last_proved_alive_at, zone),
            "fault": self.fault,
        }


def _local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None
