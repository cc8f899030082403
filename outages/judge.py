"""Holds what is at the collector against the truth, record by record and byte by byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from outages.collected import Collected, Row
from outages.truth import Truth

HashOf = Callable[[str, str], str | None]
# What an appliance says besides, of itself and of erasures: not part of any backlog.
_OWN_KINDS = ("health", "backup", "shared", "erasure")


def violations(truth: Truth, collected: Collected, hash_of: HashOf, ever_audio: Mapping[str, str]) -> list[str]:
    """One sentence for each; none when everything arrived once, whole, in order, and what was erased is nowhere.

    `hash_of(device, sha256)` reads a blob. `ever_audio` are recordings that were there once, with their hashes.
    """
    rows = [row for row in collected.rows if row.kind not in _OWN_KINDS]
    return [
        *_in_the_queue(truth),
        *_twice(rows),
        *_bodies(truth, {row.record_id: row for row in rows}),
        *_audio(truth, {row.record_id: row for row in rows}, hash_of),
        *_erased(truth, rows, collected, hash_of, ever_audio),
        *_order(collected),
    ]


def _in_the_queue(truth: Truth) -> Iterator[str]:
    if truth.queued:
        yield f"{truth.queued} records are still queued"
    if truth.quarantined:
        yield f"{truth.quarantined} records were set aside"


def _twice(rows: Sequence[Row]) -> Iterator[str]:
    counted = Counter(row.record_id for row in rows)
    yield from (f"{name} is there {count} times" for name, count in counted.items() if count > 1)


def _bodies(truth: Truth, rows: Mapping[str, Row]) -> Iterator[str]:
    for name, (kind, wanted) in truth.bodies.items():
        row = rows.get(name)
        if row is None:
            yield f"{kind} {name} is missing"
        elif row.body is None:
            yield f"{kind} {name} has no body, and was not erased"
        elif row.kind != kind:
            yield f"{kind} {name} is there as {row.kind}"
        elif wrong := [field for field, value in wanted.items() if row.body.get(field) != value]:
            yield f"{kind} {name} is not at its last version: {', '.join(wrong)}"
    alive = {row.record_id for row in rows.values() if not row.erased}
    yield from (f"{rows[name].kind} {name} is nobody's" for name in alive - truth.bodies.keys() - truth.erased)


def _audio(truth: Truth, rows: Mapping[str, Row], hash_of: HashOf) -> Iterator[str]:
    for name, sha256 in truth.audio.items():
        row = rows.get(name)
        if row is None:
            continue
        if row.blob_sha256 != sha256:
            yield f"recording {name} names {row.blob_sha256} as its audio, not {sha256}"
        elif (found := hash_of(row.device, sha256)) != sha256:
            yield f"the audio of recording {name} is {'missing' if found is None else 'damaged'}"


def _erased(
    truth: Truth, rows: Sequence[Row], collected: Collected, hash_of: HashOf, ever_audio: Mapping[str, str]
) -> Iterator[str]:
    for row in rows:
        if row.record_id in truth.erased and (row.body is not None or not row.erased):
            yield f"{row.kind} {row.record_id} was erased, and is still there"
    devices = {row.device for row in rows}
    wanted = set(truth.audio.values())
    for name, sha256 in ever_audio.items():
        if name in truth.erased and sha256 not in wanted | collected.doomed:
            yield from (
                f"the audio of recording {name} was erased, and is still there"
                for device in devices
                if hash_of(device, sha256) is not None
            )


def _order(collected: Collected) -> Iterator[str]:
    if len(collected.progress) != 1:
        yield f"{len(collected.progress)} appliances are known there, not 1"
    for progress in collected.progress:
        if len(progress.seen) != 2:
            yield f"its numbers have gaps: {list(progress.seen)[:20]}"
    counted = Counter((row.device, row.seq) for row in collected.rows)
    yield from (f"number {seq} stands at {count} records" for (_, seq), count in counted.items() if count > 1)
    if collected.conflicts:
        yield f"{collected.conflicts} records conflict"
