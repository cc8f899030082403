"""kill -9 at random instants of message taking: what was acknowledged is there, what was not is at most cut."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from firmware.pcm import SampleFormat, decode_to_s16
from firmware.storage.queries import Records
from firmware.storage.store import Store

LIVES = 30
LONGEST_LIFE_SECONDS = 0.15
SECOND_BYTES = 8000
CHILD = Path(__file__).with_name("record_until_killed.py")


@dataclass
class Said:
    """What the killed processes had acknowledged."""

    kept: dict[str, tuple[str, int]] = field(default_factory=dict)
    replacing: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    growing: dict[str, tuple[str, int]] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        kind, record_id, seed, length = line.split()
        if kind == "growing":
            self.growing[record_id] = (seed, int(length))
        if kind == "kept":
            self.kept[record_id] = (seed, int(length))
            self.growing = {call: told for call, told in self.growing.items() if told[0] != seed}
        if kind == "replacing":
            self.replacing.add(record_id)
        if kind == "replaced":
            self.replaced.add(record_id)


def live_and_die(child: subprocess.Popen[str], data_dir: Path, said: Said) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{data_dir}\n")
    child.stdin.flush()
    pid = int(next_line(child.stdout, said, "started").split()[1])
    time.sleep(random.uniform(0, LONGEST_LIFE_SECONDS))
    os.kill(pid, signal.SIGKILL)
    next_line(child.stdout, said, "ended")


def next_line(output: IO[str], said: Said, wanted: str) -> str:
    for line in output:
        if line.startswith(wanted):
            return line
        said.hear(line)
    raise AssertionError(f"the child ended before it said {wanted}")


def speech(seed: str, length: int) -> bytes:
    return hashlib.shake_128(seed.encode()).digest(length)


def as_heard(data: bytes) -> bytes:
    return decode_to_s16(data, SampleFormat.ULAW)


async def test_nothing_acknowledged_is_lost(
    data_dir: Path, make_store: Callable[..., Store], records: Callable[[], Records]
) -> None:
    said = Said()
    with subprocess.Popen(
        [sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        assert child.stdout is not None
        next_line(child.stdout, said, "ready")
        for _ in range(LIVES):
            live_and_die(child, data_dir, said)

    store = make_store()
    summary = await store.open()
    assert summary.problems == summary.missing_files == []
    assert said.kept, "no life was long enough to take a message"
    for message_id, (seed, length) in said.kept.items():
        whole = speech(seed, length)
        allowed = {as_heard(whole)} if message_id not in said.replacing else {as_heard(whole), as_heard(whole[::-1])}
        if message_id in said.replaced:
            allowed = {as_heard(whole[::-1])}
        assert await store.message_audio(message_id) in allowed

    with records() as open_records:
        messages = open_records.messages()
        calls = open_records.calls()
    # A kill between the commit and our hearing of it leaves a whole message that nobody had acknowledged.
    by_call = {message["call_id"]: message for message in messages}
    for call_id, (seed, pushed) in said.growing.items():
        if pushed > SECOND_BYTES * 3 // 2:
            assert call_id in by_call
        if call_id in by_call:
            heard = await store.message_audio(by_call[call_id]["id"])
            whole = as_heard(speech(seed, 40_000))
            assert whole.startswith(heard)
            assert len(heard) // 2 >= pushed - SECOND_BYTES
    assert len({message["number"] for message in messages}) == len(messages)
    assert all(call["ended_at"] for call in calls)
    assert not list((data_dir / "recordings").glob("*.partial"))
    await store.close()
