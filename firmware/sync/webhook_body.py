"""The body of one web hook: JSON, or JSON and audio as multipart/form-data, read from the disk piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import StorageError
from firmware.ports import Blob, Entry
from firmware.sync.appliance import Appliance
from firmware.sync.wire_record import wire_bytes
from firmware.uplink_contract.canonical import canonical_json

_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class WebhookBody:
    """What is sent: the same bytes each time `pieces` is asked."""

    content_type: str
    head: bytes
    file: Path | None = None
    file_bytes: int = 0
    tail: bytes = b""

    @property
    def byte_count(self) -> int:
        """The length of all."""
        return len(self.head) + self.file_bytes + len(self.tail)

    def read(self) -> Iterator[bytes]:
        """All of it, in order. Blocks. Raises: StorageError, also where the file is not as long as it was."""
        # Opened before the first piece leaves: without its audio nothing is sent.
        with ExitStack() as open_files, _told():
            file = open_files.enter_context(self.file.open("rb")) if self.file else None
            yield self.head
            left = self.file_bytes
            while file and left:
                piece = file.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise StorageError(f"its recording ends {left} bytes early")
                left -= len(piece)
                yield piece
            if self.tail:
                yield self.tail

    async def pieces(self) -> AsyncIterator[bytes]:
        """The same beside the event loop. Raises: StorageError."""
        reading = self.read()
        while (piece := await asyncio.to_thread(next, reading, None)) is not None:
            yield piece


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"its recording cannot be read: {error.strerror or error}") from error


def json_body(content: dict[str, object]) -> WebhookBody:
    """Any JSON. Raises: ValueError."""
    return WebhookBody("application/json", canonical_json(content))


def record_body(entry: Entry, appliance: Appliance) -> WebhookBody:
    """One record, with its audio where it has any. Raises: NoRecord."""
    who = canonical_json({"id": appliance.device, "name": appliance.name})
    text = b'{"appliance":' + who + b',"record":' + wire_bytes(entry) + b"}"
    if entry.blob is None:
        return WebhookBody("application/json", text)
    return _multipart(text, entry.blob)


def _multipart(text: bytes, blob: Blob) -> WebhookBody:
    # RFC 7578. The audio's own hash cannot stand in it by chance, nor in the record more than as that hash.
    boundary = f"linekeeper-{blob.sha256}"
    dashes = f"--{boundary}\r\n"
    head = (
        f'{dashes}Content-Disposition: form-data; name="record"\r\nContent-Type: application/json\r\n\r\n'.encode()
        + text
        + f'\r\n{dashes}Content-Disposition: form-data; name="audio"; filename="{blob.sha256}.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n".encode()
    )
    tail = f"\r\n--{boundary}--\r\n".encode()
    return WebhookBody(f"multipart/form-data; boundary={boundary}", head, blob.file, blob.byte_count, tail)
