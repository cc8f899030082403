"""Calls as the store sees them: what the workloads have in common."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from cuts.workload import Telling
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import StoredTake, Take
from firmware.storage.recordings import DiskRecording
from firmware.storage.store import Store

SECOND_BYTES = 8000
_PIECE_BYTES = 2000


def speech(seed: str, size: int) -> bytes:
    """Bytes without any period, so that a shift or a loss shows."""
    return hashlib.shake_128(seed.encode()).digest(size)


def as_heard(data: bytes) -> bytes:
    """The samples that a message of these bytes plays."""
    return decode_to_s16(data, SampleFormat.ULAW)


async def grow(
    store: Store, call_id: str, data: bytes, tell: Telling | None = None, purpose: str = "message"
) -> DiskRecording:
    """Record in pieces, each written before the next one comes, as on every disk that is faster than speech."""
    recording = await store.start_recording(call_id, SampleFormat.ULAW, purpose)
    for at in range(0, len(data), _PIECE_BYTES):
        recording.write(data[at : at + _PIECE_BYTES])
        await asyncio.sleep(0)
        if recording.draining is not None:
            await asyncio.wait([recording.draining])
        if tell is not None:
            tell("pushed", call=call_id, size=min(at + _PIECE_BYTES, len(data)))
    return recording


async def record(
    store: Store, call_id: str, data: bytes, tell: Telling | None = None, purpose: str = "message"
) -> StoredTake:
    """Record and finish."""
    recording = await grow(store, call_id, data, tell, purpose)
    return await recording.finish(Take(RecordingEnd.KEY, len(data), len(data), voiced=True))


async def number_of_the_next(store: Store) -> int:
    """The number that the next caller is told."""
    call = await store.call_offered("front", CallerId())
    kept = await store.keep_message(call, await record(store, call, speech("next", SECOND_BYTES)), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return int(kept.number)


def holds(folder: Path, word: bytes) -> list[str]:
    """Files anywhere below the folder that hold these bytes."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and word in file.read_bytes()
    ]
