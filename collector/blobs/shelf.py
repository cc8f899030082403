"""Objects by name, in a folder or in an S3-compatible store; the only place that imports obstore.

obstore writes a local file under another name and renames it, but asks for no fsync; in a folder that is done here, for
what must last. An object store that answered has it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from collector.blobs.errors import BlobsUnavailable, ObjectMissing
from firmware.durable_files import make_folder, sync_folder
from firmware.errors import StorageError

_CLIENT_TIMES = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=30)}
# The appliance tries again anyway: a store that is away must not hold requests for long.
_STORE_TRIES = 2
_STORE_PATIENCE = timedelta(seconds=20)
_UPLOAD_PIECE_BYTES = 5 * 1024 * 1024
_DELETE_AT_ONCE = 500
_PROBE = "probe"


class Shelf:
    """Keeps objects. Each method raises BlobsUnavailable when the store cannot be used now."""

    def __init__(self, store: ObjectStore, folder: Path | None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, content: bytes | AsyncIterator[bytes], *, lasting: bool = True) -> None:
        """Keep a whole object, in place of an older one. It is durable afterwards, unless it need not be `lasting`."""
        try:
            await obstore.put_async(self._store, key, content, chunk_size=_UPLOAD_PIECE_BYTES, max_concurrency=2)
            if lasting and self._folder is not None:
                await asyncio.to_thread(_make_durable, self._folder, key)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """At most `length` bytes (at least 1) from `offset` on. Raises: ObjectMissing, also where nothing is left."""
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=offset, length=length))
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectMissing(key) from error
        except (BaseError, OSError) as error:
            # Nothing is left from there on: each store tells it in its own way, and none as an error of its own.
            size = await self.size(key)
            if size is None or size <= offset:
                raise ObjectMissing(key) from error
            raise _unavailable(error) from error

    async def size(self, key: str) -> int | None:
        """In bytes; None where there is no such object."""
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def sizes(self, prefix: str) -> dict[str, int]:
        """What lies directly under a prefix: last part of the name, and bytes."""
        try:
            listed = await obstore.list_with_delimiter_async(self._store, prefix)
        except (NotFoundError, FileNotFoundError):
            return {}
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        return {entry["path"].rpartition("/")[2]: entry["size"] for entry in listed["objects"]}

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, so that they stay removed; nothing happens for those that are not there."""
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            await self._delete(keys[start : start + _DELETE_AT_ONCE])

    async def check(self) -> None:
        """Whether objects can be kept and read now."""
        await self.put(_PROBE, b"ready", lasting=False)

    async def _delete(self, keys: Sequence[str]) -> None:
        # One at a time in a folder: there the first that is missing ends the whole call.
        batches = [list(keys)] if self._folder is None else [[key] for key in keys]
        try:
            for batch in batches:
                with suppress(NotFoundError, FileNotFoundError):
                    await obstore.delete_async(self._store, batch)
            if self._folder is not None:
                await asyncio.to_thread(_sync_parents, self._folder, keys)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error


def open_shelf(place: str) -> Shelf:
    """A folder, which is made, or `s3://bucket/prefix` with endpoint and credentials from the usual AWS_ variables.

    Raises: BlobsUnavailable, with what to do.
    """
    try:
        if place.startswith("s3://"):
            return Shelf(_s3(place), None)
        if "://" in place:
            raise BlobsUnavailable(f"{place}: --blobs takes a folder or s3://bucket/prefix")
        folder = Path(place).absolute()
        make_folder(folder)
        return Shelf(LocalStore(folder, automatic_cleanup=True), folder)
    except (BaseError, OSError, StorageError) as error:
        raise BlobsUnavailable(f"{place} cannot hold recordings: {_first_line(error)}; name another place") from error


def _s3(place: str) -> S3Store:
    retries = {"max_retries": _STORE_TRIES, "retry_timeout": _STORE_PATIENCE}
    options = {**_CLIENT_TIMES, "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"}
    return S3Store.from_url(place, client_options=options, retry_config=retries)  # type: ignore[arg-type]


def _make_durable(folder: Path, key: str) -> None:
    file = folder / key
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    for parent in file.parents:
        sync_folder(parent)
        if parent == folder:
            return


def _sync_parents(folder: Path, keys: Sequence[str]) -> None:
    for parent in {(folder / key).parent for key in keys}:
        while not parent.is_dir() and parent != folder:
            parent = parent.parent
        with suppress(FileNotFoundError):  # somebody removed it meanwhile: whoever does, syncs
            sync_folder(parent)


def _unavailable(error: Exception) -> BlobsUnavailable:
    return BlobsUnavailable(f"the store of recordings does not answer: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    # obstore appends the whole inside of its error, over many lines.
    return str(error).strip().partition("\n")[0][:300]
