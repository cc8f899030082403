"""One signed POST, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import DeliveryRefused, FarEndUnreachable
from firmware.ports import Clock
from firmware.sync.http_caller import HttpCaller, Reply
from firmware.sync.rate import ByteRate
from firmware.sync.web_answers import NoAnswer, WebAnswer, taken
from firmware.sync.webhook_body import WebhookBody
from firmware.sync.webhook_signing import (
    ID_HEADER,
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    read_secret,
    signature,
)

_MOST_ANSWER_BYTES = 1024 * 1024
_MOST_SECRET_BYTES = 4096
# A fourth of a 64 kbit/s line: a recording that leaves more slowly is given up.
_SLOWEST_BYTES_PER_SECOND = 2000.0


class PatientRate(ByteRate):
    """A cap that grants a large body the time that it takes on a slow line."""

    def longest_seconds(self, byte_count: int) -> float:
        """How long so many bytes may take."""
        return max(super().longest_seconds(byte_count), byte_count / _SLOWEST_BYTES_PER_SECOND)


@dataclass(frozen=True, slots=True)
class HookAddress:
    """Where, and the file with the secret that it knows us by."""

    url: str
    secret_file: Path


class SignedPost:
    """Posts signed bodies to one URL."""

    def __init__(self, caller: HttpCaller, address: HookAddress, clock: Clock) -> None:
        self._caller = caller
        self._url = address.url
        self._secret_file = address.secret_file
        self._clock = clock

    async def send(self, delivery_id: str, body: WebhookBody) -> str | None:
        """None where it was taken, else why it never will be. Raises: DeliveryError; StorageError for its file."""
        secret = await asyncio.to_thread(self._secret)
        timestamp = int(self._clock.now().timestamp())
        signed = await asyncio.to_thread(lambda: signature(secret, delivery_id, timestamp, body.read()))
        headers = {
            "Content-Type": body.content_type,
            "User-Agent": "Linekeeper",
            ID_HEADER: delivery_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: signed,
            IDEMPOTENCY_HEADER: delivery_id,
        }
        return taken(_as_answer(await self._call(headers, body)), self._clock.now())

    async def close(self) -> None:
        """Idempotent."""
        await self._caller.close()

    async def _call(self, headers: dict[str, str], body: WebhookBody) -> Reply:
        try:
            return await self._caller.call("POST", self._url, headers=headers, body=body, most_bytes=_MOST_ANSWER_BYTES)
        except FarEndUnreachable as error:
            if _timed_out(error):
                raise NoAnswer(str(error)) from error
            raise

    def _secret(self) -> bytes:
        # Each time anew: who puts it right need not start the service again.
        try:
            with self._secret_file.open("rb") as file:
                return read_secret(file.read(_MOST_SECRET_BYTES).decode("utf-8"))
        except (OSError, ValueError) as error:
            raise DeliveryRefused(f"{self._secret_file} holds no secret to sign with: {error}") from error


def _as_answer(reply: Reply) -> WebAnswer:
    names = ("content-type", "retry-after")
    return WebAnswer(reply.status, {name: reply.headers.get(name, "") for name in names}, reply.body)


def _timed_out(error: BaseException) -> bool:
    cause = error.__cause__ or error.__context__
    return isinstance(error, TimeoutError) or (cause is not None and _timed_out(cause))
