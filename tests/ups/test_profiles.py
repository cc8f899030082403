from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import ConfigurationError
from firmware.power_settings import PowerSettings
from firmware.ups.profile_reader import find_profile, parse_profile, profiles
from firmware.ups.sources import make_source, power_problems, source_fingerprint, source_title

OWN = """
name = "own"
title = "Own board"
source = "me"

[mains]
pin = 5
lost = "low"
pull = "up"
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_profile("own.toml", text)
    return [str(problem) for problem in caught.value.problems]


def test_every_shipped_profile_is_named_as_its_file_and_says_where_its_facts_come_from() -> None:
    folder = resources.files("firmware.ups") / "profiles"
    files = {file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")}
    assert set(profiles()) == files
    assert files >= {
        "x728",
        "x1200",
        "waveshare-ups-hat-e",
        "ep0136",
        "buyapi",
        "ups-18650",
        "contact-no",
        "contact-nc",
    }
    assert all(len(profile.source) > 5 and profile.notes for profile in profiles().values())


def test_the_same_pin_means_the_opposite_on_the_two_most_common_families() -> None:
    x728, x1200 = find_profile("x728"), find_profile("x1200")
    assert x728.mains is not None
    assert x1200.mains is not None
    assert x728.mains.pin == x1200.mains.pin == 6
    assert (x728.mains.lost, x1200.mains.lost) == ("high", "low")
    assert x728.fingerprint != x1200.fingerprint


def test_a_broken_wire_is_an_alarm_with_contacts_that_open_in_alarm() -> None:
    contact = find_profile("contact-nc")
    assert contact.mains is not None
    assert contact.battery is not None
    assert (contact.mains.pull, contact.mains.lost) == ("up", "high")
    assert (contact.battery.pull, contact.battery.low) == ("up", "high")


def test_a_board_that_cuts_at_once_is_left_to_the_kernel() -> None:
    assert find_profile("buyapi").off.method == "kernel"


def test_an_own_file_may_say_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('based_on = "x728"\ntitle = "Our X728 V1.2"\n[off]\npin = 13\n')
    own, base = find_profile(str(file)), find_profile("x728")
    assert own.off.pin == 13
    assert own.off.method == base.off.method
    assert own.mains == base.mains
    assert own.fingerprint != base.fingerprint


def test_words_for_people_do_not_change_the_fingerprint() -> None:
    plain = parse_profile("own.toml", OWN)
    worded = parse_profile("own.toml", OWN.replace('"me"', '"somebody"') + "debounce_seconds = 0.05\n# a comment\n")
    assert plain.fingerprint == worded.fingerprint
    turned = parse_profile("own.toml", OWN.replace('"low"', '"high"'))
    assert turned.fingerprint != plain.fingerprint


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    text = OWN.replace("pull =", "pul =") + '[off]\nmethod = "puls"\n[i2c]\naddress = 300\n'
    told = mistakes(text)
    assert 'own.toml:9: unknown key "pul" (did you mean "pull"?)' in told
    assert any(line.startswith("own.toml:11: off.method: Input should be 'pulse'") for line in told)
    assert any(line.startswith("own.toml:13: i2c.address: ") for line in told)
    assert any('"mains.pull" is missing' in line for line in told)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('[mains]\npin = 5\nlost = "low"\npull = "up"', ""), "nothing tells of mains"),
        (('pull = "up"', 'pull = "up"\n[off]\nmethod = "pulse"\n'), "needs a pin"),
        (('pull = "up"', 'pull = "up"\n[off]\nmethod = "pulse"\npin = 5'), "one pin is used twice"),
        (('pull = "up"', 'pull = "up"\n[off]\nmethod = "i2c"\nwrites = [[1, 2]]'), "needs the section [i2c]"),
        (('pull = "up"', 'pull = "up"\n[off]\nmethod = "i2c"'), "needs writes"),
        (('pull = "up"', 'pull = "up"\n[i2c]\naddress = 0x36\nlow_volts = 3.0'), "low_volts needs volts"),
        (('name = "own"', 'name = "own"\nunchecked = ["mains.pinn"]'), "mains.pinn"),
        (('name = "own"', 'name = "own"\nbased_on = "x782"'), 'did you mean "x728"'),
        (('pull = "up"', 'pull = "up"\n[i2c]\naddress = 0x2D\nmains = [{ register = 2 }]'), "one of mask and at_least"),
        (('pull = "up"', 'pull = "up"\n[i2c]\naddress = 0x2D\nmains = [{ regster = 2 }]'), 'did you mean "register"'),
        (("pin = 5", "pin = 5\npin = 6"), "own.toml:8: this is no TOML"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(change: tuple[str, str], said: str) -> None:
    assert said in "\n".join(mistakes(OWN.replace(*change)))


@given(st.text() | st.lists(st.sampled_from(OWN.split()), max_size=30).map(" ".join))
def test_no_text_does_worse_than_a_refusal(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_profile("own.toml", text)


KEYS = st.sampled_from(["name", "title", "mains", "i2c", "off", "pin", "lost", "pull", "register", "based_on", "notes"])
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_content_does_worse_than_a_refusal(content: dict[str, object]) -> None:
    text = "\n".join(f"{key} = {_toml(value)}" for key, value in content.items())
    tomllib.loads(text)
    with pytest.raises(ConfigurationError):
        parse_profile("own.toml", text)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value) if "e" not in str(value) else repr(0.5)
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
        case str():
            signs = (f"\\U{ord(sign):08x}" for sign in value if not 0xD800 <= ord(sign) <= 0xDFFF)
            return f'"{"".join(signs)}"'
    return str(value)


def test_a_wrong_name_is_told_before_anything_starts() -> None:
    settings = PowerSettings(profile="x782")
    assert [problem.text for problem in power_problems(settings)] == [
        'power: no UPS profile is called "x782" (did you mean "x728"?)'
    ]
    with pytest.raises(ConfigurationError, match="x728"):
        make_source(settings)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problems = power_problems(PowerSettings(profile=f"{tmp_path}/none.toml"))
    assert len(problems) == 1
    assert problems[0].text.startswith("this UPS profile cannot be read")


def test_every_kind_of_source_is_built_without_hardware_and_has_a_title_and_a_fingerprint(tmp_path: Path) -> None:
    assert make_source(PowerSettings()) is None
    assert "not watched" in source_title(PowerSettings())
    kinds = [
        PowerSettings(profile="bench", socket=tmp_path / "power.sock"),
        PowerSettings(profile="nut"),
        PowerSettings(profile="nut", ups="other"),
        PowerSettings(profile="nut", server="192.0.2.1:3494"),
        *(PowerSettings(profile=name) for name in profiles()),
    ]
    sources = [make_source(settings) for settings in kinds]
    assert all(source is not None and source.place for source in sources)
    assert "not confirmed by its maker: off.pin" in source_title(PowerSettings(profile="x728"))
    fingerprints = [source_fingerprint(settings) for settings in kinds]
    assert len(set(fingerprints)) == len(kinds)
    assert all(len(fingerprint) == 64 for fingerprint in fingerprints)


def test_every_profile_is_in_the_document_for_technicians() -> None:
    document = (Path(__file__).parents[2] / "docs" / "ups.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | " in document for name in profiles())
