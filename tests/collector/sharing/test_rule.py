"""Edits of shared items: whatever is lost, doubled or late on the way, all ends hold the same at last."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.sharing.rule import REMOVAL, WHOLE, Edit, Item, Touch, decide


def contact(version: int = 3, **fields: Any) -> Item:
    return Item(version, fields, {name: Touch(version, "a") for name in fields})


def edit(by: str, base: int, **fields: Any) -> Edit:
    return Edit(by, base, fields, frozenset(fields))


def test_an_edit_of_the_current_version_is_taken() -> None:
    verdict = decide(contact(name="Li"), edit("b", 3, name="Li Wei"), 4)
    assert verdict.item == Item(4, {"name": "Li Wei"}, {"name": Touch(4, "b")})
    assert not verdict.lost


def test_an_edit_of_an_older_version_loses_the_field_and_is_kept() -> None:
    verdict = decide(contact(name="Li"), edit("b", 2, name="Wang"), 4)
    assert verdict.item
    assert (verdict.item.fields, verdict.lost) == ({"name": "Li"}, {"name": "Wang"})


def test_edits_of_different_fields_are_both_taken() -> None:
    verdict = decide(contact(name="Li"), edit("b", 2, note="vip"), 4)
    assert verdict.item
    assert (verdict.item.fields, verdict.lost) == ({"name": "Li", "note": "vip"}, {})


def test_the_same_word_twice_is_no_conflict() -> None:
    assert not decide(contact(name="Li"), edit("b", 2, name="Li"), 4).lost


def test_a_branch_follows_its_own_edits() -> None:
    assert not decide(contact(name="Li"), edit("a", 0, name="Li Wei"), 4).lost


def test_a_removal_loses_against_a_newer_edit() -> None:
    verdict = decide(contact(name="Li"), Edit("b", 2, None), 4)
    assert verdict.item
    assert (verdict.item.fields, verdict.lost) == ({"name": "Li"}, {REMOVAL: True})


def test_an_edit_of_what_was_removed_meanwhile_is_kept_as_a_whole() -> None:
    gone = decide(contact(name="Li"), Edit("a", 3, None), 4).item
    verdict = decide(gone, edit("b", 3, name="Wang"), 5)
    assert verdict.item
    assert (verdict.item.fields, verdict.lost) == (None, {WHOLE: {"name": "Wang"}})


def test_who_knows_of_the_removal_may_make_it_anew() -> None:
    gone = decide(contact(name="Li"), Edit("a", 3, None), 4).item
    verdict = decide(gone, edit("b", 4, name="Wang"), 5)
    assert verdict.item
    assert (verdict.item.fields, verdict.lost) == ({"name": "Wang"}, {})


def test_what_was_erased_does_not_come_back_by_a_late_edit() -> None:
    assert decide(None, edit("b", 3, name="Wang"), 5).item is None


@dataclass
class Branch:
    """What an appliance keeps of one item, and what waits in its outbox."""

    name: str
    base_version: int = 0
    base: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None
    edits: int = 0
    waiting: int = 0
    pointer: int = 0
    held: Item | None = None

    def edit(self, name: str, value: str | None) -> None:
        fields = dict(self.fields or {})
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
        self.fields = fields
        self._changed()

    def remove(self) -> None:
        self.fields = None
        self._changed()

    def _changed(self) -> None:
        self.edits += 1
        self.waiting = self.edits

    def to_send(self) -> Edit:
        names = {*(self.base or {}), *(self.fields or {})}
        touched = {n for n in names if (self.base or {}).get(n) != (self.fields or {}).get(n)}
        return Edit(self.name, self.base_version, self.fields, frozenset(touched))

    def take(self, item: Item) -> None:
        self.pointer = item.version
        self.held = item
        self.use_held()

    def use_held(self) -> None:
        if self.held and not self.waiting:
            self.base_version, fields = self.held.version, self.held.fields
            self.base = self.fields = None if fields is None else dict(fields)
            self.held = None

    def answered(self) -> None:
        self.waiting = 0
        self.use_held()


@dataclass
class Middle:
    """The collector: one item, and the last edit it has seen of each branch."""

    item: Item | None = None
    counter: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    lost: list[Any] = field(default_factory=list)

    def receive(self, number: int, edit: Edit) -> None:
        if self.seen.get(edit.by, 0) >= number:
            return
        self.seen[edit.by] = number
        self.counter += 1
        verdict = decide(self.item, edit, self.counter)
        self.item = verdict.item
        self.lost += verdict.lost.items()


BRANCHES = st.sampled_from((0, 1))


class TwoBranches(RuleBasedStateMachine):
    """Messages to the collector are lost, doubled and late; so are its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = [Branch("a"), Branch("b")]
        self.middle = Middle()
        self.on_the_way: list[tuple[int, Edit]] = []

    @rule(at=BRANCHES, name=st.sampled_from(("name", "note")), value=st.sampled_from(("x", "y", None)))
    def a_person_edits(self, at: int, name: str, value: str | None) -> None:
        self.branches[at].edit(name, value)

    @rule(at=BRANCHES)
    def a_person_removes(self, at: int) -> None:
        if self.branches[at].fields is not None:
            self.branches[at].remove()

    @rule(at=BRANCHES, arrives=st.booleans(), answered=st.booleans(), copies=st.integers(0, 1))
    def a_branch_sends(self, at: int, arrives: bool, answered: bool, copies: int) -> None:
        branch = self.branches[at]
        if not branch.waiting:
            return
        number, wanted = branch.edits, branch.to_send()
        self.on_the_way += [(number, wanted)] * copies
        if arrives:
            self.middle.receive(number, wanted)
            if answered:
                branch.answered()

    @rule()
    def a_late_copy_arrives(self) -> None:
        if self.on_the_way:
            self.middle.receive(*self.on_the_way.pop(0))

    @rule(at=BRANCHES)
    def a_branch_asks(self, at: int) -> None:
        branch, item = self.branches[at], self.middle.item
        if item and item.version > branch.pointer:
            branch.take(item)

    @invariant()
    def all_hold_the_same_once_the_network_is_back(self) -> None:
        branches, middle = [Branch(**vars(one)) for one in self.branches], Middle(**vars(self.middle))
        middle.seen, middle.lost = dict(middle.seen), []
        for number, late in self.on_the_way:
            middle.receive(number, late)
        for branch in branches:
            if branch.waiting:
                middle.receive(branch.edits, branch.to_send())
                branch.answered()
        for branch in branches:
            if middle.item and middle.item.version > branch.pointer:
                branch.take(middle.item)
        assert all(branch.fields == (middle.item.fields if middle.item else None) for branch in branches)


TestTwoBranches = TwoBranches.TestCase
TestTwoBranches.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)


@given(st.permutations([edit("a", 1, name="A"), edit("b", 1, note="B"), edit("c", 1, organisation="C")]))
def test_edits_of_different_fields_end_alike_in_every_order(edits: list[Edit]) -> None:
    item: Item | None = Item(1, {}, {})
    for version, one in zip(itertools.count(2), edits, strict=False):
        item = decide(item, one, version).item
    assert item
    assert item.fields == {"name": "A", "note": "B", "organisation": "C"}
