"""Versions of the office's own prompts: kept, withdrawn, forgotten, and never half there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.audio.files import RECORDED, UPLOADED, FileId
from firmware.audio.folder_lock import only_one
from firmware.audio.own_prompts import KEPT_VERSIONS, SHIPPED, keep_version, roll_back
from firmware.audio.own_versions import current_sound, own_files, own_folder, versions
from firmware.errors import PromptError, StorageError

GREETING: FileId = ("en", "greeting")


def sound(number: int) -> bytes:
    return bytes([number, 1]) * 800


def keep(own: Path, number: int, file: FileId = GREETING) -> int:
    return keep_version(own, file, sound(number), RECORDED, "microphone", "0123")


def heard(own: Path, file: FileId = GREETING) -> bytes | None:
    current = current_sound(own, file, pytest.fail)
    return current.s16 if current else None


def standing(own: Path) -> list[int]:
    return [version.number for version in versions(own, GREETING) if not version.withdrawn]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return own_folder(tmp_path / "data")


def test_the_newest_version_is_heard(own: Path) -> None:
    assert [keep(own, number) for number in (1, 2, 3)] == [1, 2, 3]
    assert heard(own) == sound(3)
    assert own_files(own) == [GREETING]


def test_an_office_without_its_own_prompts_has_none(own: Path) -> None:
    assert heard(own) is None
    assert own_files(own) == []
    assert versions(own, GREETING) == []


def test_the_record_tells_all_about_a_sound(own: Path) -> None:
    keep_version(own, GREETING, sound(7), UPLOADED, 'Ann\'s: "best" {take} #2\n.mp3', "89ab")
    current = current_sound(own, GREETING, pytest.fail)
    assert current
    record = current.record
    assert (record.source, record.voice, record.text) == (UPLOADED, 'Ann\'s: "best" {take} #2\n.mp3', "89ab")
    assert (record.version, len(record.sound)) == (1, 16)


def test_the_same_sound_is_not_kept_twice(own: Path) -> None:
    assert [keep(own, 1), keep(own, 1), keep(own, 2), keep(own, 1)] == [1, 1, 2, 3]


def test_only_the_last_versions_stay(own: Path) -> None:
    for number in range(1, 9):
        keep(own, number)
    assert standing(own) == [8, 7, 6, 5, 4]
    assert len(standing(own)) == KEPT_VERSIONS
    assert len(list((own / "en" / "greeting").iterdir())) == 2 * KEPT_VERSIONS


def test_withdrawn_versions_are_forgotten_before_good_ones(own: Path) -> None:
    for number in range(1, 6):
        keep(own, number)
    roll_back(own, GREETING, to=1)
    keep(own, 6)
    assert standing(own) == [6, 1]
    assert [version.number for version in versions(own, GREETING)] == [6, 5, 4, 3, 1]


def test_the_way_back_leads_to_the_shipped_sound(own: Path) -> None:
    keep(own, 1)
    keep(own, 2)
    assert roll_back(own, GREETING) == 1
    assert heard(own) == sound(1)
    assert roll_back(own, GREETING) == SHIPPED
    assert heard(own) is None
    with pytest.raises(PromptError, match="already"):
        roll_back(own, GREETING)


def test_a_withdrawn_version_comes_back_by_its_number(own: Path) -> None:
    for number in (1, 2, 3):
        keep(own, number)
    assert roll_back(own, GREETING, to=SHIPPED) == SHIPPED
    assert roll_back(own, GREETING, to=2) == 2
    assert heard(own) == sound(2)
    assert keep(own, 4) == 4
    assert roll_back(own, GREETING) == 2


def test_a_way_back_that_is_not_there_is_told(own: Path) -> None:
    with pytest.raises(PromptError, match="no version of your own"):
        roll_back(own, GREETING)
    keep(own, 1)
    with pytest.raises(PromptError, match="no version 7; there are 1, and 0"):
        roll_back(own, GREETING, to=7)
    assert heard(own) == sound(1)


def test_there_is_no_way_back_to_a_broken_version(own: Path) -> None:
    keep(own, 1)
    keep(own, 2)
    (own / "en" / "greeting" / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(PromptError, match="version 1 of en/greeting cannot be used"):
        roll_back(own, GREETING)
    assert heard(own) == sound(2)


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def blow_up(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"a: [" * 2_000_000)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [lose, cut, flip_last_byte, blow_up, make_folder])
def test_a_broken_sound_falls_back_to_the_version_before_and_is_told_once(
    own: Path, damage: Callable[[Path], None]
) -> None:
    keep(own, 1)
    keep(own, 2)
    damage(own / "en" / "greeting" / "2.wav")
    told: list[str] = []
    current = current_sound(own, GREETING, told.append)
    assert current
    assert current.s16 == sound(1)
    (problem,) = told
    assert problem.startswith("version 2 of en/greeting cannot be used: ")


@pytest.mark.parametrize("damage", [cut, blow_up, make_folder])
def test_a_broken_record_falls_back_too(own: Path, damage: Callable[[Path], None]) -> None:
    keep(own, 1)
    keep(own, 2)
    damage(own / "en" / "greeting" / "2.yaml")
    told: list[str] = []
    current = current_sound(own, GREETING, told.append)
    assert current
    assert current.record.version == 1
    assert len(told) == 1


def test_a_record_of_another_version_does_not_count(own: Path) -> None:
    keep(own, 1)
    keep(own, 2)
    folder = own / "en" / "greeting"
    (folder / "2.yaml").write_bytes((folder / "1.yaml").read_bytes())
    told: list[str] = []
    assert current_sound(own, GREETING, told.append)
    assert "2.yaml does not describe it" in told[0]


def test_a_new_version_after_a_broken_one_gets_its_own_number(own: Path) -> None:
    keep(own, 1)
    lose(own / "en" / "greeting" / "1.wav")
    assert keep(own, 1) == 2
    assert heard(own) == sound(1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_record_breaks_the_reading(own: Path, content: bytes) -> None:
    if not versions(own, GREETING):
        keep(own, 1)
    (own / "en" / "greeting" / "1.yaml").write_bytes(content)
    told: list[str] = []
    current_sound(own, GREETING, told.append)
    assert len(told) == 1


@pytest.mark.parametrize("name", ["../x", "..", "", "a/b", "Greeting", "greeting.wav", "a" * 60, "/etc/passwd", "a\0b"])
@pytest.mark.parametrize("language", ["en", "..", "", "fr"])
def test_names_that_lead_elsewhere_are_refused(own: Path, language: str, name: str) -> None:
    with pytest.raises(PromptError, match="is no prompt"):
        keep(own, 1, (language, name))
    with pytest.raises(PromptError, match="is no prompt"):
        roll_back(own, (language, name))
    assert not own.exists()


@pytest.mark.parametrize(("s16", "source"), [(b"", RECORDED), (b"\1", RECORDED), (bytes(80), RECORDED), (b"\1\1", "x")])
def test_what_is_no_sound_is_refused(own: Path, s16: bytes, source: str) -> None:
    with pytest.raises(PromptError):
        keep_version(own, GREETING, s16, source, "me", "0")
    assert not own.exists()


def test_two_programs_do_not_keep_versions_at_once(own: Path) -> None:
    keep(own, 1)
    with only_one(own), pytest.raises(PromptError, match="another program"):
        keep(own, 2)
    assert keep(own, 2) == 2


def test_a_folder_that_cannot_be_written_is_told(own: Path) -> None:
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="cannot be used"):
        keep(own, 1)


class PowerCut(BaseException):
    """Nothing after it is executed."""


def steps(own: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Iterator[int]:
    """Cut the power before the first, the second ... change on the disk, until the work gets through."""
    real = {name: getattr(os, name) for name in ("rename", "replace", "unlink", "fsync", "mkdir")}
    for cut_at in range(200):
        left = [cut_at]

        def step(name: str, *arguments: object, left: list[int] = left, **options: object) -> object:
            if not left[0]:
                raise PowerCut
            left[0] -= 1
            return real[name](*arguments, **options)

        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(os, name, lambda *a, _name=name, **o: step(_name, *a, **o))
            try:
                work()
            except PowerCut:
                yield cut_at
                continue
        return
    pytest.fail("the work never gets through")


def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_version(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 6):
        keep(own, number)
    cuts = 0
    for _ in steps(own, monkeypatch, lambda: keep(own, 9)):
        cuts += 1
        assert heard(own) in (sound(5), sound(9))
    assert cuts > 5
    assert heard(own) == sound(9)
    assert KEPT_VERSIONS <= len(versions(own, GREETING)) <= KEPT_VERSIONS + 1


def test_a_power_cut_on_the_way_back_leaves_a_version_between(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 5):
        keep(own, number)
    among = {sound(number) for number in (2, 3, 4)}
    cuts = 0
    for _ in steps(own, monkeypatch, lambda: roll_back(own, GREETING, to=2)):
        cuts += 1
        assert heard(own) in among
    assert cuts >= 2
    assert heard(own) == sound(2)


def test_remains_of_a_power_cut_are_swept_away(own: Path) -> None:
    keep(own, 1)
    remains = own / "en" / "greeting" / ".2.wav.4711.tmp"
    remains.write_bytes(b"half")
    keep(own, 2)
    assert not remains.exists()
