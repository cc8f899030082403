"""What is written down of an outage, and what has nothing to do with it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware.events import LoadSwitched
from firmware.services.power_story import PowerStory
from firmware.services.scribe import Scribe
from firmware.ups import decisions
from tests.services.test_surroundings import Log

pytestmark = pytest.mark.fast_time


class Told:
    def __init__(self) -> None:
        self.log, self.scribe = Log(), Scribe()
        self.story = PowerStory(self.log, self.scribe)

    async def notes(self) -> list[str]:
        assert await self.scribe.settled(1.0)
        return [words for what, place, words in self.log.told if (what, place) == ("note", "mains")]


@pytest_asyncio.fixture
async def told() -> AsyncIterator[Told]:
    told = Told()
    task = asyncio.create_task(told.scribe.run())
    yield told
    task.cancel()


async def test_a_load_that_is_mended_days_after_an_outage_is_no_measure_of_it(told: Told) -> None:
    told.story.decided(decisions.MainsLost("mains is away"))
    told.story.switched(LoadSwitched("cooling", True))
    told.story.decided(decisions.MainsBack(8.0))
    told.story.decided(decisions.RestoreLoads())
    told.story.switched(LoadSwitched("cooling", False))
    before = await told.notes()
    assert before[-1] == "cooling is back, and was seen to work"
    told.story.switched(LoadSwitched("cooling", False, "it broke"))
    told.story.switched(LoadSwitched("cooling", False))
    assert await told.notes() == before
    told.story.decided(decisions.MainsLost("mains is away"))
    told.story.switched(LoadSwitched("cooling", True))
    assert (await told.notes())[-1] == "cooling was shed"


async def test_mains_that_went_away_in_an_earlier_run_is_back_without_a_time(told: Told) -> None:
    told.story.decided(decisions.BootGate("loads stay off"))
    told.story.decided(decisions.MainsBack(None))
    assert (await told.notes())[-1] == "mains was back"


async def test_loads_of_an_ordinary_start_are_not_written_down(told: Told) -> None:
    told.story.decided(decisions.RestoreLoads())
    told.story.switched(LoadSwitched("cooling", False))
    assert await told.notes() == []
