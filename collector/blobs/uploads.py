"""Resumable uploads that any copy can go on with: each part is an object, and the whole comes after its hash was right.

    parts/DEVICE/SHA256/OFFSET      what has arrived
    DEVICE/SH/SHA256                the recording

The row in the database comes last: whoever sees it finds a whole and durable recording. Each appliance has names of its
own, so that nobody learns what another has. Two copies that receive the same part at once write the same object.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from collector.blobs.errors import ObjectMissing
from collector.blobs.shelf import Shelf
from collector.refusals import Refusal, Why, malformed
from firmware.uplink_contract.limits import MOST_BLOB_BYTES, PART_BYTES

LEAST_PART_BYTES = 4 * 1024
"""All parts but the last have at least this, so that a recording has a bounded number of them."""
_ASSEMBLED_AT_ONCE = 4
_MOST_HINTS = 20_000


class BlobBook(Protocol):
    """Which recordings are whole, and which were begun: rows, each method after its commit."""

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether it is whole."""

    async def begin(self, device: UUID, sha256: str) -> None:
        """Objects of it may exist from now on: whoever sweeps must know, whatever happens next."""

    async def finish(self, device: UUID, sha256: str, size: int) -> None:
        """It is whole, and whoever sweeps leaves it alone from now on."""

    async def forget(self, device: UUID, sha256: str) -> None:
        """It is not there after all."""

    async def end(self, device: UUID, sha256: str) -> None:
        """No parts are left."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much has arrived."""

    offset: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a recording of `size` bytes."""

    offset: int
    size: int
    content: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.content)


def whole_key(device: UUID, sha256: str) -> str:
    """The object that holds a whole recording."""
    return f"{device}/{sha256[:2]}/{sha256}"


def parts_prefix(device: UUID, sha256: str) -> str:
    """Where the parts of a recording lie."""
    return f"parts/{device}/{sha256}/"


class Uploads:
    """Takes parts. Each method raises BlobsUnavailable, and what the book raises."""

    def __init__(self, shelf: Shelf, book: BlobBook) -> None:
        self._shelf = shelf
        self._book = book
        self._assembling = asyncio.Semaphore(_ASSEMBLED_AT_ONCE)
        # Where this copy expects the next part: only saves looking; what another copy did is found out at the end.
        self._hints: OrderedDict[tuple[UUID, str], int] = OrderedDict()

    async def progress(self, device: UUID, sha256: str) -> Progress:
        """How much of a recording is here."""
        # In this order: parts go after the row is there, so whoever finds them gone finds the row.
        end = _contiguous(await self._shelf.sizes(parts_prefix(device, sha256)))
        size = await self._size_when_whole(device, sha256)
        if size is not None:
            return Progress(size, complete=True)
        self._hint(device, sha256, end)
        return Progress(end, complete=False)

    async def add(self, device: UUID, sha256: str, part: Part) -> Progress:
        """Take a part. Raises: Refusal (`malformed`, `too_large`, `offset`, `hash`)."""
        _check_sizes(part)
        if part.offset == 0 or part.end == part.size or self._hints.get((device, sha256)) != part.offset:
            found = await self.progress(device, sha256)
            if found.complete:
                return found
            _check_offset(part.offset, found.offset)
        if part.offset == 0:
            await self._book.begin(device, sha256)
        if part.end == part.size:
            return await self._finish(device, sha256, part)
        await self._shelf.put(f"{parts_prefix(device, sha256)}{part.offset:012d}", part.content, lasting=False)
        self._hint(device, sha256, part.end)
        return Progress(part.end, complete=False)

    async def _size_when_whole(self, device: UUID, sha256: str) -> int | None:
        if not await self._book.has(device, sha256):
            return None
        return await self._shelf.size(whole_key(device, sha256))

    async def _finish(self, device: UUID, sha256: str, last: Part) -> Progress:
        self._hints.pop((device, sha256), None)
        if last.offset:
            await self._book.begin(device, sha256)  # as of now: a sweep must not find an old upload while it ends
        async with self._assembling:
            earlier = await self._shelf.sizes(parts_prefix(device, sha256)) if last.offset else {}
            keys = [f"{parts_prefix(device, sha256)}{name}" for name in earlier]
            try:
                await self._assemble(device, sha256, last, earlier)
            except (ObjectMissing, Refusal) as error:
                if isinstance(error, Refusal) and error.why is Why.HASH:
                    await self._shelf.delete(keys)
                    raise
                # Another copy was faster, and has removed the parts; or it has found them wrong.
                found = await self.progress(device, sha256)
                if found.complete or isinstance(error, ObjectMissing):
                    return found
                raise
            await self._note(device, sha256, last.size)
            await self._shelf.delete(keys)
            await self._book.end(device, sha256)
        return Progress(last.size, complete=True)

    async def _note(self, device: UUID, sha256: str, size: int) -> None:
        await self._book.finish(device, sha256, size)
        if await self._shelf.size(whole_key(device, sha256)) is None:
            # It had been doomed, and a sweep took the new object before it was noted; the parts are still there.
            await self._book.forget(device, sha256)
            raise Refusal(Why.UNAVAILABLE, "the recording was just being removed; send the last part again")

    async def _assemble(self, device: UUID, sha256: str, last: Part, earlier: Mapping[str, int]) -> None:
        _check_offset(last.offset, _contiguous(earlier, until=last.offset))
        digest = hashlib.sha256()
        async for piece in self._pieces(device, sha256, last, earlier):
            digest.update(piece)
        if digest.hexdigest() != sha256:
            raise Refusal(Why.HASH, "the bytes are not what their name says; send them again from 0", offset=0)
        whole = self._pieces(device, sha256, last, earlier) if last.offset else last.content
        await self._shelf.put(whole_key(device, sha256), whole)

    async def _pieces(self, device: UUID, sha256: str, last: Part, earlier: Mapping[str, int]) -> AsyncIterator[bytes]:
        offset = 0
        while offset < last.offset:
            name = f"{offset:012d}"
            piece = await self._shelf.read(f"{parts_prefix(device, sha256)}{name}", 0, earlier[name])
            if len(piece) != earlier[name]:
                raise ObjectMissing(name)
            yield piece
            offset += len(piece)
        yield last.content

    def _hint(self, device: UUID, sha256: str, offset: int) -> None:
        self._hints[device, sha256] = offset
        self._hints.move_to_end((device, sha256))
        if len(self._hints) > _MOST_HINTS:
            self._hints.popitem(last=False)


def _check_sizes(part: Part) -> None:
    if part.size > MOST_BLOB_BYTES:
        raise Refusal(Why.TOO_LARGE, f"a recording has at most {MOST_BLOB_BYTES} bytes")
    if len(part.content) > PART_BYTES:
        raise Refusal(Why.TOO_LARGE, f"a part has at most {PART_BYTES} bytes")
    if part.end > part.size:
        raise malformed("the part goes beyond the size")
    if part.end < part.size and len(part.content) < LEAST_PART_BYTES:
        raise malformed(f"a part has at least {LEAST_PART_BYTES} bytes, but for the last one")


def _check_offset(offset: int, expected: int) -> None:
    if offset != expected:
        raise Refusal(Why.OFFSET, f"the next part begins at {expected}", offset=expected)


def _contiguous(sizes: Mapping[str, int], until: int | None = None) -> int:
    """Where parts end that follow each other from 0 on; or `until`, when they pass through it."""
    end = 0
    while end != until and (size := sizes.get(f"{end:012d}")):
        end += size
    return end
