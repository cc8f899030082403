"""YAML that remembers its lines."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import did_you_mean, parse_yaml


def told(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml("f", text)
    return [str(problem) for problem in caught.value.problems]


def test_every_place_knows_its_line() -> None:
    source = parse_yaml("f", "a: 1\nb:\n  - x\n  - c:\n      d: 2\n")
    assert source.value == {"a": 1, "b": ["x", {"c": {"d": 2}}]}
    assert source.line_of(("b", 1, "c", "d")) == 5
    assert source.line_of(("b", 1, "nowhere")) == 4
    assert source.line_of(()) == 1


def test_every_key_that_stands_twice_is_told() -> None:
    assert told("a: 1\na: 2\nb: {c: 1, c: 2}\n") == ['f:2: "a" stands twice', 'f:3: "c" stands twice']


def test_mistakes_in_places_may_be_collected_beside_the_value() -> None:
    problems: list[Problem] = []
    assert parse_yaml("f", "a: 1\na: 2\n", problems).value == {"a": 2}
    assert [problem.line for problem in problems] == [2]


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t", "a: !!python/object:os.system x", "{[1]: 2}"])
def test_what_is_no_plain_yaml_is_told(text: str) -> None:
    assert told(text)


def test_aliases_that_multiply_are_refused() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert "too large" in told(text)[0]


@pytest.mark.parametrize("text", ["&a [*a]", "[" * 3000])
def test_endless_depth_is_refused(text: str) -> None:
    assert told(text)


def test_near_words_are_suggested() -> None:
    assert did_you_mean("prot", ["port", "name"]) == ' (did you mean "port"?)'
    assert did_you_mean("zzz", ["port", "name"]) == ""


@given(st.text(max_size=300))
def test_any_text_is_a_value_or_told(text: str) -> None:
    with suppress(ConfigurationError):
        assert parse_yaml("f", text).name == "f"
