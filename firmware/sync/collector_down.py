"""The down-channel over a collector's signed requests (docs/delivery.md)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware.durable_files import make_folder, plain_errors, write_durably
from firmware.ports import Acknowledgement, Change, News
from firmware.sync.collector_answers import NoSense, number_in
from firmware.sync.collector_client import CollectorClient
from firmware.uplink_contract.limits import PART_BYTES

_MOST_CHANGES = 1000
_MOST_FILE_BYTES = 4 * 1024 * 1024
_MOST_KEY_CHARACTERS = 200


class CollectorDown:
    """A `ports.DownChannel`."""

    def __init__(self, client: CollectorClient) -> None:
        self._client = client

    async def changes(self, after: int) -> News:
        """See `ports.DownChannel`."""
        return read_news(await self._client.request("GET", "/down", query={"after": after}), after)

    async def acknowledge(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """See `ports.DownChannel`."""
        acks = [
            {"change": one.number, "result": "done" if one.done else "refused", "reason": one.reason}
            for one in acknowledgements
        ]
        await self._client.request("POST", "/down", value={"acks": acks})

    async def fetch(self, sha256: str, byte_count: int, target: Path) -> None:
        """See `ports.DownChannel`. Raises also: StorageError."""
        if not 0 < byte_count <= _MOST_FILE_BYTES:
            raise NoSense("a file is empty or too large")
        content = bytearray()
        while len(content) < byte_count:
            part = await self._client.bytes_of(f"/files/{sha256}", query={"offset": len(content)})
            if not 0 < len(part) <= min(PART_BYTES, byte_count - len(content)):
                raise NoSense("a part of a file has not the size that was told")
            content += part
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NoSense("a file is not the one that was named")
        await asyncio.to_thread(_keep, target, bytes(content))


def read_news(fields: Mapping[str, Any], after: int) -> News:
    """Checked before it is believed. Pure. Raises: NoSense."""
    told = fields.get("changes")
    if not isinstance(told, list) or len(told) > _MOST_CHANGES:
        raise NoSense("it holds no changes")
    changes = [_change(item) for item in told]
    numbers = [after, *(change.number for change in changes)]
    if numbers != sorted(set(numbers)):
        raise NoSense("changes are not in order")
    return News(changes, max(number_in(fields, "down"), numbers[-1]) if changes else number_in(fields, "down"))


def _change(item: Any) -> Change:
    if not isinstance(item, dict):
        raise NoSense("a change is no object")
    kind, key, body = item.get("kind"), item.get("key"), item.get("body")
    if not isinstance(kind, str) or not isinstance(key, str) or len(kind) + len(key) > _MOST_KEY_CHARACTERS:
        raise NoSense("a change has no kind or no key")
    if body is not None and not isinstance(body, dict):
        raise NoSense("the body of a change is no object")
    blob = item.get("blob")
    return Change(
        number_in(item, "change"),
        kind,
        key,
        number_in(item, "version"),
        body,
        None if blob is None else _blob(blob),
        str(item.get("item") or "")[:_MOST_KEY_CHARACTERS],
    )


def _blob(blob: Any) -> tuple[str, int]:
    sha256 = blob.get("sha256") if isinstance(blob, dict) else None
    if not isinstance(sha256, str) or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise NoSense("a file has no name")
    return sha256, number_in(blob, "bytes")


def _keep(target: Path, content: bytes) -> None:
    with plain_errors(target):
        make_folder(target.parent)
        write_durably(target, content)
