"""How a store's database comes into use, and back into use when it is found damaged while calls go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from firmware.durable_files import make_folder, plain_errors
from firmware.errors import DatabaseDamaged, StorageError
from firmware.journal import journal
from firmware.ports import Clock
from firmware.storage import incident_rows
from firmware.storage.database import Database
from firmware.storage.erasure_record import erase_again
from firmware.storage.ownership import Ownership
from firmware.storage.quarantine import INCIDENT_KIND, replace_damaged
from firmware.storage.recordings_folder import RecordingsFolder
from firmware.storage.recovery import Live, Recovery, RecoverySummary
from firmware.storage.stamps import Stamp
from firmware.storage.swap import finish_replacing
from firmware.storage.threads import in_thread
from firmware.storage.writer import Writer

_log = journal("storage")


class Opening:
    """One for a store. `live_calls` are the ids of calls that go on now; the store keeps them up to date."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        writer: Writer,
        recordings: RecordingsFolder,
        live_calls: set[str],
        clock: Clock,
        make_id: Callable[[], str],
        backup_folders: Sequence[Path],
    ) -> None:
        self._data_dir = data_dir
        self._database = database
        self._writer = writer
        self._recordings = recordings
        self._live_calls = live_calls
        self._clock = clock
        self._make_id = make_id
        self._backup_folders = backup_folders
        self._ownership = Ownership(data_dir)
        self._replaced = False
        database.mend = self._mend

    async def open(self) -> RecoverySummary:
        """See `Store.open`. Raises: StorageError; then everything is let go of again."""
        self._database.begin_opening()
        try:
            await in_thread(self._recordings.files, self._take_folder)
            summary = await self._connect()
        except StorageError as error:
            self._writer.met_trouble(error)
            await self._disconnect()
            raise
        await self._tell_of_the_past(summary.at)
        self._replaced = False
        return summary

    async def close(self) -> None:
        """Let go of database and folder for good. Raises: StorageError when that is not possible in good form."""
        try:
            await self._database.close()
        finally:
            self._ownership.release()

    def _take_folder(self) -> None:
        self._ownership.take()
        finish_replacing(self._data_dir)
        with plain_errors(self._recordings.path):
            make_folder(self._recordings.path)

    async def _connect(self) -> RecoverySummary:
        try:
            await self._database.connect()
        except DatabaseDamaged as error:
            await self._replace_damaged(error)
            await self._database.connect()
        return await self._recover()

    async def _recover(self) -> RecoverySummary:
        # First the calls of this run, then their recordings: a call that is known gives its recordings a caller.
        await self._writer.settle(self._database, replaced=self._replaced)
        if self._replaced:
            # What this run remembers may have been erased meanwhile, or while another database was put in place.
            await self._database.run(lambda _: erase_again(self._database.file, self._data_dir))
        live = Live(frozenset(self._live_calls), self._recordings.live_files())
        recovery = Recovery(self._recordings.path, self._make_id, Stamp.now(self._clock), live)
        summary = await self._database.run(recovery)
        self._database.admit()
        return summary

    async def _tell_of_the_past(self, now: Stamp) -> None:
        try:
            if not self._replaced:
                await self._writer.write_or_owe(incident_rows.close_incident, INCIDENT_KIND, INCIDENT_KIND, now)
            await self._writer.catch_up()
        except StorageError as error:
            _log.error("what went wrong before cannot be recorded yet", error=str(error))

    async def _disconnect(self) -> None:
        try:
            await self._database.disconnect()
        except StorageError as error:
            _log.warning("the database cannot be closed in good form", error=str(error))
        finally:
            self._ownership.release()

    async def _mend(self, error: DatabaseDamaged) -> None:
        """The database was found damaged while it was in use; calls go on meanwhile."""
        self._database.begin_opening()
        try:
            await self._replace_damaged(error)
            await self._database.connect()
            await self._recover()
            self._replaced = False
        except StorageError as worse:
            self._writer.met_trouble(worse)
            await self._disconnect()
            raise

    async def _replace_damaged(self, error: DatabaseDamaged) -> None:
        _log.error("the database is damaged", error=str(error))
        try:
            await self._database.let_go()
        except StorageError as last:
            _log.warning("the damaged database cannot be closed in good form", error=str(last))
        self._replaced = True
        work, now = replace_damaged, Stamp.now(self._clock)
        sentence = await in_thread(
            self._recordings.files, work, self._data_dir, self._backup_folders, str(error), self._make_id, now
        )
        _log.error("the damaged database was replaced", summary=sentence)
