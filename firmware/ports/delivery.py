"""What waits for delivery, and who takes it.

An entry of the outbox says that a record changed; what is delivered is the record as it is when it is sent. So a record
that changed five times while the network was away is delivered once. The entry goes when the far end has committed
that very version; a change in between leaves it where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Blob:
    """Audio that belongs to a record: a file on the disk, known by its content."""

    sha256: str
    byte_count: int
    file: Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to deliver, as it is now.

    `seq` counts the entries of this appliance, so that the far end sees their order and whether one is missing.
    `version` grows with each change of any record; of two versions of one record the higher one counts.
    `body` None says that the record was erased: whoever has it must forget it too.
    """

    seq: int
    kind: str
    record_id: str
    version: int
    queued_at: str
    """UTC, ISO 8601."""
    clock_trusted: bool
    attempts: int
    body: Mapping[str, Any] | None
    blob: Blob | None = None


class Outcome(Enum):
    """What the far end did with an entry."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """It has this version, or a later one."""
    NEED_BLOB = "need_blob"
    """It wants the audio first; the entry is tried again."""
    REJECTED = "rejected"
    """It will never take this; after a few times the entry is set aside for a person."""
    CONFLICT = "conflict"
    """It has another record under this id and version: a fault that a person must see."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The far end's word on one entry, given after its commit."""

    seq: int
    version: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A way for records to leave: a name for good, and what goes along it.

    With `changes`, a change or erasure of a record that went along is queued too. With `history`, everything that is
    there when the route is first used is queued as well. An entry waits `delay_seconds` before it is due.
    """

    name: str
    kinds: frozenset[str]
    changes: bool = True
    history: bool = True
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much waits on one route, or on all."""

    queued: int
    quarantined: int
    oldest_queued_at: str | None
    audio_queued: int
    last_success_at: str | None
    last_error: str | None
    next_seq: int
    oldest_seq: int | None = None
    """Every entry below was delivered, or is set aside."""


class Outbox(Protocol):
    """The appliance's own disk as the queue. Each method returns after its commit. Raises: StorageError."""

    async def use_routes(self, routes: Sequence[Route]) -> None:
        """From now on exactly these are filled; one that is not named any more loses its queue."""

    async def take(self, route: str, limit: int, *, with_audio: bool = True) -> Sequence[Entry]:
        """The oldest entries that are due, in order; without those that have audio where `with_audio` is False."""

    async def settle(self, route: str, answers: Sequence[Answer]) -> None:
        """Let go of what was committed; count the tries of the rest, and set aside what is refused again and again."""

    async def failed(self, route: str, sentence: str) -> None:
        """Nothing could be delivered; the entries stay."""

    async def state(self, route: str) -> QueueState:
        """How much waits."""

    async def count_from(self, seq: int, version: int) -> None:
        """The far end knows of higher numbers than ours: this database is an older one, so count on from there."""


class Uplink(Protocol):
    """A far end: a collector, a web hook, a folder, a mail server."""

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """Hand over entries in this order; answers for those that the far end spoke on, in any order.

        Raises: DeliveryError where it spoke on none.
        """

    async def close(self) -> None:
        """Let go of connections. Idempotent."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the collector wants of this appliance, in the order of `number`: its down-channel.

    `body` None says that the thing was removed. `blob` is a file that belongs to it: SHA-256 and size.
    """

    number: int
    kind: str
    key: str
    version: int
    body: Mapping[str, Any] | None
    blob: tuple[str, int] | None = None
    item: str = ""
    """The collector's id of a shared item: it may be erased by it without saying what it was."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of a change here. One that was refused is not sent again; the reason is for a person."""

    number: int
    done: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Changes in order, and the number up to which they are all there is for this appliance."""

    changes: Sequence[Change]
    up_to: int


class DownChannel(Protocol):
    """What the collector has for this appliance. Raises: DeliveryError."""

    async def changes(self, after: int) -> News:
        """The next ones, in order; none when there are no more."""

    async def acknowledge(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """Tell what became of them."""

    async def fetch(self, sha256: str, byte_count: int, target: Path) -> None:
        """Bring a file that belongs to a change; it is whole, checked and durable under its name afterwards."""


class ChangeTaker(Protocol):
    """Carries out one kind of change. Whatever it is told twice, it does once."""

    async def take(self, change: Change, channel: DownChannel) -> Acknowledgement:
        """Returns after it is durable. Raises: DeliveryError, StorageError, ServiceError: it is told again later."""


@runtime_checkable
class BatchTaker(Protocol):
    """A taker for kinds of which thousands may come at once; it needs no files."""

    async def take_all(self, changes: Sequence[Change]) -> Sequence[Acknowledgement]:
        """As `ChangeTaker.take`, all of them or none. Raises: StorageError."""


class DownProgress(Protocol):
    """How far the down-channel has come, on the appliance's own disk. Each method returns after its commit.

    A change is taken over first, and carried out then; so one that cannot be carried out now stops none behind it.
    Raises: StorageError.
    """

    async def number(self) -> int:
        """Up to where changes were taken over."""

    async def keep(self, news: News) -> None:
        """Take over changes; a newer one of the same thing replaces one that waits."""

    async def waiting(self) -> Sequence[Change]:
        """What was taken over and not carried out yet, in order."""

    async def finish(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """They were carried out, or refused; the collector is to be told."""

    async def failed(self, number: int, reason: str) -> None:
        """It could not be carried out now, and is tried again."""

    async def to_tell(self, most: int) -> Sequence[Acknowledgement]:
        """What the collector has not been told yet, in order."""

    async def told(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """The collector knows."""
