"""One simulated appliance: enrols, signs, uploads, posts, and comes again later when it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.fleet.wire import Reply, Wire
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

_PART = 256 * 1024
_LATER = (429, 503)
_LONGEST_WAIT_SECONDS = 30.0
_TRIES = 400


@dataclass
class Tally:
    """What all appliances together saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in ("hello", "part", "batch")})
    """Of requests that were done, by kind."""
    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    """Connections that ended without an answer."""
    finished: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What each has to deliver."""

    batches: int
    records_in_batch: int
    audio_bytes: int
    pause_seconds: float
    """Between two batches."""


class SimulatedAppliance:
    """Its requests go one after the other, as a real one's do."""

    def __init__(self, wire: Wire, seed: int) -> None:
        self._wire = wire
        self.tally = Tally()
        self._choose = random.Random(seed)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = ""
        self._device = ""
        self._seq = 0
        self._version = 0

    async def enrol(self, code: str) -> None:
        """Exchange a claim code for a certificate."""
        body = json.dumps({"code": code, "csr_pem": self._csr()}).encode()
        reply = await self._patiently("hello", lambda: ("POST", "/v1/enrol", body), signed=False)
        told = json.loads(reply.body)
        self._device = told["device"]
        certificate = x509.load_pem_x509_certificate(told["certificate_pem"].encode())
        self._certificate = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        self.tally.finished += 1

    async def deliver(self, work: Work) -> None:
        """Hello, one recording, then all batches."""
        await self._ask("hello", "GET", "")
        blob = await self._upload(work.audio_bytes) if work.audio_bytes else None
        for number in range(work.batches):
            await asyncio.sleep(self._choose.uniform(0, 2 * work.pause_seconds))
            left = (work.batches - number) * work.records_in_batch
            await self._post(self._batch(work.records_in_batch, left, blob if number == 0 else None))
        self.tally.finished += 1

    async def _upload(self, size: int) -> dict[str, Any]:
        data = self._choose.randbytes(size)
        sha256 = hashlib.sha256(data).hexdigest()
        for offset in range(0, size, _PART):
            target = f"/blobs/{sha256}?offset={offset}&size={size}"
            await self._ask("part", "PATCH", target, data[offset : offset + _PART])
        return {"sha256": sha256, "bytes": size}

    async def _post(self, body: bytes) -> None:
        answered = json.loads((await self._ask("batch", "POST", "/records", body)).body)["answers"]
        self.tally.outcomes.update(answer["outcome"] for answer in answered)

    def _batch(self, count: int, queued: int, blob: dict[str, Any] | None) -> bytes:
        records = [self._record(blob if number == 0 else None) for number in range(count)]
        first = records[0]["seq"]
        return json.dumps(
            {
                "records": records,
                "queued": queued,
                "next_seq": self._seq + 1,
                "oldest_seq": first,
                "sent_at": records[-1]["queued_at"],
                "clock_trusted": True,
            }
        ).encode()

    def _record(self, blob: dict[str, Any] | None) -> dict[str, Any]:
        self._seq += 1
        self._version += 1
        now = time.time()
        record_id = str(uuid.UUID(int=int(now * 1000) << 80 | 7 << 76 | 2 << 62 | secrets.randbits(62)))
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}+00:00"
        body = {
            "id": record_id, "line": "front", "caller_number": f"138{self._choose.randrange(10**8):08d}",
            "caller_name": None, "started_at": at, "answered_at": at, "ended_at": at, "end_reason": "completed",
            "language": "zh", "path": ["language", "main", "message"], "number": self._seq,
        }  # fmt: skip
        kind = "recording" if blob else "call"
        return {
            "kind": kind, "id": record_id, "seq": self._seq, "version": self._version, "queued_at": at,
            "clock_trusted": True, "erased": False, "body": body, "blob": blob,
        }  # fmt: skip

    async def _ask(self, name: str, method: str, path: str, body: bytes = b"") -> Reply:
        return await self._patiently(name, lambda: (method, f"/v1/d/{self._device}{path}", body))

    async def _patiently(self, name: str, make: Callable[[], tuple[str, str, bytes]], *, signed: bool = True) -> Reply:
        """Until it is done. Raises: RuntimeError for an answer that no wait mends, or after very many tries."""
        for _ in range(_TRIES):
            method, target, body = make()
            began = time.perf_counter()
            try:
                reply = await self._wire.request(method, target, self._signed(method, target, body, signed), body)
            except (OSError, EOFError):
                self.tally.broken += 1
                await asyncio.sleep(self._choose.uniform(0.1, 2.0))
                continue
            self.tally.statuses[reply.status] += 1
            if reply.status == 200:
                self.tally.seconds[name].append(time.perf_counter() - began)
                return reply
            if reply.status not in _LATER:
                raise RuntimeError(f"{method} {target}: {reply.status} {reply.body[:300]!r}")
            wait = min(_LONGEST_WAIT_SECONDS, float(reply.headers.get("retry-after", "1")))
            await asyncio.sleep(wait * self._choose.uniform(1.0, 1.5))
        raise RuntimeError(f"{method} {path_of(target)}: never done in {_TRIES} tries")

    def _signed(self, method: str, target: str, body: bytes, signed: bool) -> dict[str, str]:
        headers = {"content-type": "application/octet-stream" if method == "PATCH" else "application/json"}
        if not signed:
            return headers
        nonce, date_ms = secrets.token_hex(16), int(time.time() * 1000)
        digest = body_digest(body)
        text = signed_bytes(SignedRequest(method, target, date_ms, nonce, digest))
        signature = self._key.sign(text, ec.ECDSA(hashes.SHA256()))
        return headers | {
            CERTIFICATE_HEADER: self._certificate,
            DATE_HEADER: str(date_ms),
            NONCE_HEADER: nonce,
            DIGEST_HEADER: digest,
            SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        }

    def _csr(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "linekeeper")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, hashes.SHA256())
        return request.public_bytes(serialization.Encoding.PEM).decode()


def path_of(target: str) -> str:
    """The target without its query."""
    return target.partition("?")[0]
