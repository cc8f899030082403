"""Drives one far end: wakes when there is something, hands it over, settles what was said, and waits in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from firmware.errors import DeliveryError, DeliveryRefused, FarEndUnreachable, StorageError, TryLater
from firmware.journal import journal
from firmware.ports import ABSENT_AUDIO, Answer, Outbox, Outcome, Uplink
from firmware.sync.backoff import Backoff, BackoffTimes, Chance
from firmware.sync.progress import Drain
from firmware.sync.spread import spread_wait_seconds
from firmware.sync.waiting import Waiting

_LET_GO = (Outcome.STORED, Outcome.DUPLICATE)
_MOST_AT_ONCE = 200
# To look for audio costs as much as to take records; where there was none, it is looked for less often.
_TURNS_WITHOUT_AUDIO = 4
_TAKES_NONE = "the far end takes none of the records that wait; see linekeeper sync quarantine"

_log = journal("delivery")


@dataclass(frozen=True, slots=True)
class SenderTimes:
    """How often, and how long."""

    look_seconds: float = 1.0
    """Between two looks at whether something was written; a look costs next to nothing."""
    poll_seconds: float = 30.0
    """The queue is asked as often even where nothing was written: entries become due by themselves."""
    storage_seconds: float = 5.0
    """After the queue could not be read or written."""
    spread_seconds: float = 600.0
    backoff: BackoffTimes = field(default_factory=BackoffTimes)


async def _nothing() -> None:
    """A far end that needs no more than its entries."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """One far end, and what is done before records go there."""

    uplink: Uplink
    connect: Callable[[], Awaitable[None]] = _nothing
    """At the start, and after each failure. Raises: DeliveryError, StorageError."""
    before_records: Callable[[], Awaitable[None]] = _nothing
    """After it, and after the wait of a region's outage: what the far end wants first, such as erasures."""
    bytes_moved: Callable[[], int] = lambda: 0
    """Grows with each part of a recording that was taken: an entry may need many before it is answered."""
    audio_pauses: bool = True
    """Whether records with audio wait while the machine runs on battery."""


