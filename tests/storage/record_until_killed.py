"""Child of test_kill.py: takes messages until it is killed, and says what it has done.

One process stays and forks a fresh one for every line on standard input (a data folder), so that 30 lives cost
little more than one start of Python.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from pathlib import Path

from firmware.clock import SystemClock
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.storage.store import Store

STEP_BYTES = 800


async def take_messages(data_dir: Path) -> None:
    store = Store(data_dir, SystemClock(), keep_free_megabytes=0)
    await store.open()
    while True:
        await take_message(store, os.urandom(8).hex(), random.randrange(4000, 40_000))


async def take_message(store: Store, seed: str, length: int) -> None:
    data = hashlib.shake_128(seed.encode()).digest(length)
    call_id = await store.call_offered("front", CallerId("13800138000"))
    recording = await store.start_recording(call_id, SampleFormat.ULAW)
    for at in range(0, length, STEP_BYTES):
        recording.write(data[at : at + STEP_BYTES])
        say("growing", call_id, seed, min(at + STEP_BYTES, length))
        # A disk that is faster than speech, as every disk is: the last write has ended before the next is due.
        if recording._drain is not None:
            await asyncio.wait([recording._drain])
    stored = await recording.finish(Take(RecordingEnd.HANG_UP, length, length, voiced=True))
    kept = await store.keep_message(call_id, stored, "zh")
    say("kept", kept.message_id, seed, length)
    if random.random() < 0.3:
        again = await store.start_recording(call_id, SampleFormat.ULAW)
        again.write(data[::-1])
        stored = await again.finish(Take(RecordingEnd.KEY, length, length, voiced=True))
        say("replacing", kept.message_id, seed, length)
        await store.replace_message(kept.message_id, stored)
        say("replaced", kept.message_id, seed, length)
    await store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", ["record"])


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def main() -> None:
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            asyncio.run(take_messages(Path(line.strip())))
        say("started", child)
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main()
