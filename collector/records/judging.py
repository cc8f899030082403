"""What becomes of a record that arrives. Pure.

The highest version counts; an erased record stays erased, whatever comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from collector.records.incoming import IncomingRecord


class Outcome(Enum):
    """The collector's word on a record (docs/delivery.md)."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    NEED_BLOB = "need_blob"
    REJECTED = "rejected"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """What became of one record; true after the commit."""

    seq: int
    version: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there of a record. A `blanked` call has lost its caller here, and its hash with it."""

    kind: str
    version: int
    body_hash: bytes | None
    blob_sha256: bytes | None = None
    erased: bool = False
    blanked: bool = False


def judge(kept: Kept | None, record: IncomingRecord, blob_there: bool) -> tuple[Outcome, str]:
    """The outcome, and its reason where a person may want one."""
    if kept is not None:
        outcome, reason = _against(kept, record)
        if outcome is not Outcome.STORED:
            return outcome, reason
    if record.blob_sha256 is not None and not blob_there:
        return Outcome.NEED_BLOB, ""
    return Outcome.STORED, ""


def _against(kept: Kept, record: IncomingRecord) -> tuple[Outcome, str]:
    if kept.erased:
        return Outcome.DUPLICATE, "it was erased"
    if record.erased:
        # It wins whatever its version is: an appliance that was restored may count from lower numbers for a while.
        return Outcome.STORED, ""
    if kept.kind != record.kind:
        return Outcome.CONFLICT, f"a {kept.kind} has this id"
    if record.version == kept.version and not kept.blanked and record.body_hash != kept.body_hash:
        return Outcome.CONFLICT, "another body has this id and version"
    return (Outcome.STORED if record.version > kept.version else Outcome.DUPLICATE), ""


def after(kept: Kept | None, record: IncomingRecord) -> Kept:
    """What is there of the record once it was stored."""
    version = record.version if kept is None else max(record.version, kept.version)
    blanked = kept is not None and kept.blanked and not record.erased
    return Kept(record.kind, version, record.body_hash, _audio(kept, record), record.erased, blanked)


def _audio(kept: Kept | None, record: IncomingRecord) -> bytes | None:
    """What was delivered stays until its record is erased: the appliance may have removed its own copy since."""
    if record.blob_sha256 is not None or record.erased or kept is None:
        return record.blob_sha256
    return kept.blob_sha256
