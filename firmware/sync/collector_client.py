"""Signed requests to a collector, and what its answers mean (docs/delivery.md)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from firmware.errors import ClockWrong, DeliveryRefused, FarEndUnreachable, TryLater
from firmware.ports import Clock
from firmware.sync.addresses import host_of, is_private
from firmware.sync.collector_answers import NoSense, RequestRefused, json_object, number_in
from firmware.sync.http_caller import HttpCaller, Reply
from firmware.sync.identity import Identity
from firmware.sync.mail import one_line
from firmware.sync.retry_after import retry_after_seconds
from firmware.uplink_contract.limits import MARK, MARK_HEADER, PART_BYTES
from firmware.uplink_contract.signing import (
    CERTIFICATE_HEADER,
    DATE_HEADER,
    DIGEST_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    SignedRequest,
    body_digest,
    signed_bytes,
)

REFUSALS = {
    "denied": "the collector does not let this appliance in any more; ask whoever runs it, and enrol with a new code",
    "wrong_device": "the collector knows this appliance by another name; enrol again with a new claim code",
    "claim": "the collector does not take the claim code; make a new one there: linekeeper-collector claim NAME",
    "signature": "the collector cannot follow the signature of a request; is there a proxy that changes requests?",
    "certificate": "the collector does not take this appliance's certificate; enrol again with a new claim code",
    "replayed": "the collector saw a request twice; is there a proxy that repeats requests?",
}
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999, behind which there is no calendar."""
_TOO_MANY, _OK_FROM, _OK_BELOW, _SERVER_ERROR = 429, 200, 300, 500
_NOT_LET_IN = (401, 403)


class CollectorClient:
    """One collector. What it raises beside what is named: FarEndUnreachable, TryLater, ClockWrong, DeliveryRefused."""

    def __init__(self, url: str, caller: HttpCaller, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._caller = caller
        self._clock = clock
        self._host = host_of(url)
        self.identity: Identity | None = None
        """Set once this appliance is enrolled."""
        self._ahead_ms: int | None = None

    def now_ms(self) -> int:
        """The collector's time as far as it is known, else the time here: milliseconds since 1970."""
        if self._ahead_ms is None:
            return int(self._clock.now().timestamp() * 1000)
        return int(self._clock.monotonic() * 1000) + self._ahead_ms

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        query: Mapping[str, int | str] | None = None,
        value: Mapping[str, Any] | None = None,
        body: bytes = b"",
        kind: str = "application/octet-stream",
    ) -> dict[str, Any]:
        """A signed request below `/v1/d/{device}`; `value` is sent as JSON, `body` as it is, of this `kind`.

        Returns its JSON object. Raises: RequestRefused, NoSense.
        """
        content = body if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        kind = kind if value is None else "application/json"
        reply = await self._signed(method, self._target(path, query), content, kind)
        return self._fields(reply)

    async def bytes_of(self, path: str, *, query: Mapping[str, int | str] | None = None) -> bytes:
        """A signed GET whose answer is bytes: a part of a shared file. Raises: RequestRefused, NoSense."""
        reply = await self._signed("GET", self._target(path, query), b"", "application/octet-stream")
        if _OK_FROM <= reply.status < _OK_BELOW and len(reply.body) <= PART_BYTES:
            return reply.body
        self._fields(reply)
        raise NoSense("a part of a file is too large")

    async def enrol(self, code: str, request_pem: str) -> dict[str, Any]:
        """Exchange a claim code for a certificate. Raises: RequestRefused, NoSense."""
        content = json.dumps({"code": code.strip(), "csr_pem": request_pem}).encode()
        headers = {"Content-Type": "application/json"}
        return self._fields(await self._from_collector("POST", "/v1/enrol", headers, content))

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        await self._caller.close()

    def _target(self, path: str, query: Mapping[str, int | str] | None) -> str:
        if self.identity is None:
            raise DeliveryRefused("this appliance is not enrolled; set sync.claim to a code of the collector")
        asked = f"?{urlencode(query)}" if query else ""
        return f"/v1/d/{self.identity.device}{path}{asked}"

    async def _signed(self, method: str, target: str, body: bytes, kind: str) -> Reply:
        reply = await self._signed_once(method, target, body, kind)
        if reply.status not in _NOT_LET_IN or not self._learnt_time(reply):
            return reply
        reply = await self._signed_once(method, target, body, kind)
        if self._learnt_time(reply):
            raise ClockWrong(
                f"{self._host} finds the time wrong, although it is its own; is there more than one behind it?"
            )
        return reply

    async def _signed_once(self, method: str, target: str, body: bytes, kind: str) -> Reply:
        assert self.identity is not None  # `_target` has looked
        # The prefix of the URL is a part of what is sent, so it is signed as well.
        sent = urlsplit(self._url).path + target
        request = SignedRequest(method, sent, self.now_ms(), secrets.token_hex(16), body_digest(body))
        headers = {
            CERTIFICATE_HEADER: base64.b64encode(self.identity.certificate.der).decode("ascii"),
            DATE_HEADER: str(request.date_ms),
            NONCE_HEADER: request.nonce,
            DIGEST_HEADER: request.digest,
            SIGNATURE_HEADER: base64.b64encode(self.identity.key.sign(signed_bytes(request))).decode("ascii"),
            "Content-Type": kind,
        }
        return await self._from_collector(method, target, headers, body)

    async def _from_collector(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = await self._caller.call(method, self._url + target, headers=headers, body=body)
        if reply.headers.get(MARK_HEADER) != MARK:
            raise FarEndUnreachable(
                f"somebody else answers in the place of {self._host} ({reply.status}, "
                f"{one_line(reply.headers.get('Content-Type', 'no type'), 60)}); a sign-in page of the network, perhaps"
            )
        return reply

    def _learnt_time(self, reply: Reply) -> bool:
        """Whether it says that our time is wrong; what time it is there is known then."""
        fields = json_object(reply.body) or {}
        if fields.get("error") != "clock":
            return False
        if not is_private(self._url):
            raise ClockWrong(f"{self._host} finds the time here wrong; set the clock")
        told_ms = number_in(fields, "server_time_ms")
        if told_ms > _LATEST_MS:
            raise NoSense("its time is no time")
        self._ahead_ms = told_ms - int(self._clock.monotonic() * 1000)
        return True

    def _fields(self, reply: Reply) -> dict[str, Any]:
        fields = json_object(reply.body)
        if fields is None:
            raise NoSense(f"{reply.status} without a JSON object")
        if _OK_FROM <= reply.status < _OK_BELOW:
            return fields
        if reply.status == _TOO_MANY or reply.status >= _SERVER_ERROR:
            wait = retry_after_seconds(reply.headers.get("Retry-After"), self._clock.now())
            raise TryLater(f"{self._host} has too much to do ({reply.status}); the records wait here", wait)
        if reply.status in _NOT_LET_IN:
            code = str(fields.get("error", ""))
            raise DeliveryRefused(REFUSALS.get(code, f"{self._host} does not let this appliance in ({reply.status})"))
        raise RequestRefused(reply.status, fields)
