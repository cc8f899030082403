from __future__ import annotations

import copy
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.errors import ConfigurationError
from firmware.ivr.flow import Outcome
from firmware.ivr.loader import load_flow, parse_flow

OFFICE = (resources.files("firmware.ivr") / "flows" / "office.yaml").read_text(encoding="utf-8")

SMALL = """\
name: small
start: menu
hours:
  weekly:
    mon-fri: ["09:00-12:00"]
steps:
  menu:
    kind: menu
    prompt: main_menu
    keys:
      1: message
    way_out: message
  message:
    kind: record
    next: bye
    full: bye
  bye:
    kind: hang_up
"""


def problems_of(text: str, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_flow("f.yaml", text, **arguments)
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str, text: str = SMALL) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_small_flow_is_good() -> None:
    flow = parse_flow("f.yaml", SMALL)
    assert flow.steps["menu"].exits == {Outcome.KEY_1: "message", Outcome.WAY_OUT: "message"}
    assert flow.steps["bye"].prompt == "goodbye"


def test_builtin_office_flow_offers_only_what_exists() -> None:
    flow = load_flow("builtin:office")
    assert flow.steps["main_menu"].keys == ("1", "2", "0")
    assert flow.steps["language"].languages == {"1": "zh", "2": "en"}


def test_every_prompt_of_the_office_flow_is_in_the_catalogue() -> None:
    catalogue = yaml.safe_load((Path(__file__).parents[2] / "voice-prompts" / "catalogue.yaml").read_text("utf-8"))
    prompts = {
        language: [name for name, texts in catalogue["prompts"].items() if language in texts]
        for language in ("zh", "en")
    }
    assert load_flow("builtin:office", prompts).start == "opening"


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("start: menu", "start: menus", 2, 'there is no step "menus" (did you mean "menu"?)'),
        ("start: menu", "starts: menu", 0, '"start" is missing'),
        ("start: menu", "start: menu\ncolour: red", 3, 'unknown key "colour"'),
        ("kind: menu", "kind: faq", 8, 'this version has no step kind "faq"'),
        ("kind: menu", "kind: hand_over", 8, 'this version has no step kind "hand_over"'),
        ("kind: menu", "kind: manu", 8, 'unknown step kind "manu" (did you mean "menu"?)'),
        ("    prompt: main_menu\n", "", 7, '"prompt" is missing'),
        ("prompt: main_menu", "promt: main_menu", 9, 'unknown key "promt" (did you mean "prompt"?)'),
        ("prompt: main_menu", "prompt: 7", 9, '"prompt" must be a text, not "7"'),
        ("1: message", "1: mesage", 11, 'there is no step "mesage" (did you mean "message"?)'),
        ("1: message", "1: message\n      '1': bye", 12, "key 1 is used twice"),
        ("1: message", "1: message\n      1: bye", 12, '"1" stands twice'),
        ("1: message", "a: message", 11, '"a" is no key of a telephone'),
        ("1: message", "12: message", 11, '"12" is no key of a telephone'),
        ("1: message", "true: message", 11, '"True" is no key of a telephone'),
        ("1: message", "9: message", 11, "key 9 always repeats"),
        ("1: message", '"*": message', 11, "key * always goes back"),
        ("1: message", "1: [message]", 11, "a key leads to the name of a step"),
        ("    way_out: message\n", "", 7, '"way_out" is missing'),
        ("    full: bye\n", "", 13, '"full" is missing'),
        ("way_out: message", "way_out: menu", 7, 'a caller who does nothing comes back to step "menu" for ever'),
        ("  bye:", "  lost: {kind: goto, next: bye}\n  bye:", 17, 'no way leads to step "lost"'),
        ("kind: hang_up", "kind: goto\n    next: menu", 17, "can never end"),
        ("  bye:", "  Bye!: {kind: goto, next: bye}\n  bye:", 17, '"Bye!" cannot name a step'),
        ("mon-fri:", "mon-fry:", 5, '"fry" is no day of the week (did you mean "fri"?)'),
        ("mon-fri:", 'tue: []\n    mon-fri:', 6, "tue stands twice"),
        ("09:00-12:00", "9-12", 5, '"9-12" is no period'),
        ("09:00-12:00", "09:00-25:00", 5, "a time that no day has"),
        ("09:00-12:00", "12:00-09:00", 5, "ends before it begins"),
        ('["09:00-12:00"]', '["09:00-12:00", "11:00-13:00"]', 5, "overlap"),
        ("steps:", "  holidays: [2026-02-30]\nsteps:", 6, '"2026-02-30" cannot be read'),
        ("steps:", "  holidays: [13-01]\nsteps:", 6, '"13-01" is no day'),
        ("steps:", "  holidays: [2026-02-03 to 2026-02-01]\nsteps:", 6, "ends before it begins"),
        ("steps:", "  holidays: [2026-02-03 to 03-01]\nsteps:", 6, "a year on one side only"),
        ("steps:", "  working_days: [01-02]\nsteps:", 6, "needs its year"),
        ("steps:", "  working_days: [{date: 2026-01-02, as: fry}]\nsteps:", 6, "day of the week"),
        ("steps:", "  working_days: [2026-01-02, 2026-01-02]\nsteps:", 6, "stands twice"),
        ("steps:", "  closures: [{from: 2026-01-02, to: 2026-01-01}]\nsteps:", 6, "ends before it begins"),
        ("steps:", "  closures: [{from: 2026-01-02}]\nsteps:", 6, "needs from and to"),
        ("steps:", "  time_zone: Asia/Peking\nsteps:", 6, 'no time zone is called "Asia/Peking"'),
        ("steps:", "  holiday: []\nsteps:", 6, 'unknown key "holiday" (did you mean "holidays"?)'),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_line(old: str, new: str, line: int, text: str) -> None:
    place = f"f.yaml:{line}: " if line else "f.yaml"
    problems = problems_of(changed(old, new))
    assert any(problem.startswith(place) and text in problem for problem in problems), problems


