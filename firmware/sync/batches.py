"""Records in batches that a collector takes: by number and by size. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware.ports import Answer, Entry, Outcome
from firmware.sync.wire_record import NoRecord, wire_bytes
from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.limits import MOST_BATCH_BYTES, MOST_RECORDS

# For the fields around the records.
_AROUND_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Records as they travel, beside what they are."""

    entries: tuple[Entry, ...]
    texts: tuple[bytes, ...]

    def content(self, around: Mapping[str, Any]) -> bytes:
        """The body of the request: the records, and `around` them what is to be known of the queue."""
        fields = canonical_json(around)[1:-1]
        return b'{"records":[' + b",".join(self.texts) + b"]," + fields + b"}"

    def halves(self) -> tuple[Batch, Batch]:
        """Of at least two records."""
        middle = len(self.entries) // 2
        return (
            Batch(self.entries[:middle], self.texts[:middle]),
            Batch(self.entries[middle:], self.texts[middle:]),
        )


def batches_of(entries: Sequence[Entry], aim_bytes: int) -> tuple[list[Batch], list[Answer]]:
    """In their order, each of about `aim_bytes` at most; and an answer for each that can never travel."""
    most_bytes = min(aim_bytes, MOST_BATCH_BYTES - _AROUND_BYTES)
    batches: list[Batch] = []
    refused: list[Answer] = []
    held: list[tuple[Entry, bytes]] = []
    held_bytes = 0
    for entry in entries:
        try:
            text = wire_bytes(entry)
        except NoRecord as error:
            refused.append(Answer(entry.seq, entry.version, Outcome.REJECTED, str(error)))
            continue
        if held and (held_bytes + len(text) > most_bytes or len(held) == MOST_RECORDS):
            batches.append(_batch(held))
            held, held_bytes = [], 0
        held.append((entry, text))
        held_bytes += len(text) + 1
    return ([*batches, _batch(held)] if held else batches), refused


def _batch(held: Sequence[tuple[Entry, bytes]]) -> Batch:
    return Batch(tuple(entry for entry, _ in held), tuple(text for _, text in held))
