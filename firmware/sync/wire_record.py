"""A record as it travels (docs/delivery.md). Pure."""

from __future__ import annotations

from typing import Any

from firmware.ports import Entry
from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.limits import MOST_RECORD_BYTES


class NoRecord(ValueError):
    """What stands here cannot travel; says why."""


def wire_record(entry: Entry) -> dict[str, Any]:
    """The fields that every far end gets."""
    audio = (entry.blob.sha256, entry.blob.byte_count) if entry.blob else entry.erased_audio
    return {
        "kind": entry.kind,
        "id": entry.record_id,
        "seq": entry.seq,
        "version": entry.version,
        "queued_at": entry.queued_at,
        "clock_trusted": entry.clock_trusted,
        "erased": entry.body is None,
        "body": None if entry.body is None else dict(entry.body),
        "blob": None if audio is None else {"sha256": audio[0], "bytes": audio[1]},
    }


def wire_bytes(entry: Entry) -> bytes:
    """The record as one line of JSON. Raises: NoRecord."""
    try:
        text = canonical_json(wire_record(entry))
    except (ValueError, TypeError) as error:
        raise NoRecord(f"it cannot be written as JSON: {error}") from error
    if len(text) > MOST_RECORD_BYTES:
        raise NoRecord(f"it has {len(text)} bytes; at most {MOST_RECORD_BYTES} can be delivered")
    return text
