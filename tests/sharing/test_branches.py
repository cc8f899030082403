"""Contacts, lists and flows of one company at two appliances and their collector, with everything real."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from collector.service import Collector
from collector.sharing.editing import list_conflicts, list_items, list_refusals, remove_item, set_item
from firmware.audio.own_versions import own_folder, versions
from firmware.ports import Change, News
from firmware.services.shared_configuration import with_shared
from firmware.services.shared_flow import chosen_flow, flow_file
from tests.sharing.appliances import Appliance

KEY = "+8613800138000"
FLOW = "name: Ours\nstart: bye\nsteps:\n  bye: {kind: hang_up}\n"


async def both_meet(*appliances: Appliance) -> None:
    """The network is there for long enough."""
    for _ in range(2):
        for one in appliances:
            await one.fetch()
            await one.send()
    for one in appliances:
        await one.fetch()


async def test_what_one_branch_writes_the_other_has(front: Appliance, back: Appliance) -> None:
    await front.store.edit("contact", KEY, {"name": "Li Wei"})
    assert await front.shared("contact") == {KEY: {"name": "Li Wei"}}
    await both_meet(front, back)
    assert await back.shared("contact") == {KEY: {"name": "Li Wei"}}
    await back.store.edit("contact", KEY, None)
    await both_meet(front, back)
    assert await front.shared("contact") == {}


async def test_branches_that_change_different_fields_offline_both_have_their_way(
    front: Appliance, back: Appliance
) -> None:
    await front.store.edit("contact", KEY, {"name": "Li"})
    await both_meet(front, back)
    await front.store.edit("contact", KEY, {"name": "Li Wei"})
    await back.store.edit("contact", KEY, {"name": "Li", "note": "vip"})
    await both_meet(front, back)
    assert await front.shared("contact") == await back.shared("contact") == {KEY: {"name": "Li Wei", "note": "vip"}}


async def test_the_later_of_two_edits_of_one_field_is_kept_for_people_and_gets_the_winner(
    front: Appliance, back: Appliance, collector: Collector
) -> None:
    await front.store.edit("contact", KEY, {"name": "Li"})
    await both_meet(front, back)
    await front.store.edit("contact", KEY, {"name": "first"})
    await back.store.edit("contact", KEY, {"name": "second"})
    await both_meet(front, back)
    assert await front.shared("contact") == await back.shared("contact") == {KEY: {"name": "first"}}
    (conflict,) = await list_conflicts(collector.database, "Acme")
    assert (conflict["wanted"], conflict["appliance"]) == ("second", "back")


async def test_an_edit_that_was_taken_back_arrives_as_well(front: Appliance, back: Appliance) -> None:
    await front.store.edit("contact", KEY, {"name": "Li"})
    await both_meet(front, back)
    await front.store.edit("contact", KEY, {"name": "Wrong"})
    await front.send()
    await front.store.edit("contact", KEY, {"name": "Li"})
    await both_meet(front, back)
    assert await front.shared("contact") == await back.shared("contact") == {KEY: {"name": "Li"}}


@pytest.mark.parametrize("seed", range(4))
async def test_random_edits_over_a_broken_network_end_alike_everywhere(
    front: Appliance, back: Appliance, collector: Collector, seed: int
) -> None:
    chance = random.Random(seed)
    keys = [f"+86138001380{number:02d}" for number in range(3)]
    for _ in range(40):
        one = chance.choice((front, back))
        match chance.choice(("edit", "edit", "remove", "send", "lose", "fetch", "collector")):
            case "edit":
                key, name = chance.choice(keys), chance.choice(("name", "note"))
                fields = (await one.shared("contact")).get(key, {})
                await one.store.edit("contact", key, {**fields, name: chance.choice("xyz")})
            case "remove" if there := await one.shared("contact"):
                await one.store.edit("contact", chance.choice(sorted(there)), None)
            case "send":
                await one.send()
            case "lose":
                await one.send(lose_answer=True)
            case "fetch":
                await one.fetch()
            case "collector":
                await set_item(
                    collector.database, "Acme", "contact", chance.choice(keys), {"name": chance.choice("xy")}
                )
    await both_meet(front, back)
    there = {item["key"]: item["body"] for item in await list_items(collector.database, "Acme", "contact")}
    assert await front.shared("contact") == await back.shared("contact") == there


async def test_a_flow_of_the_company_takes_the_place_of_the_built_in_one(
    front: Appliance, collector: Collector
) -> None:
    settings = front.settings.model_copy(update={"flow": "shared:office"})
    assert chosen_flow(settings, {}).name != "Ours"
    await set_item(collector.database, "Acme", "flow", "office", {"text": FLOW})
    await front.fetch()
    assert chosen_flow(settings, {}).name == "Ours"


async def test_a_broken_flow_is_refused_with_the_loaders_words_and_the_last_good_one_stays(
    front: Appliance, collector: Collector
) -> None:
    await set_item(collector.database, "Acme", "flow", "office", {"text": FLOW})
    await front.fetch()
    await set_item(collector.database, "Acme", "flow", "office", {"text": FLOW.replace("hang_up", "hang_on")})
    await set_item(collector.database, "Acme", "contact", KEY, {"name": "behind it"})
    await front.fetch()
    (refusal,) = await list_refusals(collector.database, "Acme", "flow", "office")
    assert "hang_up" in refusal["reason"]
    assert flow_file(front.settings.data_dir, "office").read_text() == FLOW
    assert await front.shared("contact") == {KEY: {"name": "behind it"}}


async def test_a_flow_that_was_removed_is_removed_here(front: Appliance, collector: Collector) -> None:
    await set_item(collector.database, "Acme", "flow", "office", {"text": FLOW})
    await front.fetch()
    await remove_item(collector.database, "Acme", "flow", "office")
    await front.fetch()
    assert not flow_file(front.settings.data_dir, "office").exists()


async def test_a_setting_of_the_company_goes_before_the_file_until_it_is_removed(
    front: Appliance, collector: Collector
) -> None:
    await set_item(collector.database, "Acme", "configuration", "rings", {"value": 4})
    await set_item(collector.database, "Acme", "configuration", "calls.no_input_seconds", {"value": 7})
    await front.fetch()
    assert (with_shared(front.settings).rings, with_shared(front.settings).calls.no_input_seconds) == (4, 7.0)
    await remove_item(collector.database, "Acme", "configuration", "rings")
    await front.fetch()
    assert with_shared(front.settings).rings == front.settings.rings


async def test_a_setting_out_of_its_range_is_refused_and_changes_nothing(
    front: Appliance, collector: Collector
) -> None:
    await set_item(collector.database, "Acme", "configuration", "rings", {"value": 99})
    await front.fetch()
    (refusal,) = await list_refusals(collector.database, "Acme", "configuration", "rings")
    assert "rings" in refusal["reason"]
    assert with_shared(front.settings) == front.settings


async def test_a_prompt_of_the_company_becomes_the_next_version_and_goes_with_it(
    front: Appliance, collector: Collector
) -> None:
    sound = (Path(__file__).parents[2] / "voice-prompts" / "en" / "goodbye.wav").read_bytes()
    await set_item(collector.database, "Acme", "prompt", "en/goodbye", {"voice": "Ann"}, sound)
    await front.fetch()
    (version,) = versions(own_folder(front.settings.data_dir), ("en", "goodbye"))
    assert not version.withdrawn
    await remove_item(collector.database, "Acme", "prompt", "en/goodbye")
    await front.fetch()
    assert all(one.withdrawn for one in versions(own_folder(front.settings.data_dir), ("en", "goodbye")))


async def test_a_sound_that_is_none_is_refused_with_what_to_do(front: Appliance, collector: Collector) -> None:
    await set_item(collector.database, "Acme", "prompt", "en/goodbye", {"voice": "Ann"}, b"no sound at all")
    await front.fetch()
    (refusal,) = await list_refusals(collector.database, "Acme", "prompt", "en/goodbye")
    assert "decoded" in refusal["reason"]
    assert not versions(own_folder(front.settings.data_dir), ("en", "goodbye"))


async def test_who_is_enrolled_anew_hears_everything_anew(front: Appliance, back: Appliance) -> None:
    await back.store.edit("contact", KEY, {"name": "Li"})
    await both_meet(front, back)
    # Numbers of another company, or of another collector, may be lower than what was heard before.
    await front.store.take(Change(900, "contact", KEY, 900, {"name": "Wang"}))
    await front.store.keep(News([], 900))
    await front.fetch()
    assert await front.shared("contact") == {KEY: {"name": "Wang"}}
    await front.store.start_again()
    await front.fetch()
    assert await front.shared("contact") == {KEY: {"name": "Li"}}
