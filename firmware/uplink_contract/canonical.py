"""One text for one JSON value, so that two ends can compare records by their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8. Raises: ValueError for NaN, infinity, and text that is no Unicode."""
    return _ENCODER.encode(value).encode("utf-8")


def body_hash(body: Mapping[str, Any] | None) -> str:
    """SHA-256 of a record's body, as hex; None is an erased record. Raises: ValueError."""
    return hashlib.sha256(canonical_json(body)).hexdigest()
