"""The rule for edits of shared items (docs/sharing.md). Pure.

The collector puts edits in one order, and every item counts its versions by that order. An edit says on which version
it was made, and which fields it touched. A field that somebody else changed after that version keeps its newer value;
what the edit wanted of it is kept for people to see. Every other field is taken. So two branches that change different
fields both have their way, and of two that change the same one the first to arrive does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REMOVAL = "removed"
"""The field under which a removal that lost is kept."""
WHOLE = "whole"
"""The field under which an edit of an item that was removed meanwhile is kept."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Touch:
    """The last change of one field: at which version of the item, and who made it (an appliance, or the collector)."""

    version: int
    by: str


@dataclass(frozen=True, slots=True)
class Item:
    """A shared item. `fields` None says that it was removed at `removed`."""

    version: int
    fields: Fields | None
    touches: Mapping[str, Touch] = field(default_factory=dict)
    removed: Touch | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody made of an item. `fields` is all of it afterwards, None a removal; `touched` is what changed."""

    by: str
    base_version: int
    """The version it was made on; 0 where the item was new to whoever made it."""
    fields: Fields | None
    touched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The item afterwards, and what was not taken, by field."""

    item: Item | None
    lost: Fields = field(default_factory=dict)


def decide(item: Item | None, edit: Edit, version: int) -> Verdict:
    """What becomes of an item by an edit; `version` is the item's next one, and is used in any case.

    Whoever made the edit so always gets a newer version than the one it was made on: the winner.
    """
    if item is None:
        return _of_nothing(edit, version)
    if item.fields is None:
        return _of_removed(item, edit, version)
    if edit.fields is None:
        return _removal(item, edit, version)
    return _merge(item, item.fields, edit, edit.fields, version)


def _of_nothing(edit: Edit, version: int) -> Verdict:
    # An item that was there once and is unknown now was erased, with all that told of it: nothing may bring it back.
    if edit.fields is None or edit.base_version > 0:
        return Verdict(None)
    return Verdict(_made(edit, edit.fields, version))


def _of_removed(item: Item, edit: Edit, version: int) -> Verdict:
    if edit.fields is None:
        return Verdict(_again(item, version))
    if _newer(item.removed, edit):
        return Verdict(_again(item, version), {WHOLE: dict(edit.fields)})
    return Verdict(_made(edit, edit.fields, version))


def _removal(item: Item, edit: Edit, version: int) -> Verdict:
    if any(_newer(touch, edit) for touch in item.touches.values()):
        return Verdict(_again(item, version), {REMOVAL: True})
    return Verdict(Item(version, None, {}, Touch(version, edit.by)))


def _merge(item: Item, now: Fields, edit: Edit, wanted: Fields, version: int) -> Verdict:
    fields, touches, lost = dict(now), dict(item.touches), {}
    for name in sorted(edit.touched):
        if fields.get(name) == wanted.get(name):
            continue
        if _newer(touches.get(name), edit):
            lost[name] = wanted.get(name)
            continue
        touches[name] = Touch(version, edit.by)
        if wanted.get(name) is None:
            fields.pop(name, None)
        else:
            fields[name] = wanted[name]
    return Verdict(Item(version, fields, touches), lost)


def _made(edit: Edit, fields: Fields, version: int) -> Item:
    kept = {name: value for name, value in fields.items() if value is not None}
    return Item(version, kept, {name: Touch(version, edit.by) for name in {*kept, *edit.touched}})


def _again(item: Item, version: int) -> Item:
    return Item(version, item.fields, item.touches, item.removed)


def _newer(touch: Touch | None, edit: Edit) -> bool:
    """Whether somebody else changed it after the edit's base; one's own changes follow each other."""
    return touch is not None and touch.version > edit.base_version and touch.by != edit.by
