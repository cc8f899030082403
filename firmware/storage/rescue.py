"""Recordings that a call left behind while the store went on: a fault in a flow costs no caller's words."""

from __future__ import annotations

import sys

from firmware.errors import StorageError
from firmware.events import RecordingEnd
from firmware.journal import journal
from firmware.ports import StoredTake, Take
from firmware.storage.adoption import adopt
from firmware.storage.database import Database
from firmware.storage.recordings import DiskRecording, RecordingState
from firmware.storage.stamps import Stamp
from firmware.units import seconds_to_samples

_SHORTEST_SAMPLES = seconds_to_samples(0.5)


async def rescue(database: Database, recording: DiskRecording, message_id: str, language: str, now: Stamp) -> None:
    """Keep an abandoned recording, or remove it where it holds nothing. Failures wait for the next start."""
    try:
        stored = recording.stored or await _finish(recording)
        if stored.take.voiced and stored.take.total_samples >= _SHORTEST_SAMPLES:
            await database.write(adopt, message_id, stored, now, language)
            recording.state = RecordingState.KEPT
        else:
            await recording.discard()
    except StorageError as error:
        journal("storage").warning("an abandoned recording waits for the next start", error=str(error))
        await recording.let_go()


async def _finish(recording: DiskRecording) -> StoredTake:
    # Nobody judged this take, so everything that is there counts.
    return await recording.finish(Take(RecordingEnd.FAULT, 0, sys.maxsize, voiced=True))
