"""Where the authority is kept: in the database, so that all copies share it, or in a folder of one's own."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from collector.database import Database, Transaction
from collector.errors import CollectorError
from collector.identity.certificates import Authority, load_authority, new_authority
from collector.identity.gatekeeper import TimeOfDay
from collector.migrating import take_turn
from firmware.durable_files import make_folder, new_file, plain_errors, sync_folder, write_durably

_KEY = "authority.key"
_CERTIFICATE = "authority.crt"
_LOCK = ".lock"


async def authority_in_database(database: Database, clock: TimeOfDay) -> Authority:
    """The one that is there; the first copy that starts makes it. Raises: CollectorError."""
    async with database.transaction() as work:
        kept = await _kept(work)
        if kept is None:
            await take_turn(work)
            kept = await _kept(work)
        if kept is not None:
            return kept
        made = new_authority(clock.now())
        values = [made.key_pem, made.certificate_pem]
        await work.run("INSERT INTO authority (key_pem, certificate_pem) VALUES (%s, %s)", values)
        return made


async def authority_in_folder(folder: Path, clock: TimeOfDay) -> Authority:
    """The one in `authority.key` and `authority.crt`; made where there is none.

    Raises: CollectorError, StorageError.
    """
    return await asyncio.to_thread(_in_folder, folder, clock)


def _in_folder(folder: Path, clock: TimeOfDay) -> Authority:
    with plain_errors(folder, "name another folder for --authority, or mend this one"):
        make_folder(folder)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of copies that start together, one makes it
            if not (folder / _CERTIFICATE).exists():
                _write_new(folder, new_authority(clock.now()))
            texts = tuple((folder / name).read_text("ascii", "replace") for name in (_KEY, _CERTIFICATE))
    return _load(texts[0], texts[1], f"{folder}: put back {_KEY} and {_CERTIFICATE} from a backup")


def _write_new(folder: Path, made: Authority) -> None:
    # The certificate comes last: without it, the key is one that nobody was told of.
    (folder / _KEY).unlink(missing_ok=True)
    with new_file(folder / _KEY) as file:
        (folder / _KEY).chmod(0o600)
        file.write(made.key_pem.encode())
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    write_durably(folder / _CERTIFICATE, made.certificate_pem.encode())


async def _kept(work: Transaction) -> Authority | None:
    row = await work.row("SELECT key_pem, certificate_pem FROM authority")
    if row is None:
        return None
    return _load(row["key_pem"], row["certificate_pem"], "the table authority: put it back from a backup")


def _load(key_pem: str, certificate_pem: str, cure: str) -> Authority:
    try:
        return load_authority(key_pem, certificate_pem)
    except ValueError as error:
        raise CollectorError(f"the authority cannot be read: {error}; {cure}") from error
