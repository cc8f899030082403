"""Signed requests: who asks, for what, when, and only once.

A client certificate says who an appliance is; the signature proves that it holds the key. Both travel in headers, so
that they pass any balancer and any proxy that opens TLS, and so that a request can be told from its replay, which a
TLS client certificate alone cannot do.
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
    body: bytes


def signed_bytes(request: SignedRequest) -> bytes:
    """The text that is signed. No field can hold a line break, so no two requests share a text."""
    fields = [request.method, request.target, str(request.date_ms), request.nonce]
    if any("\n" in field or "\r" in field for field in fields):
        raise ValueError("a line break in a signed field")
    digest = hashlib.sha256(request.body).hexdigest()
    return b"\n".join([_PREFIX, *(field.encode("utf-8") for field in fields), digest.encode("ascii")])