def test_one_mistake_is_told_once_and_drags_no_others_along() -> None:
    assert problems_of(changed("kind: menu", "kind: faq")) == ['f.yaml:8: this version has no step kind "faq"']


def test_all_mistakes_are_told_at_once_in_file_order() -> None:
    text = changed("start: menu", "start: men")
    text = changed("mon-fri", "monday", text)
    text = changed("1: message", "x: message", text)
    text = changed("next: bye", "next: by", text)
    assert [re.match(r"f.yaml:(\d+)", problem)[1] for problem in problems_of(text)] == ["2", "5", "11", "15"]  # type: ignore[index]


def test_mistakes_of_the_graph_are_told_beside_a_target_that_is_not_there() -> None:
    text = """\
start: a
steps:
  a: {kind: menu, prompt: p, keys: {"1": trap, "2": around, "3": byee}, way_out: bye}
  trap: {kind: goto, next: trap_2}
  trap_2: {kind: goto, next: trap}
  around: {kind: say, prompt: p, next: choice}
  choice: {kind: branch, by: voice_room, room: around, full: bye}
  bye: {kind: hang_up}
"""
    assert problems_of(text) == [
        'f.yaml:3: there is no step "byee" (did you mean "bye"?)',
        'f.yaml:4: a call that reaches step "trap" can never end: no hang_up can follow',
        'f.yaml:5: a call that reaches step "trap_2" can never end: no hang_up can follow',
        'f.yaml:6: a caller who does nothing comes back to step "around" for ever',
        'f.yaml:7: a caller who does nothing comes back to step "choice" for ever',
    ]


def test_steps_apart_from_an_unread_exit_are_told_to_be_out_of_reach() -> None:
    text = """\
start: a
steps:
  a: {kind: hang_up}
  lost: {kind: goto, next: nowhere}
"""
    assert problems_of(text) == ['f.yaml:4: there is no step "nowhere"', 'f.yaml:4: no way leads to step "lost"']


@pytest.mark.parametrize(
    "broken",
    [
        "{kind: goto, next: by}",
        "{kind: goto, nxt: bye}",
        "{kind: record, next: end, full: end, bakc: bye}",
        "{kind: menu, prompt: p, way_out: end}",
        "{kind: menu, prompt: p, way_out: end, keys: {x: bye}}",
        "{kind: branch, by: opening_ours, open: bye, closed: bye}",
        "{kind: go_to, next: bye}",
        "[bye]",
    ],
)
def test_exit_that_cannot_be_read_may_lead_to_any_step(broken: str) -> None:
    told = problems_of(f"start: a\nsteps:\n  a: {broken}\n  bye: {{kind: hang_up}}\n  end: {{kind: hang_up}}\n")
    assert told
    assert not [problem for problem in told if "no way leads" in problem or "never end" in problem], told


