"""The ladder behind the outbox: a route per step, which is due after the step's time, and one for the ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from firmware.alerts.desk import AlertDesk, Incident
from firmware.errors import DeliveryError
from firmware.ports import Answer, Entry, Outcome, Route

_KINDS = frozenset({"incident"})
ENDS = "alert-ends"


def step_route(number: int, after_minutes: float) -> Route:
    """Steps are counted from 0; what was there before the ladder was set up is no news."""
    delay_seconds = after_minutes * 60.0
    return Route(f"alert-{number + 1}", _KINDS, changes=False, history=False, delay_seconds=delay_seconds)


def ends_route() -> Route:
    """Every change of an incident, at once."""
    return Route(ENDS, _KINDS, changes=True, history=False)


class AlertUplink:
    """A `ports.Uplink`."""

    def __init__(self, desk: AlertDesk, tell: Callable[[Incident], Awaitable[None]]) -> None:
        self.desk = desk
        self._tell = tell

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """One incident after the other; one that cannot be told keeps none from the others. Raises: DeliveryError."""
        answers: list[Answer] = []
        first: DeliveryError | None = None
        for entry in entries:
            try:
                if entry.body is not None:
                    await self._tell(entry.body)
                answers.append(Answer(entry.seq, entry.version, Outcome.STORED))
            except DeliveryError as error:
                first = first or error
        if first is not None and not answers:
            raise first
        return answers

    async def close(self) -> None:
        """Idempotent."""
        await self.desk.close()


def step_uplink(number: int, desk: AlertDesk) -> AlertUplink:
    """Tells the people of one step."""

    async def tell(incident: Incident) -> None:
        await desk.is_due(number, incident)

    return AlertUplink(desk, tell)


def ends_uplink(desk: AlertDesk) -> AlertUplink:
    """Tells of ends whoever was told of beginnings."""
    return AlertUplink(desk, desk.changed)
