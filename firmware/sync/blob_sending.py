"""Audio on its way to a collector: known by its content, in parts, gone on with where it was cut."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from firmware.errors import DeliveryError
from firmware.ports import Blob
from firmware.sync.collector_answers import NoSense, RequestRefused, number_in, read_blob_state
from firmware.sync.collector_client import CollectorClient
from firmware.sync.part_size import PartSize
from firmware.uplink_contract.limits import MOST_BLOB_BYTES

_CONFLICT, _HASH = 409, 422
# The far end may lose parts while another copy of it takes over; it does not do so for ever.
_MOST_SURPRISES = 8
_REMEMBERED = 1000


class BadAudio(DeliveryError):
    """A file that can never be delivered under its name; says why."""


class BlobSending:
    """Sends parts for one far end."""

    def __init__(self, client: CollectorClient, part_size: PartSize) -> None:
        self._client = client
        self._part_size = part_size
        self._whole: OrderedDict[str, None] = OrderedDict()
        self.bytes_moved = 0
        """That the far end had not had before."""

    def forget(self, sha256: str) -> None:
        """It is not there after all."""
        self._whole.pop(sha256, None)

    async def send(self, blob: Blob, until_seconds: float) -> bool:
        """Whether the far end has all of it; False where `until_seconds` (loop time) came first.

        At least one part is sent. Raises: BadAudio, FileNotFoundError, DeliveryError.
        """
        if blob.byte_count > MOST_BLOB_BYTES:
            raise BadAudio(f"the recording has {blob.byte_count} bytes; at most {MOST_BLOB_BYTES} can be delivered")
        if blob.sha256 in self._whole:
            return True
        path = f"/blobs/{blob.sha256}"
        furthest = offset = read_blob_state(await self._client.request("GET", path), blob.byte_count)
        surprises = 0
        loop = asyncio.get_running_loop()
        while offset < blob.byte_count or blob.byte_count == 0:
            offset, refusal = await self._try_part(blob, path, offset)
            surprises += offset <= furthest
            if surprises > _MOST_SURPRISES:
                raise refusal or NoSense("it does not take a recording, and does not say why")
            self.bytes_moved += max(0, offset - furthest)
            furthest = max(furthest, offset)
            if offset >= blob.byte_count:
                break
            if loop.time() >= until_seconds:
                return False
        self._remember(blob.sha256)
        return True

    async def _try_part(self, blob: Blob, path: str, offset: int) -> tuple[int, RequestRefused | None]:
        """Where to go on, and why it is not one part further."""
        try:
            return await self._send_part(blob, path, offset), None
        except RequestRefused as refusal:
            return await self._after(refusal, blob), refusal

    async def _send_part(self, blob: Blob, path: str, offset: int) -> int:
        part = await asyncio.to_thread(_read_part, blob.file, offset, self._part_size.byte_count)
        if not part and blob.byte_count:
            raise BadAudio(f"{blob.file.name} is shorter than it was; look at the disk")
        began = asyncio.get_running_loop().time()
        try:
            answer = await self._client.request(
                "PATCH", path, query={"offset": offset, "size": blob.byte_count}, body=part
            )
        except RequestRefused:
            raise
        except DeliveryError:
            self._part_size.failed()
            raise
        self._part_size.sent(len(part), asyncio.get_running_loop().time() - began)
        return read_blob_state(answer, blob.byte_count)

    async def _after(self, refusal: RequestRefused, blob: Blob) -> int:
        """Where to go on. Raises: BadAudio, RequestRefused, NoSense."""
        if refusal.status == _HASH:
            if await asyncio.to_thread(_hash, blob.file) != blob.sha256:
                raise BadAudio(f"{blob.file.name} is not what it was any more; look at the disk") from refusal
            return 0
        if refusal.status == _CONFLICT:
            offset = number_in(refusal.fields, "offset")
            if offset > blob.byte_count:
                raise NoSense("it has more of a recording than there is") from refusal
            return min(offset, max(0, blob.byte_count - 1))
        raise refusal

    def _remember(self, sha256: str) -> None:
        self._whole[sha256] = None
        if len(self._whole) > _REMEMBERED:
            self._whole.popitem(last=False)


@contextmanager
def _readable(file: Path) -> Iterator[BufferedReader]:
    try:
        with file.open("rb") as opened:
            yield opened
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadAudio(f"{file.name} cannot be read ({error.strerror or error}); look at the disk") from error


def _read_part(file: Path, offset: int, most_bytes: int) -> bytes:
    with _readable(file) as opened:
        opened.seek(offset)
        return opened.read(most_bytes)


def _hash(file: Path) -> str:
    with _readable(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
