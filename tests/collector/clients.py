"""An appliance as the collector sees it: a key, a certificate, and requests signed as the contract says.

Light and without the product's own client, so that the two check each other.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware.uplink_contract.limits import PART_BYTES
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


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(key: ec.EllipticCurvePrivateKey, name: str = "whatever") -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Appliance:
    """Signs for one device."""

    device: str
    key: ec.EllipticCurvePrivateKey
    certificate_pem: str
    authority_pem: str = ""
    clock_ms: int = 0
    """How far its clock is ahead."""
    _certificate: str = field(init=False, default="")

    def __post_init__(self) -> None:
        der = x509.load_pem_x509_certificate(self.certificate_pem.encode()).public_bytes(serialization.Encoding.DER)
        self._certificate = base64.b64encode(der).decode()

    def headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """For `target`, path and query exactly as they are sent."""
        date_ms = int(time.time() * 1000) + self.clock_ms
        nonce = secrets.token_hex(16)
        digest = body_digest(body)
        content = signed_bytes(SignedRequest(method, target, date_ms, nonce, digest))
        signature = self.key.sign(content, ec.ECDSA(hashes.SHA256()))
        return {
            CERTIFICATE_HEADER: self._certificate,
            DATE_HEADER: str(date_ms),
            NONCE_HEADER: nonce,
            DIGEST_HEADER: digest,
            SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        }

    async def send(self, web: httpx.AsyncClient, method: str, rest: str = "", body: bytes = b"") -> httpx.Response:
        """A signed request below `/v1/d/DEVICE`."""
        target = f"/v1/d/{self.device}{rest}"
        return await web.request(method, target, content=body, headers=self.headers(method, target, body))

    async def upload(self, web: httpx.AsyncClient, content: bytes) -> str:
        """A whole recording, in parts; its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        for offset in range(0, max(len(content), 1), PART_BYTES):
            part = content[offset : offset + PART_BYTES]
            answer = await self.send(web, "PATCH", f"/blobs/{sha256}?offset={offset}&size={len(content)}", part)
            answer.raise_for_status()
        return sha256


async def enrol(web: httpx.AsyncClient, code: str, key: ec.EllipticCurvePrivateKey | None = None) -> Appliance:
    """Exchange a claim code for a certificate."""
    key = key or new_key()
    answer = await web.post("/v1/enrol", json={"code": code, "csr_pem": signing_request(key)})
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return Appliance(told["device"], key, told["certificate_pem"], told["authority_pem"])
