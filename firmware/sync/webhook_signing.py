"""Signatures of web hooks as the Standard Webhooks convention has them (standardwebhooks.com). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
IDEMPOTENCY_HEADER = "Idempotency-Key"

_PREFIX = "whsec_"
_LEAST_BYTES = 16


def read_secret(text: str) -> bytes:
    """`whsec_` and base64, as the convention writes it; any other text counts as it stands.

    Raises: ValueError, with what is wrong with it.
    """
    text = text.strip()
    secret = text.encode("utf-8")
    if text.startswith(_PREFIX):
        encoded = text.removeprefix(_PREFIX)
        try:
            secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("what follows whsec_ is no base64") from error
    if len(secret) < _LEAST_BYTES:
        raise ValueError(f"it is shorter than {_LEAST_BYTES} bytes")
    return secret


def signature(secret: bytes, delivery_id: str, timestamp: int, pieces: Iterable[bytes]) -> str:
    """HMAC-SHA256 over id, timestamp and body, joined by full stops."""
    digest = hmac.new(secret, f"{delivery_id}.{timestamp}.".encode(), hashlib.sha256)
    for piece in pieces:
        digest.update(piece)
    return "v1," + base64.b64encode(digest.digest()).decode("ascii")
