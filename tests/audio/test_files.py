from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.files import SOURCES, FileRecord, dump_files, dump_record, load_files, read_record, sound_checksum
from firmware.errors import ConfigurationError
from firmware.yaml_source import parse_yaml

# YAML cannot hold single surrogates, and no file name that is shown has any.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
HEX = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(st.builds(FileRecord, st.sampled_from(SOURCES), WORDS, HEX, HEX | st.just(""), st.integers(1, 10**6)))
def test_every_record_is_read_as_it_was_written(record: FileRecord) -> None:
    assert read_record(parse_yaml("record", dump_record(record)).value) == record


def test_the_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    records = {
        ("zh", "goodbye"): FileRecord("uploaded", "C:\\new: 'best' #1.mp3", "0123", "4567", 3),
        ("en", "goodbye"): FileRecord("synthesised", "flite 2.2 rms", "0e10", "", 1),
    }
    (tmp_path / "files.yaml").write_text(dump_files(records), encoding="utf-8")
    assert load_files(tmp_path) == records


def test_a_list_from_before_checksums_is_read(tmp_path: Path) -> None:
    line = "zh:\n  goodbye: {source: synthesised, voice: espeak-ng 1.51 cmn-latn-pinyin, text: '122a16e101a1e846'}\n"
    (tmp_path / "files.yaml").write_text(line)
    assert load_files(tmp_path) == {
        ("zh", "goodbye"): FileRecord("synthesised", "espeak-ng 1.51 cmn-latn-pinyin", "122a16e101a1e846")
    }


@pytest.mark.parametrize(
    "entry",
    [
        "{source: synthesised, voice: a}",
        "{source: bought, voice: a, text: b}",
        "{source: recorded, voice: a, text: b, colour: red}",
        "{source: recorded, voice: a, text: b, version: 0}",
        "{source: recorded, voice: a, text: b, version: true}",
        "{source: recorded, voice: a, text: b, version: x}",
        "recorded",
    ],
)
def test_a_wrong_record_is_told_with_its_line(tmp_path: Path, entry: str) -> None:
    (tmp_path / "files.yaml").write_text(f"zh:\n  goodbye: {entry}\n")
    with pytest.raises(ConfigurationError, match=r"files.yaml:2: source, voice and text are needed"):
        load_files(tmp_path)


def test_the_checksum_follows_the_samples() -> None:
    assert sound_checksum(b"\1\2") != sound_checksum(b"\1\3")
    assert len(sound_checksum(b"")) == 16
