"""An outbox in memory: `ports.Outbox` for tests of whatever delivers, with the rules of the one on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from firmware.ports import Answer, Blob, Clock, Entry, Outcome, QueueState, Route

_LET_GO = (Outcome.STORED, Outcome.DUPLICATE)
_REFUSED = (Outcome.REJECTED, Outcome.CONFLICT)


@dataclass(slots=True)
class _Record:
    kind: str
    version: int
    body: Mapping[str, Any] | None
    blob: Blob | None


@dataclass(slots=True)
class _Waiting:
    seq: int
    version: int
    queued_at: str
    due_seconds: float
    attempts: int = 0
    refusals: int = 0
    quarantined: bool = False


class MemoryOutbox:
    """Every method is over at once; `trouble`, when set, is raised by the next one."""

    def __init__(self, clock: Clock, refusals: int = 5) -> None:
        self._clock = clock
        self._refusals = refusals
        self._records: dict[str, _Record] = {}
        self._routes: dict[str, Route] = {}
        self._queues: dict[str, dict[str, _Waiting]] = {}
        self._next_seq = 1
        self._version = 0
        self._last_success: dict[str, str] = {}
        self._last_error: dict[str, str] = {}
        self.trouble: Exception | None = None
        self.changes = 0
        """Grows with each change: what a sender watches."""

    def write(self, record_id: str, kind: str, body: Mapping[str, Any], blob: Blob | None = None) -> None:
        """A record is new, or changed."""
        self._put(record_id, _Record(kind, self._next_version(), body, blob))

    def erase(self, record_id: str) -> None:
        """A record is gone."""
        self._put(record_id, _Record(self._records[record_id].kind, self._next_version(), None, None))

    async def use_routes(self, routes: Sequence[Route]) -> None:
        """See `ports.Outbox`."""
        self._maybe_fail()
        self._queues = {route.name: self._queues.get(route.name, {}) for route in routes}
        new = [route for route in routes if route.name not in self._routes]
        self._routes = {route.name: route for route in routes}
        for route in new:
            if route.history:
                for record_id, record in self._records.items():
                    if record.body is not None:
                        self._queue(route, record_id, record)

    async def take(self, route: str, limit: int, *, with_audio: bool = True) -> Sequence[Entry]:
        """See `ports.Outbox`."""
        self._maybe_fail()
        now_seconds = self._clock.monotonic()
        waiting = sorted(self._queues[route].items(), key=lambda item: item[1].seq)
        due = [
            self._entry(record_id, place)
            for record_id, place in waiting
            if not place.quarantined
            and place.due_seconds <= now_seconds
            and (with_audio or self._records[record_id].blob is None)
        ]
        return due[:limit]

    async def settle(self, route: str, answers: Sequence[Answer]) -> None:
        """See `ports.Outbox`."""
        self._maybe_fail()
        queue = self._queues[route]
        by_seq = {place.seq: record_id for record_id, place in queue.items()}
        for answer in answers:
            record_id = by_seq.get(answer.seq)
            if record_id is None or queue[record_id].version != answer.version:
                continue
            place = queue[record_id]
            place.attempts += 1
            if answer.outcome in _LET_GO:
                del queue[record_id]
                self._last_success[route] = self._now()
                self._last_error.pop(route, None)
            elif answer.outcome in _REFUSED:
                place.refusals += 1
                place.quarantined = place.refusals >= self._refusals

    async def failed(self, route: str, sentence: str) -> None:
        """See `ports.Outbox`."""
        self._maybe_fail()
        self._last_error[route] = sentence

    async def state(self, route: str) -> QueueState:
        """See `ports.Outbox`."""
        self._maybe_fail()
        queue = self._queues.get(route, {})
        waiting = {record_id: place for record_id, place in queue.items() if not place.quarantined}
        return QueueState(
            queued=len(waiting),
            quarantined=len(queue) - len(waiting),
            oldest_queued_at=min((place.queued_at for place in waiting.values()), default=None),
            audio_queued=sum(self._records[record_id].blob is not None for record_id in waiting),
            last_success_at=self._last_success.get(route),
            last_error=self._last_error.get(route),
            next_seq=self._next_seq,
            oldest_seq=min((place.seq for place in waiting.values()), default=None),
        )

    async def count_from(self, seq: int, version: int) -> None:
        """See `ports.Outbox`."""
        self._maybe_fail()
        self._version = max(self._version, version)
        if seq < self._next_seq:
            return
        self._next_seq = seq + 1
        places = [
            (place.seq, record_id, place) for queue in self._queues.values() for record_id, place in queue.items()
        ]
        for _, record_id, place in sorted(places, key=lambda item: item[:2]):
            record = self._records[record_id]
            record.version = place.version = self._next_version()
            place.seq = self._take_seq()

    def retry(self, route: str) -> None:
        """A person wants what was set aside to be tried again."""
        for place in self._queues[route].values():
            place.quarantined, place.refusals = False, 0
        self.changes += 1

    def _put(self, record_id: str, record: _Record) -> None:
        known = record_id in self._records
        self._records[record_id] = record
        self.changes += 1
        for route in self._routes.values():
            if not known or route.changes:
                self._queue(route, record_id, record)

    def _queue(self, route: Route, record_id: str, record: _Record) -> None:
        if record.kind not in route.kinds:
            return
        place = self._queues[route.name].get(record_id)
        if place is not None:
            place.version, place.quarantined, place.refusals = record.version, False, 0
            return
        due_seconds = self._clock.monotonic() + timedelta(seconds=route.delay_seconds).total_seconds()
        self._queues[route.name][record_id] = _Waiting(self._take_seq(), record.version, self._now(), due_seconds)

    def _entry(self, record_id: str, place: _Waiting) -> Entry:
        record = self._records[record_id]
        return Entry(
            place.seq, record.kind, record_id, place.version, place.queued_at, self._clock.trusted(), place.attempts,
            record.body, record.blob,
        )  # fmt: skip

    def _take_seq(self) -> int:
        self._next_seq += 1
        return self._next_seq - 1

    def _next_version(self) -> int:
        self._version += 1
        return self._version

    def _now(self) -> str:
        return self._clock.now().isoformat()

    def _maybe_fail(self) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble
