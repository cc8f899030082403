"""Taking records: one transaction for a batch, and answers after its commit.

Whoever stores for an appliance locks its row of `device_progress` first. So two copies of the collector that are given
the same batch take it one after the other, and what is judged is what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from collector.database import Database, Row, Transaction
from collector.ports import Clock, RecordTaker
from collector.records import blob_rows, progress
from collector.records.columns import PERSONAL_KINDS, call_of
from collector.records.incoming import IncomingRecord, QueueReport, Refused
from collector.records.judging import Kept, Outcome, RecordAnswer, after, judge
from collector.records.writing import Writing, kept, write, write_conflicts

_ARRIVED = {Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT}


class RecordStore:
    """Takes batches of records. `takers` act on what was stored of a kind, in the same transaction."""

    def __init__(self, database: Database, clock: Clock, takers: Mapping[str, RecordTaker] | None = None) -> None:
        self._database = database
        self._clock = clock
        self._takers = dict(takers or {})

    async def store(
        self, device: UUID, records: Sequence[IncomingRecord | Refused], queue: QueueReport | None
    ) -> list[RecordAnswer]:
        """Store what is new; an answer for each, in the same order. It returns after the commit.

        `queue` None: the numbers are not those of the queue that the appliance tells us of, and are not counted.

        Raises: NotFound for an appliance that is not known; DatabaseUnavailable, Busy: then nobody knows, and the same
        batch may come again.
        """
        async with self._database.transaction() as work:
            batch = _Batch(await self._begin(work, device), records)
            await batch.judge(work)
            await batch.write(work, queue)
            await self._hand_on(work, device, batch.stored())
        return batch.answers

    def imported_queue(self, records: Sequence[IncomingRecord | Refused]) -> QueueReport:
        """What a folder tells of a queue: all that is in it left the appliance."""
        return QueueReport(0, max((one.seq for one in records), default=0) + 1, None, self._clock.now(), True)

    async def _begin(self, work: Transaction, device: UUID) -> tuple[Writing, Row]:
        row = await progress.locked(work, device)
        return Writing(device, row["country"], self._clock.now()), row

    async def _hand_on(self, work: Transaction, device: UUID, stored: Sequence[IncomingRecord]) -> None:
        for kind, taker in self._takers.items():
            if wanted := [record for record in stored if record.kind == kind]:
                await taker.take(work, device, wanted)


class _Batch:
    """One batch on its way into the database."""

    def __init__(self, place: tuple[Writing, Row], records: Sequence[IncomingRecord | Refused]) -> None:
        self._writing, self._row = place
        self._records = records
        self._new: dict[UUID, tuple[IncomingRecord, Kept]] = {}
        self._conflicts: list[IncomingRecord] = []
        self._blobs: dict[bytes, bool] = {}
        self._freed: list[bytes] = []
        self.answers: list[RecordAnswer] = []

    async def judge(self, work: Transaction) -> None:
        """Decide on each record in turn, against what is there and what came before it."""
        whole = [record for record in self._records if isinstance(record, IncomingRecord)]
        device = self._writing.device
        calls = {record.record_id: call_of(record) for record in whole}
        states = await kept(work, device, {*calls, *filter(None, calls.values())}) if whole else {}
        hashes = [one.blob_sha256 for one in whole if one.blob_sha256 is not None]
        self._blobs = await blob_rows.held(work, device, hashes)
        for record in self._records:
            self.answers.append(self._answer(record, states))

    def _answer(self, record: IncomingRecord | Refused, states: dict[UUID, Kept]) -> RecordAnswer:
        if isinstance(record, Refused):
            return RecordAnswer(record.seq, record.version, Outcome.REJECTED, record.reason)
        before = states.get(record.record_id)
        if before is None and self._of_erased_caller(record, states):
            record = record.without_content()
        outcome, reason = judge(before, record, record.blob_sha256 in self._blobs)
        if outcome is Outcome.STORED:
            state = states[record.record_id] = after(before, record)
            self._new[record.record_id] = record, state
            if before is not None and before.blob_sha256 not in {None, state.blob_sha256}:
                self._freed += filter(None, [before.blob_sha256])
        elif outcome is Outcome.CONFLICT:
            self._conflicts.append(record)
        return RecordAnswer(record.seq, record.version, outcome, reason)

    @staticmethod
    def _of_erased_caller(record: IncomingRecord, states: Mapping[UUID, Kept]) -> bool:
        # It waited on the appliance while its caller was erased here.
        call_id = call_of(record) if record.kind in PERSONAL_KINDS else None
        call = states.get(call_id) if call_id is not None else None
        return call is not None and call.blanked

    async def write(self, work: Transaction, queue: QueueReport | None) -> None:
        """Carry out what was decided."""
        if self._new:
            await write(work, self._writing, self._new)
        if self._conflicts:
            await write_conflicts(work, self._writing, self._conflicts)
        await self._settle_blobs(work)
        if queue is None:
            return
        arrived = [(one.seq, one.version) for one in self.answers if one.outcome in _ARRIVED]
        await progress.advance(work, self._row, arrived, queue, self._writing.now)

    async def _settle_blobs(self, work: Transaction) -> None:
        device = self._writing.device
        wanted = {record.blob_sha256 for record, _ in self._new.values()}
        await blob_rows.use(work, device, [one for one, used in self._blobs.items() if one in wanted and not used])
        # Audio that came for a record which is not stored, such as one of an erased caller, must not stay either.
        freed = [*self._freed, *(one for one in self._blobs if one not in wanted)]
        await blob_rows.doom(work, device, freed, self._writing.now)
        erased = [one.erased_blob for one in self._records if isinstance(one, IncomingRecord) and one.erased_blob]
        await blob_rows.give_up(work, device, erased, self._writing.now)

    def stored(self) -> list[IncomingRecord]:
        """The last version of each that is new, in the order of the batch."""
        return [record for record, _ in self._new.values()]