def test_branch_by_hours_needs_hours() -> None:
    text = "start: b\nsteps:\n  b: {kind: branch, by: opening_hours, open: e, closed: e}\n  e: {kind: hang_up}\n"
    assert problems_of(text) == ['f.yaml:3: it asks for the opening hours, but the flow has no "hours"']


def test_branch_takes_the_open_way_where_the_time_is_unknown() -> None:
    assert load_flow("builtin:office").steps["opening"].exits[Outcome.UNKNOWN] == "greeting"


def test_silent_circle_through_say_goto_and_branch_is_refused() -> None:
    text = """\
start: a
steps:
  a: {kind: say, prompt: hello, next: b}
  b: {kind: goto, next: c}
  c: {kind: branch, by: voice_room, room: a, full: e}
  e: {kind: hang_up}
"""
    assert next(problem for problem in problems_of(text) if "for ever" in problem).startswith("f.yaml:3")


def test_missing_prompts_are_told_for_each_language() -> None:
    everything = set(re.findall(r"[a-z_0-9]+", OFFICE + " fault_exit time_limit"))
    problems = problems_of(SMALL, prompts={"zh": everything | {"mein_menu"}, "en": everything - {"main_menu"}})
    assert any('f.yaml:7: prompt "main_menu" is missing in en' in problem for problem in problems)
    assert not any('"main_menu" is missing in zh' in problem for problem in problems)
    assert any('"message_review" is missing in zh' in problem for problem in problems)


@pytest.mark.parametrize("reference", ["builtin:offise", "builtin:../office", "/no/such/file.yaml", "bad\0name"])
def test_flow_that_is_not_there_is_a_configuration_error(reference: str) -> None:
    with pytest.raises(ConfigurationError):
        load_flow(reference)


def test_file_that_is_no_text_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError):
        load_flow(str(tmp_path / "flow.yaml"))


def flow_or_configuration_error(text: str) -> None:
    try:
        flow = parse_flow("f.yaml", text, {"zh": ["greeting"], "en": []} if len(text) % 2 else None)
    except ConfigurationError as error:
        told = str(error)
    else:
        told = flow.steps[flow.start].name
    assert told


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300) | st.text("{}[]:-,#&*!|>'\"%@`? \n09azABtruefalsnul~.xe+_\\", max_size=120))
def test_any_text_gives_a_flow_or_a_configuration_error(text: str) -> None:
    flow_or_configuration_error(text)


lines = st.lists(st.tuples(st.integers(0, 90), st.sampled_from(["drop", "double", "swap", "indent", "text"]), st.text(max_size=8)), max_size=6)  # fmt: skip  # noqa: E501


@settings(deadline=None, max_examples=150)
@given(lines)
def test_flow_with_mangled_lines_gives_a_flow_or_a_configuration_error(edits: list[tuple[int, str, str]]) -> None:
    text = OFFICE.splitlines()
    for at, edit, extra in edits:
        at %= len(text)
        other = (at * 7 + 3) % len(text)
        if edit == "swap":
            text[at], text[other] = text[other], text[at]
        else:
            text[at : at + 1] = {
                "drop": [],
                "double": [text[at]] * 2,
                "indent": ["  " + text[at]],
                "text": [text[at] + extra],
            }[edit]
    flow_or_configuration_error("\n".join(text))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(child, (*path, key))
    return found


TREE = yaml.safe_load(OFFICE)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | st.dates()
    | st.sampled_from(["goodbye", "main_menu", "menu", "say", "branch", "voice_room", "1", "*", "09:00-10:00"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5) | st.integers(0, 12), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@settings(deadline=None, max_examples=250)
@given(st.lists(st.tuples(st.sampled_from(places(TREE)), values), min_size=1, max_size=4))
def test_flow_with_changed_values_gives_a_flow_or_a_configuration_error(
    edits: list[tuple[tuple[Any, ...], Any]],
) -> None:
    tree = copy.deepcopy(TREE)
    for path, value in edits:
        node = tree
        try:
            for step in path[:-1]:
                node = node[step]
            node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier edit took this place away
    flow_or_configuration_error(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))


def test_a_key_that_stands_twice_hides_no_other_mistake() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_flow("f", "start: a\nsteps:\n  a: {kind: say, kind: say, prompt: greeting, nxt: b}\n")
    told = [problem.text for problem in caught.value.problems]
    assert '"kind" stands twice' in told
    assert any("nxt" in text for text in told)
