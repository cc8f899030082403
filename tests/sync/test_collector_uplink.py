"""Audio in parts and records in batches, over a client whose answers are scripted."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import DeliveryError, FarEndUnreachable
from firmware.ports import Blob, Entry, Outcome, QueueState
from firmware.simulation.fast_time import SimulatedClock
from firmware.sync.blob_sending import BadAudio, BlobSending
from firmware.sync.collector_answers import NoSense, RequestRefused
from firmware.sync.collector_uplink import CollectorUplink
from firmware.sync.part_size import PartSize
from firmware.uplink_contract.limits import PART_BYTES

pytestmark = pytest.mark.fast_time
_FAR_FUTURE = 1e9


class ScriptedCollector:
    """In place of a client: keeps audio, refuses records that it is told to refuse."""

    def __init__(self) -> None:
        self.audio: dict[str, bytes] = {}
        self.done: set[str] = set()
        self.faults: list[DeliveryError] = []
        self.odd: set[str] = set()
        self.part_seconds = 0.0
        self.requests: list[str] = []
        self.batches: list[list[str]] = []
        self.never_whole = False

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        query: Mapping[str, Any] | None = None,
        value: Mapping[str, Any] | None = None,
        body: bytes = b"",
        kind: str = "",
    ) -> dict[str, Any]:
        self.requests.append(method)
        if method == "POST":
            return self._records(body)
        sha256 = path.rpartition("/")[2]
        if method == "PATCH":
            await asyncio.sleep(self.part_seconds)
            if self.faults:
                raise self.faults.pop(0)
            self._part(sha256, query or {}, body)
        whole = sha256 in self.done and not self.never_whole
        return {"offset": len(self.audio.get(sha256, b"")), "complete": whole}

    def _part(self, sha256: str, query: Mapping[str, Any], body: bytes) -> None:
        held = self.audio.get(sha256, b"")
        if query["offset"] > len(held):
            raise RequestRefused(409, {"error": "offset", "offset": len(held)})
        held = held[: query["offset"]] + body
        self.audio[sha256] = held
        if len(held) == query["size"]:
            if hashlib.sha256(held).hexdigest() != sha256:
                self.audio[sha256] = b""
                raise RequestRefused(422, {"error": "hash"})
            self.done.add(sha256)

    def _records(self, body: bytes) -> dict[str, Any]:
        records = json.loads(body)["records"]
        self.batches.append([record["id"] for record in records])
        if any(record["id"] in self.odd for record in records):
            raise RequestRefused(400, {"error": "malformed", "message": "it cannot be read"})
        answers = [self._answer(record) for record in records]
        return {"answers": answers, "down": 3}

    def _answer(self, record: dict[str, Any]) -> dict[str, Any]:
        blob = record["blob"]
        needs = blob is not None and blob["sha256"] not in self.done
        return {"seq": record["seq"], "version": record["version"], "outcome": "need_blob" if needs else "stored"}


def audio_file(folder: Path, size: int, name: str = "a.wav") -> Blob:
    content = hashlib.shake_128(name.encode()).digest(size)
    file = folder / name
    file.write_bytes(content)
    return Blob(hashlib.sha256(content).hexdigest(), size, file)


def sending(collector: ScriptedCollector) -> BlobSending:
    return BlobSending(collector, PartSize(PART_BYTES))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 16_384, 65_536, 65_537, 600_000])
async def test_audio_of_any_size_arrives_whole(tmp_path: Path, size: int) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, size)
    sender = sending(collector)
    assert await sender.send(blob, _FAR_FUTURE)
    assert collector.audio[blob.sha256] == blob.file.read_bytes()
    assert sender.bytes_moved == size
    before = len(collector.requests)
    assert await sender.send(blob, _FAR_FUTURE)
    assert len(collector.requests) == before


async def test_it_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, 600_000)
    sender = sending(collector)
    collector.audio[blob.sha256] = blob.file.read_bytes()[:500_000]
    collector.faults = [FarEndUnreachable("cut")]
    with pytest.raises(FarEndUnreachable):
        await sender.send(blob, _FAR_FUTURE)
    assert await sender.send(blob, _FAR_FUTURE)
    assert sender.bytes_moved == 100_000


async def test_part_that_does_not_follow_goes_where_the_collector_says(tmp_path: Path) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, 300_000)
    collector.faults = [RequestRefused(409, {"error": "offset", "offset": 0})]
    assert await sending(collector).send(blob, _FAR_FUTURE)
    assert collector.audio[blob.sha256] == blob.file.read_bytes()


async def test_bytes_that_were_spoilt_on_the_way_are_sent_again(tmp_path: Path) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, 300_000)
    collector.audio[blob.sha256] = bytes(100_000)
    assert await sending(collector).send(blob, _FAR_FUTURE)
    assert collector.audio[blob.sha256] == blob.file.read_bytes()


async def test_file_that_is_not_what_it_was_is_told_as_that(tmp_path: Path) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, 300_000)
    blob.file.write_bytes(bytes(300_000))
    with pytest.raises(BadAudio, match="look at the disk"):
        await sending(collector).send(blob, _FAR_FUTURE)
    blob.file.write_bytes(bytes(1000))
    with pytest.raises(BadAudio, match="shorter"):
        await sending(collector).send(blob, _FAR_FUTURE)


async def test_collector_that_never_has_it_whole_is_given_up(tmp_path: Path) -> None:
    collector, blob = ScriptedCollector(), audio_file(tmp_path, 100_000)
    collector.never_whole = True
    with pytest.raises(NoSense):
        await sending(collector).send(blob, _FAR_FUTURE)
    assert len(collector.requests) < 30


async def test_records_wait_for_at_most_a_turn_of_audio(tmp_path: Path) -> None:
    collector, uplink = connected()
    collector.part_seconds = 8.0
    long, short = entry(1, "recording", audio_file(tmp_path, 2_000_000)), entry(2, "call")
    began = asyncio.get_running_loop().time()
    answers = await uplink.deliver([long, short])
    assert [answer.seq for answer in answers] == [2]
    assert asyncio.get_running_loop().time() - began <= 20
    for _ in range(100):
        if answers := await uplink.deliver([long]):
            break
    assert [(answer.seq, answer.outcome) for answer in answers] == [(1, Outcome.STORED)]


async def test_record_that_the_collector_cannot_read_holds_no_other_back() -> None:
    collector, uplink = connected()
    collector.odd = {"record-7"}
    answers = await uplink.deliver([entry(number) for number in range(1, 21)])
    assert {answer.seq for answer in answers if answer.outcome is Outcome.STORED} == set(range(1, 21)) - {7}
    [refused] = [answer for answer in answers if answer.outcome is Outcome.REJECTED]
    assert (refused.seq, refused.reason) == (7, "it cannot be read")
    assert len(collector.batches) <= 11


async def test_record_that_is_no_json_is_refused_here() -> None:
    collector, uplink = connected()
    nonsense = Entry(1, "call", "record-1", 1, "2026-05-01T00:00:00+00:00", True, 0, {"x": float("nan")})
    answers = {answer.seq: answer.outcome for answer in await uplink.deliver([nonsense, entry(2)])}
    assert answers == {1: Outcome.REJECTED, 2: Outcome.STORED}
    assert collector.batches == [["record-2"]]


async def test_audio_that_the_collector_lost_is_sent_again(tmp_path: Path) -> None:
    collector, uplink = connected()
    recording = entry(1, "recording", audio_file(tmp_path, 1000))
    await uplink.deliver([recording])
    collector.done.clear()
    collector.audio.clear()
    assert [answer.outcome for answer in await uplink.deliver([recording])] == [Outcome.NEED_BLOB]
    assert [answer.outcome for answer in await uplink.deliver([recording])] == [Outcome.STORED]


async def test_audio_that_is_gone_here_has_no_answer(tmp_path: Path) -> None:
    _, uplink = connected()
    recording = entry(1, "recording", audio_file(tmp_path, 1000))
    assert recording.blob is not None
    recording.blob.file.unlink()
    assert await uplink.deliver([recording]) == []


async def test_news_of_the_collector_are_told_once() -> None:
    _, uplink = connected()
    told: list[int] = []
    uplink.on_down = lambda: told.append(uplink.down)
    await uplink.deliver([entry(1)])
    await uplink.deliver([entry(2)])
    assert told == [3]


def entry(seq: int, kind: str = "call", blob: Blob | None = None) -> Entry:
    return Entry(seq, kind, f"record-{seq}", seq, "2026-05-01T00:00:00+00:00", True, 0, {"n": seq}, blob)


class Enrolled:
    """In place of an enrolment that has nothing to do."""

    async def ensure(self) -> None:
        pass


def connected() -> tuple[ScriptedCollector, CollectorUplink]:
    collector = ScriptedCollector()
    clock = SimulatedClock(asyncio.get_running_loop(), datetime(2026, 5, 1, tzinfo=UTC))

    async def standing() -> QueueState:
        return QueueState(0, 0, None, 0, None, None, 1)

    async def count_from(seq: int, version: int) -> None:
        raise AssertionError((seq, version))

    return collector, CollectorUplink(collector, Enrolled(), clock, standing, count_from)  # type: ignore[arg-type]
