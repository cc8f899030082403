"""Recordings arrive whole, in a folder and in an object store alike, whatever copy takes which part."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.blobs.book import DatabaseBook
from collector.blobs.errors import BlobsUnavailable, ObjectMissing
from collector.blobs.housekeeping import ABANDONED_AFTER, RecordingShelf, sweep_uploads
from collector.blobs.shelf import Shelf, open_shelf
from collector.blobs.uploads import LEAST_PART_BYTES, Part, Progress, Uploads, parts_prefix, whole_key
from collector.database import Database
from collector.migrating import migrate
from collector.records.devices import add_device
from collector.refusals import Refusal, Why
from firmware.uplink_contract.limits import MOST_BLOB_BYTES, PART_BYTES


@pytest.fixture
async def database(module_url: str) -> AsyncIterator[Database]:
    async with Database(module_url) as made:
        await migrate(made)
        yield made


@pytest.fixture(params=["folder", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    place = tmp_path / "blobs" if request.param == "folder" else request.getfixturevalue("bucket_url") + "/some/prefix"
    return open_shelf(str(place))


@pytest.fixture
def uploads(shelf: Shelf, database: Database) -> Uploads:
    return Uploads(shelf, DatabaseBook(database))


@pytest.fixture
def other_copy(shelf: Shelf, database: Database) -> Uploads:
    return Uploads(shelf, DatabaseBook(database))


def _named(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _part(content: bytes, offset: int, size: int = PART_BYTES) -> Part:
    return Part(offset, len(content), content[offset : offset + size])


async def _whole(shelf: Shelf, device: UUID, content: bytes) -> bool:
    return await shelf.read(whole_key(device, _named(content)), 0, len(content) + 1) == content


async def _refused(uploads: Uploads, device: UUID, sha256: str, part: Part) -> Refusal:
    with pytest.raises(Refusal) as raised:
        await uploads.add(device, sha256, part)
    return raised.value


async def _reached(uploads: Uploads, device: UUID, sha256: str, part: Part) -> int:
    """Where to go on, in whichever way it is told."""
    try:
        return (await uploads.add(device, sha256, part)).offset
    except Refusal as refusal:
        return int(refusal.details["offset"])


async def test_parts_over_two_copies_become_the_recording(
    shelf: Shelf, uploads: Uploads, other_copy: Uploads, device: UUID
) -> None:
    content = os.urandom(3 * PART_BYTES + 5)
    name = _named(content)
    assert await uploads.progress(device, name) == Progress(0, complete=False)
    turns = [(uploads, other_copy), (other_copy, uploads), (other_copy, uploads), (uploads, other_copy)]
    for offset, (copy, again) in zip(range(0, len(content), PART_BYTES), turns, strict=True):
        await copy.add(device, name, _part(content, offset))
        # The answer was lost and the part comes again, elsewhere.
        assert await _reached(again, device, name, _part(content, offset)) == min(offset + PART_BYTES, len(content))
    assert await _whole(shelf, device, content)
    assert await shelf.sizes(parts_prefix(device, name)) == {}
    assert await other_copy.progress(device, name) == Progress(len(content), complete=True)


async def test_two_copies_that_take_the_same_part_at_once_do_no_harm(
    shelf: Shelf, uploads: Uploads, other_copy: Uploads, device: UUID
) -> None:
    for _ in range(5):
        content = os.urandom(2 * PART_BYTES + 5)
        for offset in range(0, len(content), PART_BYTES):
            part = _part(content, offset)
            asked = [_reached(copy, device, _named(content), part) for copy in (uploads, other_copy, uploads)]
            assert set(await asyncio.gather(*asked)) == {part.end}
        assert await uploads.progress(device, _named(content)) == Progress(len(content), complete=True)
        assert await _whole(shelf, device, content)


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(PART_BYTES)], ids=["empty", "one byte", "one part"])
async def test_a_small_recording_needs_one_request(
    shelf: Shelf, uploads: Uploads, database: Database, device: UUID, content: bytes
) -> None:
    assert (await uploads.add(device, _named(content), _part(content, 0))).complete
    assert await RecordingShelf(shelf).has(device, _named(content))
    assert await database.rows("SELECT * FROM upload WHERE device = %s", [device]) == []


async def test_bytes_that_are_not_what_they_say_begin_again(shelf: Shelf, uploads: Uploads, device: UUID) -> None:
    content = os.urandom(PART_BYTES + 5)
    await uploads.add(device, "a" * 64, _part(content, 0))
    refusal = await _refused(uploads, device, "a" * 64, _part(content, PART_BYTES))
    assert (refusal.why, refusal.details["offset"]) == (Why.HASH, 0)
    assert await uploads.progress(device, "a" * 64) == Progress(0, complete=False)
    assert not await RecordingShelf(shelf).has(device, "a" * 64)


async def test_nobody_learns_what_another_has(shelf: Shelf, uploads: Uploads, database: Database, device: UUID) -> None:
    content = os.urandom(100)
    await uploads.add(device, _named(content), _part(content, 0))
    async with database.transaction() as work:
        row = await work.row("SELECT company FROM device WHERE id = %s", [device])
        assert row is not None
        other = await add_device(work, row["company"], "back office")
    assert await uploads.progress(other, _named(content)) == Progress(0, complete=False)
    await RecordingShelf(shelf).delete(other, _named(content))
    assert await RecordingShelf(shelf).has(device, _named(content))


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (Part(0, MOST_BLOB_BYTES + 1, b"x" * PART_BYTES), Why.TOO_LARGE),
        (Part(0, PART_BYTES + 1, b"x" * (PART_BYTES + 1)), Why.TOO_LARGE),
        (Part(0, 3, b"1234"), Why.MALFORMED),
        (Part(4, 3, b""), Why.MALFORMED),
        (Part(0, PART_BYTES, b"x" * (LEAST_PART_BYTES - 1)), Why.MALFORMED),
        (Part(PART_BYTES, 2 * PART_BYTES, b"x" * PART_BYTES), Why.OFFSET),
    ],
)
async def test_a_part_that_does_not_fit_is_refused(
    database: Database, tmp_path: Path, device: UUID, part: Part, why: Why
) -> None:
    uploads = Uploads(open_shelf(str(tmp_path)), DatabaseBook(database))
    assert (await _refused(uploads, device, "a" * 64, part)).why is why


async def test_what_was_abandoned_is_swept_away_and_may_begin_anew(
    shelf: Shelf, uploads: Uploads, database: Database, device: UUID
) -> None:
    content = os.urandom(2 * PART_BYTES)
    name = _named(content)
    await uploads.add(device, name, _part(content, 0))
    # The process was killed between the object and its row.
    await shelf.put(whole_key(device, name), content)
    now = datetime.now(UTC)
    await sweep_uploads(database, shelf, now)
    assert await RecordingShelf(shelf).has(device, name)
    await sweep_uploads(database, shelf, now + ABANDONED_AFTER + timedelta(minutes=1))
    assert not await RecordingShelf(shelf).has(device, name)
    assert await shelf.sizes(parts_prefix(device, name)) == {}
    for offset in (0, PART_BYTES):
        copy = Uploads(shelf, DatabaseBook(database))
        last = await copy.add(device, name, _part(content, offset))
    assert last.complete


class MemoryBook:
    """Rows in memory: for many examples at little cost."""

    def __init__(self) -> None:
        self.whole: set[tuple[UUID, str]] = set()

    async def has(self, device: UUID, sha256: str) -> bool:
        return (device, sha256) in self.whole

    async def begin(self, device: UUID, sha256: str) -> None: ...

    async def finish(self, device: UUID, sha256: str, size: int) -> None:
        self.whole.add((device, sha256))

    async def forget(self, device: UUID, sha256: str) -> None:
        self.whole.discard((device, sha256))

    async def end(self, device: UUID, sha256: str) -> None: ...


_steps = st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=30)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(size=st.integers(0, 6 * LEAST_PART_BYTES), steps=_steps)
async def test_an_upload_cut_anywhere_ends_whole(tmp_path: Path, size: int, steps: list[tuple[bool, int]]) -> None:
    device, content = uuid4(), os.urandom(size)
    shelf, book = open_shelf(str(tmp_path)), MemoryBook()
    copies = [Uploads(shelf, book), Uploads(shelf, book)]
    known = 0
    # Parts of any length, to either copy, sometimes with the answer lost; then plainly to the end.
    for which, length in [*steps, *([(True, 5)] * 10)]:
        part = _part(content, known, length * LEAST_PART_BYTES)
        reached = await _reached(copies[which], device, _named(content), part)
        known = reached if length % 2 else min(known, reached)
        if await book.has(device, _named(content)):
            break
    assert await copies[0].progress(device, _named(content)) == Progress(size, complete=True)
    assert content == b"" or await _whole(shelf, device, content)


async def test_a_store_that_is_away_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BlobsUnavailable, match="takes a folder"):
        open_shelf("https://example.org/x")
    (tmp_path / "file").touch()
    with pytest.raises(BlobsUnavailable, match="cannot hold recordings"):
        open_shelf(str(tmp_path / "file"))
    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a")
    with pytest.raises(BlobsUnavailable, match="does not answer"):
        await open_shelf("s3://nowhere").check()


@pytest.fixture
async def recording(shelf: Shelf) -> str:
    await shelf.put("there", b"0123456789")
    return "there"


async def test_in_a_folder_the_whole_and_every_folder_above_are_on_the_disk_before_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noting(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    class WatchingBook(MemoryBook):
        async def finish(self, device: UUID, sha256: str, size: int) -> None:
            whole = tmp_path / whole_key(device, sha256)
            assert synced[0] == str(whole)
            assert set(synced[1:]) == {str(whole.parent), str(whole.parent.parent), str(tmp_path)}
            await super().finish(device, sha256, size)

    uploads = Uploads(open_shelf(str(tmp_path)), WatchingBook())
    monkeypatch.setattr("os.fsync", noting)
    assert (await uploads.add(uuid4(), _named(b"abc"), _part(b"abc", 0))).complete
    assert synced


async def test_objects_are_read_in_pieces(shelf: Shelf, recording: str) -> None:
    assert await shelf.read(recording, 2, 3) == b"234"
    assert await shelf.read(recording, 8, 100) == b"89"
    assert await shelf.size(recording) == 10
    for key, offset in (("not there", 0), (recording, 11)):
        with pytest.raises(ObjectMissing):
            await shelf.read(key, offset, 5)
    await shelf.delete(["not there", recording])
    assert await shelf.size(recording) is None
