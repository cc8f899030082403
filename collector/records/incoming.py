"""What an appliance sends, checked (docs/delivery.md). Pure; fuzzed.

A record that can never be stored is refused alone. Only where a batch tells no numbers to answer with is all of it
refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from collector.errors import Malformed
from collector.records.json_values import surely_jsonb, why_no_jsonb
from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.limits import KINDS, MOST_BLOB_BYTES, MOST_RECORD_BYTES, MOST_RECORDS

MOST_NUMBER = 2**63 - 1
"""PostgreSQL's bigint."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME_LENGTH = 40
_FIRST_YEAR, _LAST_YEAR = 1900, 9998


@dataclass(frozen=True, slots=True)
class IncomingRecord:
    """A record that can be stored. `body` None says that it was erased. Hashes are 32 bytes."""

    kind: str
    record_id: UUID
    seq: int
    version: int
    queued_at: datetime
    clock_trusted: bool
    body: Mapping[str, Any] | None
    body_text: str | None
    """Canonical JSON of the body."""
    body_hash: bytes | None
    blob_sha256: bytes | None
    erased_blob: bytes | None = None
    """Audio of an erased record that may have come, with the record or without."""

    @property
    def erased(self) -> bool:
        """Whoever has it must forget it."""
        return self.body is None

    def without_content(self) -> IncomingRecord:
        """The same record, erased."""
        return replace(self, body=None, body_text=None, body_hash=None, blob_sha256=None)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that can never be stored, and why."""

    seq: int
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class QueueReport:
    """What an appliance says of its queue while it sends. `oldest_seq` None: nothing waits."""

    queued: int
    next_seq: int
    oldest_seq: int | None
    sent_at: datetime
    clock_trusted: bool


class _Wrong(ValueError):
    """A field is not what it must be; says which."""


def batch_of(value: Any) -> tuple[list[IncomingRecord | Refused], QueueReport]:
    """The body of `POST /v1/d/{device}/records`, decoded from JSON. Raises: Malformed."""
    if not isinstance(value, dict):
        raise Malformed("a batch is a JSON object")
    records = value.get("records")
    if not isinstance(records, list) or len(records) > MOST_RECORDS:
        raise Malformed(f"`records` is a list of at most {MOST_RECORDS}")
    try:
        oldest = value.get("oldest_seq")
        report = QueueReport(
            _count(value, "queued"),
            _count(value, "next_seq"),
            None if oldest is None else _count(value, "oldest_seq"),
            _time(value, "sent_at"),
            _flag(value, "clock_trusted"),
        )
        return [record_of(record) for record in records], report
    except _Wrong as error:
        raise Malformed(str(error)) from error


def record_of(value: Any) -> IncomingRecord | Refused:
    """One record, decoded from JSON. Raises: Malformed where it tells no `seq` and `version` to answer with."""
    if not isinstance(value, dict):
        raise Malformed("a record is a JSON object")
    try:
        seq, version = _count(value, "seq"), _count(value, "version")
    except _Wrong as error:
        raise Malformed(str(error)) from error
    try:
        return _checked(value, seq, version)
    except _Wrong as error:
        return Refused(seq, version, str(error))


def _checked(value: dict[str, Any], seq: int, version: int) -> IncomingRecord:
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _Wrong("`kind` is none that is known")
    erased = _flag(value, "erased")
    body, text = (None, None) if erased else _body(value.get("body"))
    if erased and value.get("body") is not None:
        raise _Wrong("an erased record has no `body`")
    return IncomingRecord(
        kind=kind,
        record_id=_uuid(value.get("id")),
        seq=seq,
        version=version,
        queued_at=_time(value, "queued_at"),
        clock_trusted=_flag(value, "clock_trusted"),
        body=body,
        body_text=None if text is None else text.decode(),
        # What `body_hash` of the contract gives, over the text that is there already.
        body_hash=None if text is None else hashlib.sha256(text).digest(),
        blob_sha256=None if erased else _blob(value.get("blob")),
        erased_blob=_blob(value.get("blob")) if erased else None,
    )


def _body(body: Any) -> tuple[Mapping[str, Any], bytes]:
    if not isinstance(body, dict):
        raise _Wrong("`body` is a JSON object")
    try:
        text = canonical_json(body)
    except ValueError as error:  # infinity, half surrogates
        raise _Wrong("`body` holds a number or a text that is none") from error
    except RecursionError as error:
        raise _Wrong("`body` is nested too deep") from error
    if not surely_jsonb(text) and (reason := why_no_jsonb(body)):
        raise _Wrong(f"`body` {reason}")
    if len(text) > MOST_RECORD_BYTES:
        raise _Wrong(f"`body` has {len(text)} bytes; at most {MOST_RECORD_BYTES} are stored")
    return body, text


def _blob(value: Any) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not 0 <= _count(value, "bytes") <= MOST_BLOB_BYTES:
        raise _Wrong("`blob` is null, or an object with `sha256` and `bytes`")
    sha256 = value.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _Wrong("`sha256` is 64 hex digits in lower case")
    return bytes.fromhex(sha256)


def _uuid(value: Any) -> UUID:
    try:
        identity = UUID(value) if isinstance(value, str) else None
    except ValueError:
        identity = None
    # One spelling only: two would be one record with two names.
    if identity is None or str(identity) != value:
        raise _Wrong("`id` is a UUID in its usual spelling")
    return identity


def _count(value: Mapping[str, Any], name: str) -> int:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < MOST_NUMBER:
        raise _Wrong(f"`{name}` is a whole number from 0 on")
    return number


def _flag(value: Mapping[str, Any], name: str) -> bool:
    flag = value.get(name)
    if not isinstance(flag, bool):
        raise _Wrong(f"`{name}` is true or false")
    return flag


def _time(value: Mapping[str, Any], name: str) -> datetime:
    time = parsed_time(value.get(name))
    if time is None:
        raise _Wrong(f"`{name}` is a time in ISO 8601 with its offset")
    return time


def parsed_time(value: Any) -> datetime | None:
    """A time with its offset from UTC, in UTC; None for anything else, and for years that no clock tells."""
    if not isinstance(value, str) or len(value) > _TIME_LENGTH:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    fits = time.tzinfo is not None and _FIRST_YEAR <= time.year <= _LAST_YEAR
    return time.astimezone(UTC) if fits else None
