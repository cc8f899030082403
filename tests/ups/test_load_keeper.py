"""Loads: off all at once, back one by one, whatever their switches do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware.events import LoadSwitched
from firmware.ups.load_keeper import LoadKeeper
from firmware.ups.load_worker import LoadTimes
from tests.ups.fake_loads import FakeLoad

pytestmark = pytest.mark.fast_time


class Office:
    """Four loads in two tiers, and everything that was told of them."""

    def __init__(self) -> None:
        self.log: list[tuple[float, str, str]] = []
        self.told: list[LoadSwitched] = []
        self.web = FakeLoad("web", self.log)
        self.speech = FakeLoad("speech", self.log)
        self.display = FakeLoad("display", self.log)
        self.sync = FakeLoad("sync", self.log)
        loads = [(self.web, 2), (self.speech, 1), (self.display, 1), (self.sync, 2)]
        self.keeper = LoadKeeper(loads, self.told.append, LoadTimes())

    def order(self) -> list[str]:
        return [f"{name} {what}" for _, name, what in self.log]

    def faults_of(self, load: FakeLoad) -> list[str]:
        return [news.fault for news in self.told if news.load == load.name and news.fault]

    async def shed_all(self) -> None:
        self.keeper.shed_to(3)
        await self.keeper.settled()
        self.log.clear()
        self.told.clear()


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    yield office
    await office.keeper.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_tier_is_shed_at_once_and_the_next_one_left_alone(office: Office) -> None:
    office.keeper.shed_to(1)
    await office.keeper.settled()
    assert office.log == [(0.0, "speech", "shed"), (0.0, "display", "shed")]
    assert office.told == [LoadSwitched("speech", True), LoadSwitched("display", True)]


async def test_a_slow_load_and_a_failing_one_delay_no_other(office: Office) -> None:
    office.speech.shed_seconds, office.display.failures = 20.0, 3
    office.keeper.shed_to(2)
    await asyncio.sleep(0.5)
    assert office.order() == ["web shed", "sync shed"]
    await office.keeper.settled()
    assert office.speech.off
    assert office.display.off


async def test_a_failing_load_is_told_once_and_tried_ever_more_rarely_until_it_is_off(office: Office) -> None:
    office.display.failures = 4
    office.keeper.shed_to(1)
    await office.keeper.settled()
    assert office.display.tries == [0.0, 2.0, 6.0, 14.0, 30.0]
    assert [news for news in office.told if news.load == "display"] == [
        LoadSwitched("display", True, "display did not switch"),
        LoadSwitched("display", True),
    ]


async def test_a_load_in_use_is_shed_once_it_is_free_and_is_no_fault(office: Office) -> None:
    office.web.busy_until = 61.0
    office.keeper.shed_to(2)
    await office.keeper.settled()
    assert office.log[-1] == (62.0, "web", "shed")
    assert office.faults_of(office.web) == []


async def test_a_load_in_use_until_mains_is_back_is_never_switched(office: Office) -> None:
    office.web.busy_until = 500.0
    office.keeper.shed_to(2)
    await asyncio.sleep(100)
    office.keeper.restore()
    await office.keeper.settled()
    await asyncio.sleep(1000)
    assert "web shed" not in office.order()
    assert office.web.tries[-1] < 110.0


async def test_a_switch_that_hangs_is_told_and_tried_again(office: Office) -> None:
    office.speech.shed_seconds = 10_000.0
    office.keeper.shed_to(1)
    await asyncio.sleep(LoadTimes().longest_switching + 1)
    assert office.faults_of(office.speech) == ["speech does not obey; look at its switch and its wiring"]
    office.speech.shed_seconds = 0.0
    await office.keeper.settled()
    assert office.speech.off


async def test_a_bug_in_a_switch_is_told_and_harms_no_other(office: Office) -> None:
    office.speech.bug = ZeroDivisionError("oops")
    office.keeper.shed_to(1)
    await asyncio.sleep(1)
    assert office.display.off
    assert "broke down (ZeroDivisionError('oops'))" in office.faults_of(office.speech)[0]
    office.keeper.restore()
    await asyncio.sleep(60)
    assert not office.display.off


async def test_loads_come_back_one_by_one_the_last_tier_first(office: Office) -> None:
    await office.shed_all()
    began = now()
    office.keeper.restore()
    await office.keeper.settled()
    assert [(at - began, name) for at, name, _ in office.log] == [
        (0.0, "sync"),
        (2.0, "web"),
        (4.0, "display"),
        (6.0, "speech"),
    ]


async def test_the_next_load_waits_until_the_one_before_works(office: Office) -> None:
    await office.shed_all()
    began = now()
    office.sync.works_after_seconds = 7.0
    office.keeper.restore()
    await office.keeper.settled()
    assert office.log[1] == (began + 9.0, "web", "restored")


async def test_a_load_that_does_not_come_back_is_told_and_the_others_are_not_kept_waiting(office: Office) -> None:
    await office.shed_all()
    began = now()
    office.sync.works_after_seconds = 1e9
    office.keeper.restore()
    await asyncio.sleep(60)
    assert office.order()[:4] == ["sync restored", "web restored", "display restored", "speech restored"]
    assert office.faults_of(office.sync) == ["sync was switched on but does not work after 30 s; look at it"]
    office.sync.works_after_seconds = 0.0
    await office.keeper.settled()
    assert office.told[-1] == LoadSwitched("sync", False)
    assert len(office.sync.tries) <= 4, "it is tried ever more rarely"
    assert now() - began < 300


async def test_a_new_outage_stops_the_restore_at_once(office: Office) -> None:
    await office.shed_all()
    office.keeper.restore()
    await asyncio.sleep(3.0)  # sync and web are back, display and speech are not
    office.keeper.shed_to(1)
    await office.keeper.settled()
    await asyncio.sleep(1000)
    assert office.order() == ["sync restored", "web restored"]
    assert (office.display.off, office.speech.off) == (True, True)


async def test_a_load_caught_on_its_way_back_is_shed_again(office: Office) -> None:
    await office.shed_all()
    office.sync.restore_seconds, office.sync.letting_go_seconds = 10.0, 1.0
    office.keeper.restore()
    await asyncio.sleep(5.0)
    office.keeper.shed_to(2)
    await office.keeper.settled()
    assert all(load.off for load in (office.web, office.speech, office.display, office.sync))
    assert all(load.most_at_once == 1 for load in (office.web, office.speech, office.display, office.sync))


async def test_at_the_start_loads_that_are_on_are_looked_at_and_not_switched(office: Office) -> None:
    office.web.off = True
    office.keeper.restore()
    await office.keeper.settled()
    assert office.order() == ["web restored"]
    assert {news.load for news in office.told} == {"web", "speech", "display", "sync"}


async def test_what_forgot_that_it_was_shed_is_shed_again(office: Office) -> None:
    office.keeper.shed_to(1)
    await office.keeper.settled()
    office.speech.off = False
    await office.keeper.assert_wanted()
    await office.keeper.settled()
    assert office.speech.off
    assert office.order() == ["speech shed", "display shed", "speech shed"]


async def test_what_went_off_by_itself_is_brought_back(office: Office) -> None:
    office.keeper.restore()
    await office.keeper.settled()
    office.web.off = True
    await office.keeper.assert_wanted()
    await office.keeper.settled()
    assert office.order() == ["web restored"]


async def test_nothing_is_asserted_before_anything_was_asked(office: Office) -> None:
    office.web.off = True
    await office.keeper.assert_wanted()
    await office.keeper.settled()
    assert office.log == []


async def test_a_load_that_cannot_be_looked_at_is_told_once_and_left_alone(office: Office) -> None:
    office.keeper.shed_to(1)
    await office.keeper.settled()
    office.speech.looks_fail = True
    for _ in range(3):
        await office.keeper.assert_wanted()
    assert office.faults_of(office.speech) == ["speech cannot be looked at"]
    office.speech.looks_fail = False
    await office.keeper.assert_wanted()
    assert office.told[-1] == LoadSwitched("speech", True)
    assert office.order() == ["speech shed", "display shed"]


async def test_asserting_while_a_load_is_being_switched_leaves_it_alone(office: Office) -> None:
    office.speech.shed_seconds = 5.0
    office.keeper.shed_to(1)
    await asyncio.sleep(1.0)
    await office.keeper.assert_wanted()
    await office.keeper.settled()
    assert office.order().count("speech shed") == 1


async def test_shedding_twice_switches_once(office: Office) -> None:
    office.keeper.shed_to(1)
    office.keeper.shed_to(1)
    await office.keeper.settled()
    office.keeper.shed_to(2)
    await office.keeper.settled()
    assert sorted(office.order()) == ["display shed", "speech shed", "sync shed", "web shed"]


async def test_closing_in_the_midst_leaves_nothing_running(office: Office) -> None:
    office.speech.shed_seconds = 10_000.0
    office.keeper.shed_to(2)
    await asyncio.sleep(1)
    await office.keeper.close()
    assert len(asyncio.all_tasks()) == 1


async def test_an_outage_right_after_a_return_sheds_what_was_on_its_way(office: Office) -> None:
    office.speech.shed_seconds = 5.0
    office.keeper.shed_to(1)
    await asyncio.sleep(1)
    office.keeper.restore()
    office.keeper.shed_to(1)
    await office.keeper.settled()
    assert office.speech.off
    assert office.display.off


async def test_what_is_wanted_may_change_while_loads_are_looked_at(office: Office) -> None:
    office.keeper.shed_to(1)
    await office.keeper.settled()
    office.speech.off, office.speech.look_seconds = False, 1.0
    asserting = asyncio.create_task(office.keeper.assert_wanted())
    await asyncio.sleep(0.5)
    office.keeper.restore()
    await asserting
    await office.keeper.settled()
    assert office.order().count("speech shed") == 1
    assert not office.speech.off


async def test_at_the_start_a_load_that_cannot_be_looked_at_is_switched_on_to_be_sure(office: Office) -> None:
    office.web.off = office.web.looks_fail = True
    office.keeper.restore()
    await asyncio.sleep(10)
    assert not office.web.off
    assert office.faults_of(office.web) == ["web cannot be looked at"]


async def test_a_switch_that_was_told_to_work_again_is_told_to_shed_again_however_far_it_came(office: Office) -> None:
    await office.shed_all()
    office.sync.works_after_seconds = 20.0  # it is on, and not found working yet
    office.keeper.restore()
    await asyncio.sleep(5.0)
    office.keeper.shed_to(2)
    await office.keeper.settled()
    assert office.order() == ["sync restored", "sync shed"]
    assert office.sync.off


@pytest.mark.parametrize("look_seconds", [0.5, 20.0, 1e6])
async def test_a_look_that_is_slow_or_hangs_delays_no_shedding(office: Office, look_seconds: float) -> None:
    office.keeper.restore()
    await office.keeper.settled()
    for load in (office.web, office.speech, office.display, office.sync):
        load.look_seconds = look_seconds
    office.told.clear()
    office.log.clear()
    looking = asyncio.create_task(office.keeper.assert_wanted())
    await asyncio.sleep(0.2)
    lost_at = now()
    office.keeper.shed_to(2)
    await office.keeper.settled()
    assert {when for when, _, _ in office.log} == {lost_at}
    assert [news.fault for news in office.told] == [None] * 4
    await looking
    assert [news.shed for news in office.told] == [True] * 4