class Sender:
    """One route to one far end. `run` it in a task of its own; it ends by cancellation only, at any point."""

    def __init__(
        self,
        route: str,
        outbox: Outbox,
        far_end: FarEnd,
        chance: Chance,
        *,
        times: SenderTimes | None = None,
        changed: Callable[[], object] = lambda: None,
        backlog_seconds: Callable[[], Awaitable[float]] | None = None,
    ) -> None:
        """`changed` gives another value whenever the queue may have grown; `backlog_seconds` the age of the oldest."""
        self.route = route
        self._outbox = outbox
        self._far_end = far_end
        self._chance = chance
        self._times = times or SenderTimes()
        self._changed = changed
        self._backlog_seconds = backlog_seconds
        self._backoff = Backoff(chance, self._times.backoff)
        self._waiting = Waiting(self._times.look_seconds)
        self._connected = False
        self._every_seconds: float | None = None
        self._drain = Drain(0.0)
        self.failure: DeliveryError | StorageError | None = None
        """What the last try met; None after a good one."""
        self.failing_since_seconds: float | None = None
        """Loop time of the first failure in a row."""
        self._first = True

    async def run(self) -> None:
        """For ever."""
        while True:
            stamp = self._changed()
            began_seconds = asyncio.get_running_loop().time()
            wait_seconds = await self._try_once()
            if wait_seconds is not None:
                await self._waiting.rest(self._paced(wait_seconds, began_seconds))
            elif self._every_seconds is not None:
                await self._waiting.rest(self._paced(0.0, began_seconds))
            else:
                await self._waiting.until(partial(self._differs, stamp), self._times.poll_seconds)

    def wake(self, *, now: bool = False) -> None:
        """Something was written; with `now`, a person wants it tried at once, whatever is waited for."""
        self._waiting.wake(hurry=now)

    def set_pace(self, every_seconds: float | None) -> None:
        """Rounds this far apart, and audio pauses; None: as soon as there is something."""
        self._every_seconds = every_seconds
        if every_seconds is None:
            self._waiting.wake(hurry=True)

    def progress(self, queued: int, audio_queued: int) -> dict[str, Any] | None:
        """How far a long drain is."""
        return self._drain.to_json(queued, audio_queued, asyncio.get_running_loop().time())

    def doing(self) -> str:
        """In a few words, for a status."""
        if self.failure is not None:
            return f"tries again in {self._waiting.left_seconds():.0f} s"
        return self._waiting.why or "delivers"

    def _differs(self, stamp: object) -> bool:
        return self._changed() != stamp

    def _paced(self, wait_seconds: float, began_seconds: float) -> float:
        since_seconds = asyncio.get_running_loop().time() - began_seconds
        return max(wait_seconds, (self._every_seconds or 0.0) - since_seconds)

    async def _try_once(self) -> float | None:
        """Deliver all that is due; the seconds to wait after a failure, else None."""
        try:
            if not self._connected:
                await self._connect()
            stalled = await self._round()
        except DeliveryError as error:
            self._connected = False
            return await self._failed(error)
        except StorageError as error:
            # Perhaps another database is in its place: the far end's numbers are compared anew.
            self._connected = False
            self._note(error)
            return self._times.storage_seconds
        if stalled is not None:
            return await self._failed(stalled)
        self._succeeded()
        return None

    async def _connect(self) -> None:
        await self._far_end.connect()
        outage_seconds = await self._outage_seconds()
        wait_seconds = spread_wait_seconds(outage_seconds, self._times.spread_seconds, self._chance())
        if wait_seconds:
            _log.info("the far end is back; waiting so that not all come at once", seconds=round(wait_seconds))
            await self._waiting.rest(wait_seconds, "waits a little, so that a whole region does not come at once")
        self._first = False
        await self._far_end.before_records()
        self._connected = True
        self._drain = Drain(asyncio.get_running_loop().time())

    async def _outage_seconds(self) -> float:
        if self.failing_since_seconds is not None:
            return asyncio.get_running_loop().time() - self.failing_since_seconds
        # A power cut took the region's appliances down as well: they start at once, and their queues tell since when.
        return await self._backlog_seconds() if self._first and self._backlog_seconds else 0.0

    async def _round(self) -> DeliveryError | None:
        """Until nothing is due; an error where the far end takes nothing of what is there."""
        quiet_turns = 0
        while True:
            records = await self._turn(with_audio=False)
            if self._every_seconds is not None and self._far_end.audio_pauses:
                audio = None
            elif records and quiet_turns > 0:
                audio, quiet_turns = None, quiet_turns - 1
            else:
                audio = await self._turn(with_audio=True)
                quiet_turns = _TURNS_WITHOUT_AUDIO if audio is None else 0
            if records is None and audio is None:
                return None
            if not records and not audio:
                return FarEndUnreachable(_TAKES_NONE)

    async def _turn(self, *, with_audio: bool) -> bool | None:
        """Hand over once: whether anything moved, None where nothing was due."""
        entries = await self._outbox.take(self.route, _MOST_AT_ONCE, with_audio=with_audio)
        if with_audio:
            # Those without went just before. What has audio gathers at the head of the queue.
            entries = [entry for entry in entries if entry.blob or ABSENT_AUDIO in (entry.body or ())]
        if not entries:
            return None
        moved_before = self._far_end.bytes_moved()
        answers = await self._far_end.uplink.deliver(entries)
        if answers:
            await self._outbox.settle(self.route, answers)
        moved = self._far_end.bytes_moved() - moved_before
        return self._count(answers, moved)

    def _count(self, answers: Sequence[Answer], moved_bytes: int) -> bool:
        let_go = sum(answer.outcome in _LET_GO for answer in answers)
        self._drain.records_done += let_go
        self._drain.bytes_done += moved_bytes
        if let_go:
            self._succeeded()
        return let_go > 0 or moved_bytes > 0

    def _succeeded(self) -> None:
        self._backoff.succeeded()
        self.failure, self.failing_since_seconds = None, None

    async def _failed(self, error: DeliveryError) -> float:
        self._note(error)
        asked_seconds = error.retry_after_seconds if isinstance(error, TryLater) else None
        wait_seconds = self._backoff.failed(asked_seconds)
        # A network that is away is nothing odd; the status and an incident tell it. Not being let in is for a person.
        tell = _log.warning if isinstance(error, DeliveryRefused) else _log.info
        tell("nothing was delivered", route=self.route, error=str(error), again_in=round(wait_seconds))
        with contextlib.suppress(StorageError):  # the sentence is for a status; the entries are where they were
            await self._outbox.failed(self.route, str(error))
        return wait_seconds

    def _note(self, error: DeliveryError | StorageError) -> None:
        self.failure = error
        if self.failing_since_seconds is None:
            self.failing_since_seconds = asyncio.get_running_loop().time()
