"""The record of one call, written beside the call: no commit delays the first word, and a failing disk ends no call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from firmware.errors import StorageError
from firmware.events import CallerId
from firmware.ivr.session import SessionResult
from firmware.journal import journal
from firmware.ports import CallStore

# An ordinary disk has done it by then; one that hangs must not keep the line from being ended.
_LAST_WRITES_SECONDS = 5.0

_log = journal("calls")


class CallRecord:
    """Writes that a call was offered, answered, ended, in this order; the store's writer keeps it."""

    def __init__(self, store: CallStore, line: str) -> None:
        self.call_id = store.new_call_id()
        self._store = store
        self._writes: list[asyncio.Task[None]] = []
        self._begin(store.call_offered(line, CallerId(), self.call_id), "its beginning")

    def answered(self, caller: CallerId) -> None:
        """The line is off hook."""
        self._begin(self._store.call_answered(self.call_id, caller), "its caller")

    async def ended(self, result: SessionResult) -> None:
        """The call is over; returns when its record is written, as far as the disk takes it.

        A line that is ended meanwhile waits only shortly; what was begun goes on, and nothing of it is lost.
        """
        ending = self._store.call_ended(self.call_id, result.end, result.evidence, result.language, result.path)
        self._begin(ending, "its end")
        try:
            await asyncio.wait(self._writes)
        except asyncio.CancelledError:
            await asyncio.wait(self._writes, timeout=_LAST_WRITES_SECONDS)
            raise
        for write in self._writes:
            write.result()

    def _begin(self, write: Awaitable[object], what: str) -> None:
        self._writes.append(asyncio.create_task(self._write(write, what)))

    async def _write(self, write: Awaitable[object], what: str) -> None:
        try:
            await write
        except StorageError as error:
            _log.error("a call cannot be recorded", call_id=self.call_id, what=what, error=str(error))
