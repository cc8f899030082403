"""Sentences of records, read by an office that reads Chinese."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware.services
from firmware.events import LoadSwitched
from firmware.services.incident_sentences import in_language
from firmware.services.power_story import PowerStory
from firmware.services.scribe import Scribe
from firmware.ups import decisions

_FILE = Path(firmware.services.__file__).parent / "incident_sentences.toml"


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("mains is away; the battery carries us", "市电中断，由电池供电"),
        ("cooling was shed", "已停用 cooling"),
        ("mains was back after 8 min 2 s", "8 min 2 s 后市电恢复"),
        (
            "the shutdown is decided: mains is away and the battery holds 9 %",
            "决定关机：市电中断，且电池剩余 9 %",
        ),
        ("line front: somebody pulled the plug", "线路 front：somebody pulled the plug"),
        ("something nobody has words for", "something nobody has words for"),
        ("{} was shed was shed", "已停用 已停用 {}"),
    ],
)
def test_sentence_in_chinese(said: str, chinese: str) -> None:
    assert in_language(said, "zh") == chinese
    assert in_language(said, "en") == said


def test_every_sentence_of_the_file_has_as_many_parts_in_both_languages() -> None:
    for said, words in tomllib.loads(_FILE.read_text(encoding="utf-8"))["zh"].items():
        assert said.count("{}") == words.count("{}"), said
        assert in_language(said.replace("{}", "7"), "zh") == words.replace("{}", "7"), said


@given(st.text(max_size=300))
def test_any_text_comes_out_as_some_text(text: str) -> None:
    assert isinstance(in_language(text, "zh"), str)


def test_everything_that_is_noted_of_an_outage_has_chinese_words() -> None:
    log = Log()
    scribe = Scribe()
    story = PowerStory(log, scribe)
    lost, *later = _DECISIONS
    story.decided(lost)
    story.switched(LoadSwitched("cooling", shed=True))
    for decision in later:
        story.decided(decision)
    story.switched(LoadSwitched("cooling", shed=False))
    story.callers_released()
    asyncio.run(_written(scribe))
    assert len(log.told) > 15
    for sentence in log.told:
        assert in_language(sentence, "zh") != sentence, sentence


_DECISIONS = (
    decisions.MainsLost("mains is away; the battery carries us"),
    decisions.ShedTo(1),
    decisions.ShedTo(2),
    decisions.ShedTo(3),
    decisions.BatteryLow("mains is away and the UPS says that its battery is low"),
    decisions.BatteryLowOver(),
    decisions.ShutDown("mains is away and the battery holds 9 %"),
    decisions.PowerOff(mains_there=False),
    decisions.Reboot("mains is back and the UPS did not cut its output; starting anew"),
    decisions.RemindBattery("the UPS says that its battery is worn out; replace it"),
    decisions.MainsBack(481.0),
    decisions.MainsBack(None),
    decisions.RestoreLoads(),
)


class Log:
    def __init__(self) -> None:
        self.told: list[str] = []

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self.told.append(summary)

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        self.told.append(action)

    async def close_incident(self, kind: str, place: str) -> None:
        return None

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        self.told.append(effect)

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        self.told += [who, how, result]


async def _written(scribe: Scribe) -> None:
    task = asyncio.create_task(scribe.run())
    assert await scribe.settled(5.0)
    task.cancel()
