"""Signed requests: who asks, for what, when, and only once.

A client certificate says who an appliance is; the signature proves that it holds the key. Both travel in headers, so
that they pass any balancer and any proxy that opens TLS, and so that a request can be told from its replay, which a
TLS client certificate alone cannot do. The body's hash travels in a header as well: so a request is judged before its
body is read, and whoever lacks the key holds no place with a body that never ends.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

CERTIFICATE_HEADER = "Linekeeper-Certificate"
"""DER of the appliance's certificate, base64."""
DATE_HEADER = "Linekeeper-Date"
"""The collector's time as the appliance knows it: milliseconds since 1970."""
NONCE_HEADER = "Linekeeper-Nonce"
"""32 hex digits, never used twice."""
DIGEST_HEADER = "Linekeeper-Digest"
"""SHA-256 of the body, hex; that of nothing where there is none."""
SIGNATURE_HEADER = "Linekeeper-Signature"
"""ECDSA P-256 with SHA-256 over `signed_bytes`, DER, base64."""

_PREFIX = b"LINEKEEPER-1"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature covers. `target` is path and query exactly as they are sent."""

    method: str
    target: str
    date_ms: int
    nonce: str
    digest: str
    """`body_digest` of its body."""


def body_digest(body: bytes) -> str:
    """SHA-256 as hex."""
    return hashlib.sha256(body).hexdigest()


def signed_bytes(request: SignedRequest) -> bytes:
    """The text that is signed. No field can hold a line break, so no two requests share a text."""
    fields = [request.method, request.target, str(request.date_ms), request.nonce, request.digest]
    if any("\n" in field or "\r" in field for field in fields):
        raise ValueError("a line break in a signed field")
    return b"\n".join([_PREFIX, *(field.encode("utf-8") for field in fields)])
