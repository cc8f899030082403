"""Models come through bad networks whole or not at all, and nothing else comes with them."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.errors import SpeechError
from firmware.speech.fetch import Fetcher, models_lines
from firmware.speech.unpacking import unpack
from tests.speech.model_site import FILES, NAME, Site, archive, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(archive())) as site:
        yield site


def fetch(site: Site, data_dir: Path) -> tuple[Path, list[int]]:
    progress: list[int] = []
    fetcher = Fetcher(data_dir, site.url)
    return fetcher.fetch("en", fetcher.find("en"), progress.append), progress


def assert_whole(folder: Path) -> None:
    there = {f"{NAME}/{file.relative_to(folder)}": file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert there == FILES
    assert {path.name for path in folder.parent.iterdir()} == {NAME}


def refused(site: Site, data_dir: Path, why: str) -> None:
    with pytest.raises(SpeechError, match=why):
        fetch(site, data_dir)
    assert not (data_dir / "speech" / NAME).exists()


def test_a_model_is_fetched_and_unpacked(site: Site, tmp_path: Path) -> None:
    folder, progress = fetch(site, tmp_path)
    assert folder == tmp_path / "speech" / NAME
    assert_whole(folder)
    assert progress == sorted(progress)
    assert progress[-1] == len(site.content)
    assert Fetcher(tmp_path).is_there("en")


@pytest.mark.parametrize("politely", [False, True])
def test_a_broken_download_goes_on_where_it_was(site: Site, tmp_path: Path, politely: bool) -> None:
    site.breaks_after = [70_000, 70_000]
    site.breaks_politely = politely
    folder, _ = fetch(site, tmp_path)
    assert_whole(folder)
    starts = [int(str(wish).removeprefix("bytes=").rstrip("-")) for wish in site.ranges]
    assert starts[0] == 0
    assert 0 < starts[1] < starts[2]


def test_a_server_without_ranges_begins_anew(site: Site, tmp_path: Path) -> None:
    site.breaks_after = [70_000]
    site.knows_ranges = False
    folder, _ = fetch(site, tmp_path)
    assert_whole(folder)


def test_a_line_that_stays_dead_is_told_and_the_next_call_goes_on(site: Site, tmp_path: Path) -> None:
    site.breaks_after = [150_000, 0, 0, 0]
    refused(site, tmp_path, "cannot reach .*(?s:.*)copy the folder")
    part = tmp_path / "speech" / f"{NAME}.zip.part"
    kept = part.stat().st_size
    assert kept > 0
    folder, _ = fetch(site, tmp_path)
    assert_whole(folder)
    assert site.ranges[-1] == f"bytes={kept}-"


def test_without_a_network_it_tells_what_to_do(tmp_path: Path) -> None:
    with serving(Site(b"")) as closed:
        pass
    with pytest.raises(SpeechError, match=rf"(?s)cannot reach.*another computer.*{NAME}\.zip.*{tmp_path}"):
        Fetcher(tmp_path, closed.url).find("en")


def test_a_web_page_in_place_of_the_model_is_named(site: Site, tmp_path: Path) -> None:
    site.page = b"<html>Welcome to Hotel Wi-Fi, please log in</html>"
    refused(site, tmp_path, "web page")


@pytest.mark.parametrize(
    "text", ["<html>log in</html>", "{}", "[1]", '[{"name": "x"}]', f'[{{"name": "{NAME}", "size": "big", "md5": ""}}]']
)
def test_a_list_that_is_none_is_refused(site: Site, tmp_path: Path, text: str) -> None:
    site.list_text = text
    refused(site, tmp_path, "list of models|does not tell")


def test_a_wrong_checksum_throws_the_download_away(site: Site, tmp_path: Path) -> None:
    site.told_md5 = hashlib.md5(b"another").hexdigest()
    refused(site, tmp_path, "damaged")
    assert list((tmp_path / "speech").iterdir()) == []
    site.told_md5 = None
    assert_whole(fetch(site, tmp_path)[0])


def test_more_than_was_told_is_refused(site: Site, tmp_path: Path) -> None:
    site.told_size = len(site.content) - 100
    refused(site, tmp_path, "longer than")
    assert list((tmp_path / "speech").iterdir()) == []


def test_less_than_was_told_is_refused_in_the_end(site: Site, tmp_path: Path) -> None:
    site.told_size = len(site.content) + 100
    refused(site, tmp_path, "cannot reach|answers 416")


@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_answer_that_is_no_model_is_told(site: Site, tmp_path: Path, status: int) -> None:
    site.status = status
    refused(site, tmp_path, f"answers {status}")


def test_no_room_is_told_before_the_download(site: Site, tmp_path: Path) -> None:
    site.told_size = 1 << 50
    refused(site, tmp_path, "the disk has")
    assert site.ranges == []


def test_a_language_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="no small model for 'fr'"):
        Fetcher(tmp_path).find("fr")


def test_the_lines_for_the_configuration_are_yaml() -> None:
    assert models_lines([("en", Path("/d/en")), ("zh", Path("/d/zh"))]) == (
        "speech:\n  engine: vosk\n  models:\n    en: /d/en\n    zh: /d/zh"
    )


# --- archives


def unpacked(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "model.zip"
    file.write_bytes(content)
    folder = tmp_path / "speech" / "model"
    folder.parent.mkdir(exist_ok=True)
    unpack(file, folder)
    return folder


@pytest.mark.parametrize(
    "name", ["../evil", f"{NAME}/../../evil", "/etc/evil", f"{NAME}/..\\evil", "evil", "other/evil", f"{NAME}/../evil"]
)
def test_nothing_is_written_outside_the_models_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpeechError, match="it is not used"):
        unpacked(tmp_path, archive({**FILES, name: b"harm"}))
    assert {path.name for path in tmp_path.rglob("*")} == {"model.zip", "speech"}


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.zip"
    with zipfile.ZipFile(file, "w") as content:
        link = zipfile.ZipInfo(f"{NAME}/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        content.writestr(link, "/etc/passwd")
    with pytest.raises(SpeechError, match="it is not used"):
        unpack(file, tmp_path / "model")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="far more"):
        unpacked(tmp_path, archive({f"{NAME}/{at}": b"" for at in range(2001)}))
    file = tmp_path / "big.zip"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as content,
        content.open(f"{NAME}/zeros", "w", force_zip64=True) as zeros,
    ):
        for _ in range(601):
            zeros.write(bytes(1 << 20))
    with pytest.raises(SpeechError, match="far more"):
        unpack(file, tmp_path / "model")


@pytest.mark.parametrize("content", [b"", b"PK", b"<html></html>", archive()[:-1000], archive()[:5000]])
def test_a_broken_archive_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SpeechError, match="broken archive"):
        unpacked(tmp_path, content)
    assert list((tmp_path / "speech").iterdir()) == []


@pytest.mark.parametrize("place", [48, 60, 5000, 150_000])
def test_a_flipped_byte_in_an_archive_leaves_the_old_model(tmp_path: Path, place: int) -> None:
    folder = unpacked(tmp_path, archive())
    damaged = bytearray(archive({f"{NAME}/words": b"yes no message operator\n" * 9000, **FILES}))
    damaged[place] ^= 0xFF
    with pytest.raises(SpeechError, match="broken archive"):
        unpacked(tmp_path, bytes(damaged))
    assert (folder / "README").read_bytes() == b"a model"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_new_model_replaces_the_old_one(tmp_path: Path) -> None:
    unpacked(tmp_path, archive({f"{NAME}/README": b"old", f"{NAME}/left-over": b"old"}))
    folder = unpacked(tmp_path, archive())
    assert (folder / "README").read_bytes() == b"a model"
    assert not (folder / "left-over").exists()
