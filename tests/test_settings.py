"""The configuration file: what is taken, and how mistakes are told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import ConfigurationError
from firmware.settings import Settings, load_settings, parse_settings

WHOLE = """
data_dir: /var/lib/linekeeper
run_dir: /run/linekeeper
country: CN
time_zone: Asia/Shanghai
languages: [zh, en]
rings: 2
lines:
  - name: front
    port: /dev/serial/by-path/pci-0000:01:00.0-usb-0:1.2:1.0
    profile: auto
flow: builtin:office
office: {listen: 127.0.0.1:8080}
power: {profile: none}
sync: {mode: "off"}
speech: {engine: none}
"""
LEAST = "data_dir: /d\nrun_dir: /r\nlines: [{name: front, port: auto}]\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings("c.yaml", text)
    return [str(problem).removeprefix("c.yaml:") for problem in caught.value.problems]


def test_file_of_the_documentation_is_good() -> None:
    settings = parse_settings("c.yaml", WHOLE)
    assert settings.lines[0].name == "front"
    assert settings.data_dir == Path("/var/lib/linekeeper")


def test_everything_but_folders_and_lines_has_a_default() -> None:
    settings = parse_settings("c.yaml", LEAST)
    assert (settings.country, settings.rings, settings.languages) == ("CN", 2, ("zh", "en"))


def test_off_needs_no_quotes() -> None:
    assert parse_settings("c.yaml", LEAST + "sync: {mode: off}\n").sync.mode == "off"


def test_all_mistakes_are_told_at_once_each_with_its_line() -> None:
    text = (
        "data_dir: d\nrun_dri: /r\ncountry: China\nlines:\n  - {name: a, port: /x}\n  - {name: a, prot: /x}\n"
        "  - {name: b c, port: /x}\nlanguages: [zh, zh]\nlanguages: [en]\nrings: many\n"
    )
    told = mistakes(text)
    assert [line.split(":")[0] for line in told] == ["1", "1", "2", "3", "6", "6", "6", "7", "7", "9", "10"]
    assert '2: unknown key "run_dri" (did you mean "run_dir"?)' in told
    assert '6: unknown key "prot" (did you mean "port"?)' in told
    assert "6: this line name is used twice: a" in told
    assert "7: this line port is used twice: /x" in told
    assert '9: "languages" stands twice' in told


def test_automatic_ports_may_stand_twice() -> None:
    text = LEAST.replace("}]", "}, {name: back, port: auto}]")
    assert len(parse_settings("c.yaml", text).lines) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("time_zone: Mars/Olympus", "no time zone is called"),
        ("office: {listen: nonsense}", "office.listen"),
        ("flow: ''", "flow"),
        ("power: {profile: Some Day}", "power.profile"),
        ("rings: 0", "rings"),
        ("languages: []", "languages"),
        ("languages: [fr]", "languages"),
        ("calls: {longest_message_seconds: 1}", "calls.longest_message_seconds"),
    ],
)
def test_value_out_of_range_is_told_with_its_place(change: str, said: str) -> None:
    (told,) = mistakes(LEAST + change + "\n")
    assert told.startswith("4: ")
    assert said in told


def test_no_lines_at_all_are_told_in_words() -> None:
    assert mistakes("data_dir: /d\nrun_dir: /r\nlines: []\n") == ["3: lines: no lines are configured"]


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "bytes.yaml")


@given(st.text(max_size=200))
def test_any_text_is_settings_or_told_mistakes(text: str) -> None:
    _settings_or_mistakes(text)


@given(st.lists(st.sampled_from([*WHOLE.split("\n"), "lines: 3", "- x", "? {a: b}", "office: &a [*a]"]), max_size=20))
def test_any_lines_of_a_file_are_settings_or_told_mistakes(lines: list[str]) -> None:
    _settings_or_mistakes("\n".join(lines))


def _settings_or_mistakes(text: str) -> None:
    with suppress(ConfigurationError):
        assert isinstance(parse_settings("c.yaml", text), Settings)
