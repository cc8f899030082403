"""`ports.DownProgress` in the appliance's database, for the sync service: it works beside `calls`, and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from peewee import SqliteDatabase

from firmware.errors import DatabaseReplaced, StorageError
from firmware.journal import journal
from firmware.ports import Acknowledgement, Change, Clock, News
from firmware.storage import down_rows, shared_rows
from firmware.storage.brief_database import BriefDatabase
from firmware.storage.shared_rows import SharedItem
from firmware.storage.stamps import IdMaker, Stamp

P = ParamSpec("P")
T = TypeVar("T")


class SharedStore:
    """What the company shares, and a `ports.DownProgress`. Needs no opening; `close` it last.

    Each method returns after its commit. Raises: StorageError.
    """

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._brief = BriefDatabase(data_dir, "shared")
        self._clock = clock
        self._make_id = IdMaker(clock)

    async def number(self) -> int:
        """See `ports.DownProgress`; what was held back for edits that have arrived is taken over on the way."""
        await self._write(shared_rows.use_held)
        return await self._write(down_rows.progress)

    async def keep(self, news: News) -> None:
        """See `ports.DownProgress`."""
        await self._write(down_rows.keep, list(news.changes), news.up_to)

    async def start_again(self) -> None:
        """From the first change on: this appliance was enrolled anew."""
        await self._write(down_rows.start_again)

    async def waiting(self) -> Sequence[Change]:
        """See `ports.DownProgress`."""
        return await self._write(down_rows.waiting)

    async def finish(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """See `ports.DownProgress`. What they took away, a caller's number perhaps, leaves the disk as well."""
        await self._write(down_rows.finish, acknowledgements)
        try:
            await self._brief.empty_log()
        except StorageError as error:
            journal("shared").warning("the database's log is emptied later", reason=str(error))

    async def failed(self, number: int, reason: str) -> None:
        """See `ports.DownProgress`."""
        await self._write(down_rows.failed, number, reason)

    async def to_tell(self, most: int) -> Sequence[Acknowledgement]:
        """See `ports.DownProgress`."""
        return await self._write(down_rows.acknowledgements, most)

    async def told(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """See `ports.DownProgress`."""
        await self._write(down_rows.told, list(acknowledgements))

    async def take(self, *changes: Change) -> None:
        """What the collector says of shared items, in one transaction."""
        await self._write(shared_rows.take_changes, changes)

    async def without_room(self, *changes: Change) -> set[int]:
        """The numbers of those for which there is no room here."""
        return await self._write(shared_rows.without_room, changes)

    async def items(self, kind: str) -> list[SharedItem]:
        """What holds here, of one kind."""
        return await self._write(shared_rows.items, kind)

    async def edit(self, kind: str, key: str, fields: Mapping[str, Any] | None) -> None:
        """Somebody at this place sets or removes an item; it is queued for the collector in the same transaction."""
        await self._write(shared_rows.edit_item, kind, key, fields, self._make_id, Stamp.now(self._clock))

    async def holds_back(self) -> bool:
        """Whether something of the collector waits for an edit of ours to arrive; what need not wait is taken over."""
        return await self._write(shared_rows.holds_back)

    def close(self) -> None:
        """Idempotent."""
        self._brief.close()

    async def _write(
        self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await self._brief.write(work, *args, **kwargs)
        except DatabaseReplaced:
            # What stands in the new one is asked of it anew; nothing is remembered here.
            return await self._brief.write(work, *args, **kwargs)
