"""Taking what appliances wrote into a folder, as if they had sent it: the same checks, the same deduplication."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from collector.database import Database
from collector.errors import ImportRefused
from collector.importing.folder import DamagedLine, Export, FileUnusable, Line, audio, batches, exports_in, record_files
from collector.records import blob_rows
from collector.records.devices import add_device, company_named
from collector.records.incoming import IncomingRecord, Refused
from collector.records.judging import Outcome, RecordAnswer
from collector.records.store import RecordStore

COMPANY = "imported"
"""Of an appliance that is not known, where no company is named."""
_MOST_PROBLEMS = 200


class AudioShelf(Protocol):
    """Where recordings go. Raises: CollectorError where it cannot be used."""

    async def put(self, device: UUID, sha256: str, content: bytes) -> None:
        """Whole and durable under its name when it returns."""

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether it is there."""


@dataclass(slots=True)
class Imported:
    """What came of an import. `problems` are sentences; `hidden_problems` more are not told."""

    appliances: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """By outcome, and `damaged` for lines that hold no record."""
    recordings: int = 0
    problems: list[str] = field(default_factory=list)
    hidden_problems: int = 0

    def tell(self, *sentences: str) -> None:
        """Note problems."""
        room = max(_MOST_PROBLEMS - len(self.problems), 0)
        self.problems += sentences[:room]
        self.hidden_problems += len(sentences[room:])


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports folders; the same folder again changes nothing."""

    database: Database
    store: RecordStore
    shelf: AudioShelf

    async def run(self, folder: Path, company: str | None = None) -> Imported:
        """Import all that is whole. Raises: ImportRefused where nothing can be; DatabaseUnavailable, Busy."""
        result = Imported()
        exports, problems = await asyncio.to_thread(exports_in, folder)
        result.tell(*problems)
        for export in exports:
            enrolled = await self._known(export, company)
            files, strange = await asyncio.to_thread(record_files, export)
            result.tell(*strange)
            result.appliances += 1
            for file in files:
                await self._file(export, file, result, count=not enrolled)
        return result

    async def _known(self, export: Export, company: str | None) -> bool:
        """Whether the appliance enrolled; one that is not known is registered."""
        async with self.database.transaction() as work:
            row = await work.row(
                "SELECT c.name, d.imported FROM device d JOIN company c ON c.id = d.company WHERE d.id = %s FOR SHARE",
                [export.device],
            )
            if row is None:
                owner = await company_named(work, company or COMPANY)
                await add_device(work, owner, export.name, device=export.device, imported=True)
                return False
        if company is not None and row["name"] != company:
            raise ImportRefused(f"{export.name} belongs to {row['name']}, not to {company}; leave --company out")
        return not row["imported"]

    async def _file(self, export: Export, file: Path, result: Imported, *, count: bool) -> None:
        source = batches(file)
        try:
            while (lines := await asyncio.to_thread(next, source, None)) is not None:
                await self._batch(export, file, lines, result, count=count)
        except FileUnusable as error:
            result.tell(str(error))

    async def _batch(self, export: Export, file: Path, lines: Sequence[Line], result: Imported, *, count: bool) -> None:
        for line in lines:
            if isinstance(line, DamagedLine):
                result.counts["damaged"] += 1
                result.tell(f"{file.name}, line {line.line}, {line.reason}")
        records = [line for line in lines if not isinstance(line, DamagedLine)]
        answers = await self._stored(export, records, count=count)
        wanting = [
            record
            for record, answer in zip(records, answers, strict=True)
            if isinstance(record, IncomingRecord) and answer.outcome is Outcome.NEED_BLOB
        ]
        if wanting:
            await self._bring_audio(export, wanting, result)
            # All of them again: what was stored is a duplicate now, so the first answers count for those.
            again = {(one.seq, one.version): one for one in await self._stored(export, wanting, count=count)}
            answers = [again.get((one.seq, one.version), one) for one in answers]
        self._note(file, answers, result)

    async def _stored(
        self, export: Export, records: Sequence[IncomingRecord | Refused], *, count: bool
    ) -> list[RecordAnswer]:
        queue = self.store.imported_queue(records) if count else None
        return await self.store.store(export.device, records, queue)

    async def _bring_audio(self, export: Export, records: Sequence[IncomingRecord], result: Imported) -> None:
        hashes = {record.blob_sha256.hex() for record in records if record.blob_sha256 is not None}
        for sha256 in sorted(hashes):
            try:
                content = await asyncio.to_thread(audio, export, sha256)
            except FileUnusable as error:
                result.tell(str(error))
                continue
            await self._keep(export.device, sha256, content)
            result.recordings += 1

    async def _keep(self, device: UUID, sha256: str, content: bytes) -> None:
        await self.shelf.put(device, sha256, content)
        await blob_rows.note(self.database, device, sha256, len(content))
        if not await self.shelf.has(device, sha256):
            # A sweep took it just before it was noted; after that none does.
            await self.shelf.put(device, sha256, content)

    @staticmethod
    def _note(file: Path, answers: Sequence[RecordAnswer], result: Imported) -> None:
        for answer in answers:
            result.counts[answer.outcome.value] += 1
            if answer.outcome is Outcome.NEED_BLOB:
                result.tell(f"{file.name}: record {answer.seq} waits for its recording; import again when it is there")
            elif answer.outcome in {Outcome.REJECTED, Outcome.CONFLICT}:
                result.tell(f"{file.name}: record {answer.seq} is not taken: {answer.reason}")
