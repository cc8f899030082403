"""What the collector wants of this appliance: fetched, carried out, and answered for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from firmware.errors import ServiceError, StorageError
from firmware.journal import journal
from firmware.ports import Acknowledgement, BatchTaker, Change, ChangeTaker, DownChannel, DownProgress
from firmware.sync.collector_answers import NoSense, RequestRefused
from firmware.uplink_contract.shared_kinds import ERASE

_MOST_TOLD = 100
_MOST_REASON_CHARACTERS = 900
# In Chinese three bytes each, beside what a hundred acknowledgements have around them: below MOST_OTHER_BYTES.
_MOST_REASONS_CHARACTERS = 18_000
# One transaction; `calls` writes in between.
_MOST_TOGETHER = 200

_log = journal("down")


def in_turn(changes: Iterable[Change]) -> list[Change]:
    """What has to be done first: erasures, then everything in its order. Pure."""
    return sorted(changes, key=lambda change: (change.kind != ERASE, change.number))


def that_fit(acknowledgements: Sequence[Acknowledgement]) -> Sequence[Acknowledgement]:
    """As many of them, in order, as one request may hold; at least one. Pure."""
    while sum(len(one.reason) for one in acknowledgements) > _MOST_REASONS_CHARACTERS and len(acknowledgements) > 1:
        acknowledgements = acknowledgements[: len(acknowledgements) // 2]
    return acknowledgements


class Down:
    """One appliance's down-channel. `takers` by kind; a kind without one is refused, which holds up nothing."""

    def __init__(
        self,
        channel: DownChannel,
        progress: DownProgress,
        takers: Mapping[str, ChangeTaker],
    ) -> None:
        self._channel = channel
        self._progress = progress
        self._takers = takers
        self.erasures_wait = False
        """Whether somebody is still to be erased here, as another service could not do it yet."""
        self.trouble: str | None = None
        """What could not be carried out the last time, in a sentence."""

    async def run_once(self) -> None:
        """Fetch and carry out all that there is now; to be called before records are sent.

        Raises: DeliveryError where the collector cannot be asked; StorageError. What was done stays done.
        """
        await self._fetch()
        await self._carry_out()
        await self._tell()

    async def _fetch(self) -> None:
        after = await self._progress.number()
        while True:
            news = await self._channel.changes(after)
            # A collector that was set back knows of fewer changes; nothing of ours is undone by that.
            if news.up_to <= after and not news.changes:
                return
            await self._progress.keep(news)
            if news.up_to <= after or not news.changes:
                return
            after = news.up_to

    async def _carry_out(self) -> None:
        tried: set[int] = set()
        self.trouble, self.erasures_wait = None, False
        while changes := [one for one in in_turn(await self._progress.waiting()) if one.number not in tried]:
            for taker, group in groupby(changes, self._batch_taker):
                if taker is not None:
                    await self._take_all(taker, list(group), tried)
                elif not await self._take_each(group, tried):
                    break

    async def _take_each(self, changes: Iterable[Change], tried: set[int]) -> bool:
        """Whether what waits is as it was before: an erasure takes away what waits about the same caller."""
        for change in changes:
            tried.add(change.number)
            await self._take(change)
            if change.kind == ERASE:
                return False
        return True

    async def _take_all(self, taker: BatchTaker, changes: list[Change], tried: set[int]) -> None:
        tried.update(change.number for change in changes)
        for first in range(0, len(changes), _MOST_TOGETHER):
            try:
                await self._finish(await taker.take_all(changes[first : first + _MOST_TOGETHER]))
            except StorageError as error:
                _log.warning("changes wait", error=str(error))
                self.trouble = str(error)

    def _batch_taker(self, change: Change) -> BatchTaker | None:
        taker = self._takers.get(change.kind)
        return taker if isinstance(taker, BatchTaker) else None

    async def _take(self, change: Change) -> None:
        taker = self._takers.get(change.kind)
        if taker is None:
            reason = f"this version of Linekeeper knows nothing of the kind {change.kind[:40]!r}; update it"
            await self._finish([Acknowledgement(change.number, False, reason)])
            return
        try:
            await self._finish([await taker.take(change, self._channel)])
        except (StorageError, ServiceError, NoSense, RequestRefused) as error:
            _log.warning("a change waits", change=change.number, kind=change.kind, error=str(error))
            self.trouble = str(error)
            self.erasures_wait = self.erasures_wait or change.kind == ERASE
            await self._progress.failed(change.number, str(error))

    async def _finish(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        bounded = [
            Acknowledgement(one.number, one.done, one.reason[:_MOST_REASON_CHARACTERS]) for one in acknowledgements
        ]
        await self._progress.finish(bounded)

    async def _tell(self) -> None:
        while acknowledgements := await self._progress.to_tell(_MOST_TOLD):
            told = that_fit(acknowledgements)
            await self._channel.acknowledge(told)
            await self._progress.told(told)
