"""What one company's appliances share, in a real PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from collector.database import Database
from collector.errors import Malformed, NotFound
from collector.sharing.down import MOST_CHANGES, Acknowledged, DownChannel
from collector.sharing.editing import list_conflicts, list_items, list_refusals, remove_item, set_item
from tests.collector.sharing.branches import branch, contact_edit, deliver

KEY = "+8613800138000"


@pytest.fixture
def down(database: Database) -> DownChannel:
    return DownChannel(database)


async def news(down: DownChannel, device: uuid.UUID, after: int = 0) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = (await down.changes(device, after))["changes"]
    return changes


async def test_what_is_set_reaches_every_appliance_of_the_company_and_no_other(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    other, foreign = await branch(database, "back"), await branch(database, "theirs", "Other")
    version = await set_item(database, "Acme", "contact", KEY, {"name": "Li Wei"})
    for one in (device, other):
        (change,) = await news(down, one)
        assert (change["key"], change["version"], change["body"]) == (KEY, version, {"name": "Li Wei"})
    assert await news(down, foreign) == []
    assert await down.latest(device) == version
    assert await down.latest(foreign) == 0


async def test_only_what_is_newer_comes_and_each_item_once(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    first = await set_item(database, "Acme", "contact", KEY, {"name": "Li"})
    await set_item(database, "Acme", "blocked", "anonymous", {"reason": "asked"})
    last = await set_item(database, "Acme", "contact", KEY, {"note": "vip"})
    assert [(one["kind"], one["body"]) for one in await news(down, device, first)] == [
        ("blocked", {"reason": "asked"}),
        ("contact", {"name": "Li", "note": "vip"}),
    ]
    assert (await down.changes(device, last)) == {"changes": [], "down": last}


async def test_many_changes_come_in_bounded_answers_and_none_is_left_out(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    for number in range(MOST_CHANGES + 20):
        await set_item(database, "Acme", "contact", f"+86{number:011d}", {"name": "Li"})
    for name in ("one", "two", "three", "four", "five"):
        await set_item(database, "Acme", "flow", name, {"text": "x" * 45_000})
    seen, after = [], 0
    while answer := await down.changes(device, after):
        if not answer["changes"]:
            break
        assert answer["down"] == answer["changes"][-1]["change"] or answer["down"] == await down.latest(device)
        seen += [one["change"] for one in answer["changes"]]
        after = answer["down"]
    assert seen == sorted(set(seen))
    assert len(seen) == MOST_CHANGES + 25


async def test_an_edit_of_a_branch_comes_to_the_others_and_back_to_itself(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    other = await branch(database, "back")
    await deliver(database, device, contact_edit(KEY, 0, name="Li"), uuid.uuid4())
    for one in (device, other):
        assert [change["body"] for change in await news(down, one)] == [{"name": "Li"}]


async def test_of_two_edits_of_one_field_the_second_is_kept_for_people(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    other = await branch(database, "back")
    base = await set_item(database, "Acme", "contact", KEY, {"name": "Li"})
    await deliver(database, device, contact_edit(KEY, base, name="Li Wei", note="vip"), uuid.uuid4())
    await deliver(database, other, contact_edit(KEY, base, name="Li Wen", organisation="Acme"), uuid.uuid4())
    (change,) = await news(down, other, base)
    assert change["body"] == {"name": "Li Wei", "note": "vip", "organisation": "Acme"}
    (conflict,) = await list_conflicts(database, "Acme")
    assert (conflict["field"], conflict["wanted"], conflict["there"]) == ("name", "Li Wen", "Li Wei")
    assert conflict["appliance"] == "back"


async def test_the_same_edit_delivered_again_changes_nothing(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    record = uuid.uuid4()
    await deliver(database, device, contact_edit(KEY, 0, name="Li"), record)
    before = await news(down, device)
    await deliver(database, device, contact_edit(KEY, 0, name="Li"), record)
    (after,) = await news(down, device)
    assert after["body"] == before[0]["body"]
    assert await list_conflicts(database, None) == []


async def test_two_copies_that_settle_at_once_decide_each_edit_once(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    for number in range(40):
        await deliver(database, device, contact_edit(f"+861{number:010d}", 0, name="Li"), uuid.uuid4())
    await asyncio.gather(*(down.latest(device) for _ in range(6)))
    items = await list_items(database, "Acme", "contact")
    assert len({item["version"] for item in items}) == len(items) == 40


async def test_what_an_edit_says_does_not_stay_with_its_record(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    await deliver(database, device, contact_edit(KEY, 0, name="Li"), uuid.uuid4())
    await down.latest(device)
    assert await database.rows("SELECT body FROM record WHERE kind = 'shared'") == [{"body": None}]
    assert await database.rows("SELECT FROM shared_edit") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "flow", "key": "office", "base_version": 0, "body": {"text": "x"}, "touched": ["text"]},
        {**contact_edit(KEY, 0, name="Li"), "base_version": "0"},
        {**contact_edit(KEY, 0, name="Li"), "touched": [["name"]]},
        {**contact_edit("not a number", 0, name="Li")},
        {"erase": True, "item": "nonsense"},
        {"erase": True, "item": str(uuid.uuid4())},
    ],
)
async def test_a_bad_edit_changes_nothing_and_holds_up_none_behind_it(
    database: Database, down: DownChannel, device: uuid.UUID, body: dict[str, Any]
) -> None:
    await deliver(database, device, body, uuid.uuid4())
    await deliver(database, device, contact_edit(KEY, 0, name="Li"), uuid.uuid4())
    assert [change["key"] for change in await news(down, device)] == [KEY]


async def test_a_removed_item_comes_as_nothing(database: Database, down: DownChannel, device: uuid.UUID) -> None:
    await set_item(database, "Acme", "contact", KEY, {"name": "Li"})
    await remove_item(database, "Acme", "contact", KEY)
    assert [(change["key"], change["body"]) for change in await news(down, device)] == [(KEY, None)]


async def test_a_branch_erases_nothing_that_it_may_not_edit(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    await set_item(database, "Acme", "flow", "office", {"text": "start: {}"})
    (change,) = await news(down, device)
    await deliver(database, device, {"erase": True, "item": change["item"]}, uuid.uuid4())
    assert await news(down, device, change["change"]) == []
    assert [item["key"] for item in await list_items(database, "Acme", None)] == ["office"]


async def test_a_branch_erases_an_item_without_saying_who_it_was(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    other = await branch(database, "back")
    await set_item(database, "Acme", "contact", KEY, {"name": "Li"})
    (change,) = await news(down, other)
    await deliver(database, device, {"erase": True, "item": change["item"]}, uuid.uuid4())
    (erased,) = await news(down, other, change["change"])
    assert (erased["key"], erased["body"]) == (f"erased/{change['item']}", None)
    found = await database.rows("SELECT shared_item::text AS row FROM shared_item")
    assert KEY not in str(found)


async def test_a_refusal_is_told_to_people_until_a_later_version_comes(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    version = await set_item(database, "Acme", "flow", "office", {"text": "broken"})
    await down.acknowledge(device, [Acknowledged(version, False, "line 1: a flow is needed")])
    (refusal,) = await list_refusals(database, "Acme", "flow", "office")
    assert (refusal["appliance"], refusal["reason"]) == ("front desk", "line 1: a flow is needed")
    version = await set_item(database, "Acme", "flow", "office", {"text": "better"})
    await down.acknowledge(device, [Acknowledged(version, True)])
    assert await list_refusals(database, "Acme", "flow", "office") == []


async def test_a_prompt_comes_in_parts_to_its_company_only(
    database: Database, down: DownChannel, device: uuid.UUID
) -> None:
    foreign = await branch(database, "theirs", "Other")
    sound = bytes(range(256)) * 10
    await set_item(database, "Acme", "prompt", "en/greeting", {"voice": "Ann"}, sound)
    (change,) = await news(down, device)
    sha256 = change["blob"]["sha256"]
    assert change["blob"]["bytes"] == len(sound)
    parts = [await down.file(device, sha256, offset, 1000) for offset in range(0, len(sound), 1000)]
    assert b"".join(parts) == sound
    with pytest.raises(NotFound):
        await down.file(foreign, sha256, 0, 1000)


async def test_an_unknown_appliance_is_told_nothing(down: DownChannel) -> None:
    with pytest.raises(NotFound):
        await down.latest(uuid.uuid4())
    with pytest.raises(NotFound):
        await down.changes(uuid.uuid4(), 0)


@pytest.mark.parametrize(
    ("kind", "key", "fields"),
    [
        ("contact", "Li", {"name": "Li"}),
        ("contact", KEY, {"nickname": "Li"}),
        ("contact", KEY, {"name": "L" * 101}),
        ("prompt", "en/greeting", {"voice": "Ann"}),
        ("configuration", "data_dir", {"value": 1}),
        ("spell", "a", {}),
    ],
)
async def test_what_is_no_good_entry_is_refused_in_a_sentence(
    database: Database, device: uuid.UUID, kind: str, key: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(Malformed, match=" "):
        await set_item(database, "Acme", kind, key, fields)
