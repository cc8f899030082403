"""Everything that delivers, side by side: one sender a route, and one that fails never hurts another."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import Clock, Outbox, QueueState
from firmware.services.database_watch import DatabaseWatch
from firmware.services.uplinks import Delivery
from firmware.settings import Settings
from firmware.sync.backoff import BackoffTimes
from firmware.sync.sender import Sender, SenderTimes

_AGAIN_SECONDS = 5.0
# People who wait for an alert are told within the minute in which that is possible again.
_URGENT = SenderTimes(spread_seconds=0.0, backoff=BackoffTimes(longest_seconds=60.0))
EMPTY = QueueState(0, 0, None, 0, None, None, 1)

_log = journal("delivery")


class DeliveryDesk:
    """`work` belongs into tasks that are kept alive."""

    def __init__(self, settings: Settings, clock: Clock, outbox: Outbox, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self.every_seconds: float | None = None
        self._clock = clock
        self._outbox = outbox
        self._watch = DatabaseWatch(settings.data_dir)
        self._routed = asyncio.Event()
        self._states: dict[str, QueueState] = {}
        self.senders = [self._sender(delivery, settings) for delivery in deliveries]

    def work(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """By name, each for ever."""
        work: dict[str, Callable[[], Awaitable[None]]] = {"routes": self._use_routes}
        for delivery, sender in zip(self.deliveries, self.senders, strict=True):
            work[f"sender {sender.route}"] = partial(self._once_routed, sender.run)
            for name, run in delivery.work.items():
                work[f"{name} {sender.route}"] = partial(self._once_routed, run)
        return work

    async def close(self) -> None:
        """Let go of every connection, once nothing works any more."""
        for delivery in self.deliveries:
            await delivery.far_end.uplink.close()

    def set_pace(self, every_seconds: float | None) -> None:
        """See `Sender.set_pace`."""
        self.every_seconds = every_seconds
        for delivery, sender in zip(self.deliveries, self.senders, strict=True):
            if not delivery.urgent:
                sender.set_pace(every_seconds)

    def wake(self, *, now: bool) -> None:
        """See `Sender.wake`; with `now`, news of the far ends are asked for as well."""
        for delivery, sender in zip(self.deliveries, self.senders, strict=True):
            sender.wake(now=now)
            if now:
                delivery.ask_news()

    async def states(self) -> Mapping[str, QueueState]:
        """By route; as they were last known where the database does not answer."""
        for sender in self.senders:
            with contextlib.suppress(StorageError):  # the senders tell it
                self._states[sender.route] = await self._outbox.state(sender.route)
        return {sender.route: self._states.get(sender.route, EMPTY) for sender in self.senders}

    async def _use_routes(self) -> None:
        while not self._routed.is_set():
            try:
                await self._outbox.use_routes([delivery.route for delivery in self.deliveries])
                self._routed.set()
            except StorageError as error:
                _log.warning("the outbox cannot be used yet", error=str(error))
                await asyncio.sleep(_AGAIN_SECONDS)
        await asyncio.Event().wait()

    async def _once_routed(self, run: Callable[[], Awaitable[None]]) -> None:
        await self._routed.wait()
        await run()

    def _sender(self, delivery: Delivery, settings: Settings) -> Sender:
        name = delivery.route.name

        async def backlog_seconds() -> float:
            state, now = await self._outbox.state(name), self._clock.now()
            oldest = age_seconds(state.oldest_queued_at, now) or 0.0
            # Something left since: then this is a restart in the middle of a long drain, and no outage.
            since_success = age_seconds(state.last_success_at, now)
            return oldest if since_success is None else min(oldest, since_success)

        return Sender(
            name,
            self._outbox,
            delivery.far_end,
            random.SystemRandom().random,
            times=_URGENT if delivery.urgent else SenderTimes(spread_seconds=settings.sync.spread_seconds),
            changed=self._watch.stamp,
            backlog_seconds=backlog_seconds,
        )


def age_seconds(moment: str | None, now: datetime) -> float | None:
    """Since a stored time; none is negative, also where the clock was set back."""
    return None if moment is None else max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())
