"""What calls itself a backup may come from anywhere: it is refused in a sentence, and writes nowhere else."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import SystemClock
from firmware.errors import BackupUnusable
from firmware.events import CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.storage.archive import header_of, is_name, members_of, parse_header
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup, read_manifest
from firmware.storage.backup_manifest import parse_manifest
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")

    async def records() -> None:
        store = Store(folder / "data", SystemClock(), keep_free_megabytes=0)
        await store.open()
        call = await store.call_offered("front", CallerId("13800138000"))
        recording = await store.start_recording(call, SampleFormat.U8)
        recording.write(bytes(range(256)) * 32)
        await store.keep_message(call, await recording.finish(Take(RecordingEnd.KEY, 8192, 8192, voiced=True)), "zh")
        await store.close()

    asyncio.run(records())
    make_backup(folder / "data", folder / "one", NOW)
    return (folder / "one").read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "backup"


def refused(place: Path, content: bytes) -> str:
    place.write_bytes(content)
    with pytest.raises(BackupUnusable) as told:
        check_backup(place, place.parent)
    assert list(place.parent.iterdir()) == [place]
    assert "\n" not in str(told.value)
    return str(told.value)


def test_the_good_one_is_good(good: bytes, place: Path) -> None:
    place.write_bytes(good)
    assert check_backup(place, place.parent) == read_manifest(place)


@given(data=st.data())
def test_every_flipped_bit_of_what_it_holds_is_found(data: st.DataObject, good: bytes, place: Path) -> None:
    end = len(good) - 1024  # only zeros from here on, which nobody reads
    content = bytearray(good)
    content[data.draw(st.integers(0, end - 1))] ^= 1 << data.draw(st.integers(0, 7))
    place.write_bytes(content)
    try:
        manifest = check_backup(place, place.parent)
    except BackupUnusable:
        return
    # Owner, time and mode in tar's headers and the fill of blocks mean nothing; everything that does is the same.
    original = place.with_name("original")
    original.write_bytes(good)
    assert manifest.files == read_manifest(original).files
    original.unlink()


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_part_of_one_is_refused(cut: float, good: bytes, place: Path) -> None:
    refused(place, good[: int(cut * (len(good) - 1024))])


@given(content=st.binary(max_size=4096))
def test_noise_is_refused(content: bytes, place: Path) -> None:
    refused(place, content)


@given(block=st.binary(min_size=512, max_size=512))
def test_a_header_of_noise_is_refused_or_nothing(block: bytes) -> None:
    try:
        assert parse_header(block) is None
    except BackupUnusable:
        return


@given(
    name=st.from_regex(r"[A-Za-z0-9_.-]{1,20}(/[A-Za-z0-9_.-]{1,20}){0,4}", fullmatch=True),
    size=st.integers(0, 8**11 - 1),
)
def test_a_header_that_was_written_is_read_back_or_refused_by_name(name: str, size: int) -> None:
    block = header_of(name, size)
    if is_name(name):
        assert parse_header(block) == (name, size)
    else:
        with pytest.raises(BackupUnusable):
            parse_header(block)


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def strange(kind: bytes, name: str = "recordings/x", link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "info",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("/etc/passwd"),
        tarfile.TarInfo("recordings/../../outside"),
        tarfile.TarInfo("recordings/anything.wav"),
        tarfile.TarInfo("linekeeper.db-wal"),
        tarfile.TarInfo("calls.lock"),
        tarfile.TarInfo("prompts"),
        tarfile.TarInfo("prompts/.hidden"),
        strange(tarfile.SYMTYPE, link="/etc/passwd"),
        strange(tarfile.LNKTYPE, link="linekeeper.db"),
        strange(tarfile.DIRTYPE, "recordings"),
        strange(tarfile.FIFOTYPE),
        strange(tarfile.CHRTYPE),
        strange(tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda info: f"{info.name} {info.type!r}",
)
def test_names_and_kinds_that_no_backup_has_are_refused(info: tarfile.TarInfo, place: Path) -> None:
    assert "cannot be used as a backup" in refused(place, tar((info, b"")))


def test_long_names_and_extended_headers_are_refused(place: Path) -> None:
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        refused(place, tar((tarfile.TarInfo("recordings/" + "x" * 300), b""), form=form))


def test_a_member_that_claims_gigabytes_is_refused_without_reading_them(place: Path) -> None:
    refused(place, header_of("linekeeper.db", 8**11 - 1) + bytes(4096))


def rebuilt(good: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    file = io.BytesIO(good)
    held = {member.name: good[member.at : member.at + member.size] for member in members_of(file)}
    change(held)
    return tar(*((tarfile.TarInfo(name), content) for name, content in held.items()))


def test_a_list_that_leaves_a_file_out_or_adds_one_is_refused(good: bytes, place: Path) -> None:
    def listing(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], None]:
        def changed(held: dict[str, bytes]) -> None:
            manifest = json.loads(held["manifest.json"])
            change(manifest)
            held["manifest.json"] = json.dumps(manifest).encode()

        return changed

    refused(place, rebuilt(good, listing(lambda manifest: manifest["files"].popitem())))
    refused(place, rebuilt(good, listing(lambda m: m["files"].update({"prompts/x": {"size": 1, "sha256": "0" * 64}}))))
    refused(place, rebuilt(good, listing(lambda manifest: manifest.update(format=2))))
    refused(place, rebuilt(good, listing(lambda manifest: manifest.update(files=7))))
    refused(place, rebuilt(good, listing(lambda manifest: manifest.update(made_at="2026-03-01"))))


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["format", "files", "made_at", "content", "size", "sha256"]), inner, max_size=5
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_no_list_of_contents(value: Any) -> None:
    with pytest.raises(BackupUnusable):
        parse_manifest(json.dumps(value).encode())


@given(content=st.binary(max_size=200))
def test_noise_is_no_list_of_contents(content: bytes) -> None:
    with pytest.raises(BackupUnusable):
        parse_manifest(content)


def with_database(good: bytes, tmp_path: Path, statements: str) -> bytes:
    import hashlib

    def changed(held: dict[str, bytes]) -> None:
        file = tmp_path / "changed.db"
        file.write_bytes(held["linekeeper.db"])
        with sqlite3.connect(file) as db:
            db.executescript(statements)
        db.close()
        held["linekeeper.db"] = file.read_bytes()
        manifest = json.loads(held["manifest.json"])
        mark = {"size": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        manifest["files"]["linekeeper.db"] = mark
        held["manifest.json"] = json.dumps(manifest).encode()

    return rebuilt(good, changed)


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TRIGGER later AFTER INSERT ON call BEGIN DELETE FROM message; END",
        "CREATE VIEW other AS SELECT * FROM call",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = 0",
        "PRAGMA foreign_keys = OFF; DELETE FROM call",
        "UPDATE recording SET file = 'x.' || file",
        "UPDATE recording SET total_samples = 999999",
        "DROP TABLE recording",
        "INSERT INTO doomed_file VALUES ('../../etc/passwd')",
        "INSERT INTO doomed_file VALUES ('/etc/passwd')",
        "INSERT INTO doomed_file VALUES (x'00ff')",
    ],
)
def test_a_database_that_is_not_ours_is_refused(statements: str, good: bytes, place: Path, tmp_path: Path) -> None:
    refused(place, with_database(good, tmp_path, statements))


def test_what_is_refused_changes_nothing(good: bytes, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "linekeeper.db").write_bytes(b"what is there")
    bad = tmp_path / "bad"
    bad.write_bytes(good[:-2000])
    with pytest.raises(BackupUnusable):
        restore_backup(bad, data_dir, NOW)
    assert (data_dir / "linekeeper.db").read_bytes() == b"what is there"
    assert sorted(file.name for file in data_dir.iterdir()) == ["calls.lock", "linekeeper.db"]
