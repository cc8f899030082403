"""The report of an incident, from records that were written as the services write them."""

from __future__ import annotations

import re
import sqlite3
import string
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from firmware.cli.frame import app
from firmware.errors import RecordNotFound
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import CallbackRequest, Take
from firmware.services.incident_report import LANGUAGES, report, words_of
from firmware.services.paper import WIDTH, columns
from firmware.storage.incident_store import IncidentStore
from firmware.storage.queries import Records
from firmware.storage.store import Store

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class SetClock:
    """Time goes on as the test says."""

    moment: datetime = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    right: bool = True

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def now(self) -> datetime:
        return self.moment

    def trusted(self) -> bool:
        return self.right

    def goes_on(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def store(data_dir: Path, clock: SetClock) -> AsyncIterator[Store]:
    opened = Store(data_dir, clock, keep_free_megabytes=0)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def power(data_dir: Path, clock: SetClock) -> AsyncIterator[IncidentStore]:
    incidents = IncidentStore(data_dir, clock)
    yield incidents
    await incidents.close()


async def _message(store: Store, call_id: str) -> None:
    recording = await store.start_recording(call_id, SampleFormat.U8)
    recording.write(b"\x80" * 8000)
    await store.keep_message(call_id, await recording.finish(Take(RecordingEnd.KEY, 8000, 8000, voiced=True)), "zh")


async def an_outage(store: Store, power: IncidentStore, clock: SetClock) -> None:
    """Mains away for 12 min 5 s; one call before, two in it (one cut short), a modem that vanishes, one call after."""
    before = await store.call_offered("front", CallerId("1"))
    await store.call_ended(before, CallEnd.COMPLETED, None, "zh", [])
    clock.goes_on(60)
    await power.open_incident("power", "ups", "mains is away")
    clock.goes_on(5)
    await power.note_incident("power", "ups", "speech was switched off")
    whole = await store.call_offered("front", CallerId("2"))
    await store.call_answered(whole, CallerId("2"))
    await _message(store, whole)
    await store.keep_callback(whole, CallbackRequest("13800138000"), "zh")
    await store.call_ended(whole, CallEnd.COMPLETED, None, "zh", [])
    cut = await store.call_offered("back", CallerId("3"))
    await store.call_answered(cut, CallerId("3"))
    clock.goes_on(100)
    await store.open_incident("modem", "back", "line back: the modem is gone")
    await store.call_ended(cut, CallEnd.LOW_BATTERY, None, "zh", [])
    await power.tell_incident("power", "ups", "Li Wei", "by telephone", "acknowledged with key 1")
    clock.goes_on(620)
    await power.effect_of_incident("power", "ups", "two loads were off for ten minutes")
    await power.close_incident("power", "ups")
    clock.goes_on(60)
    await store.close_incident("modem", "back")
    after = await store.call_offered("front", CallerId("4"))
    await store.call_ended(after, CallEnd.NOT_ANSWERED, None, "zh", [])


def printed(data_dir: Path, clock: SetClock, wanted: str = "1", language: str = "en") -> str:
    with Records(data_dir, ZONE) as records:
        return report(records.incident_facts(wanted, clock.now()), language, ZONE, clock.now())


async def test_every_field_of_an_outage_is_filled_in(
    store: Store, power: IncidentStore, clock: SetClock, data_dir: Path
) -> None:
    await an_outage(store, power, clock)
    assert (
        printed(data_dir, clock).split("\nCause and remarks")[0]
        == """\
# Incident report 1

Printed 2026-03-01 16:14:05, times of Asia/Shanghai

- Kind:          power failure
- Place:         ups
- What happened: mains is away
- Start:         2026-03-01 16:01:00
- End:           2026-03-01 16:13:05
- Duration:      12 min 5 s
- Clock:         known to be right

## Effect

- Told by the appliance: two loads were off for ten minutes
- Calls:                 2 offered, 2 answered, 1 cut short
- on line front:         1 offered, 1 answered, 0 cut short
- on line back:          1 offered, 1 answered, 1 cut short
- Kept meanwhile:        messages: 1, requests to be called back: 1
- Lines affected:        back

## Measures taken

- 2026-03-01 16:01:05  speech was switched off

## Who was told

- 2026-03-01 16:02:45  Li Wei, by telephone: acknowledged with key 1

## Other incidents in the same time

- 2026-03-01 16:02:45  No. 2, telephone line or modem, back: line back: the
  modem is gone (until 2026-03-01 16:14:05)

## Summary afterwards

The incident lasted 12 min 5 s. Calls meanwhile: 2 offered, 2 answered, 1 cut
short. Measures taken: 1. People told: 1.
"""
    )


async def test_the_same_in_chinese(store: Store, power: IncidentStore, clock: SetClock, data_dir: Path) -> None:
    await an_outage(store, power, clock)
    text = printed(data_dir, clock, language="zh")
    for told in (
        "# 事件报告 1",
        "- 类别:     停电",
        "12 分 5 秒",
        "来电 2 个，接听 2 个，中断 1 个",
        "Li Wei，by telephone",
    ):
        assert told in text
    assert all(columns(line) <= WIDTH for line in text.splitlines())


async def test_an_incident_that_goes_on_says_so(power: IncidentStore, clock: SetClock, data_dir: Path) -> None:
    clock.right = False
    await power.open_incident("flood", "cellar", "water", drill=True)
    clock.goes_on(3 * 3600 + 4)
    text = printed(data_dir, clock)
    for told in (
        "This was a drill", "- Kind:          flood", "still going on", "3 h 0 min 4 s so far",
        "the times may be wrong", "No measure is recorded.", "Nobody was told.", "There was no other incident.",
        "Lines affected: none",
    ):  # fmt: skip
        assert told in text


async def test_a_clock_that_was_set_back_gives_no_false_duration(
    power: IncidentStore, clock: SetClock, data_dir: Path
) -> None:
    await power.open_incident("power", "ups", "mains is away")
    clock.goes_on(-3600)
    await power.close_incident("power", "ups")
    assert "not known: the clock was set meanwhile" in printed(data_dir, clock)


async def test_it_is_found_by_id_and_number_and_by_nothing_else(
    power: IncidentStore, clock: SetClock, data_dir: Path
) -> None:
    await power.open_incident("power", "ups", "mains is away")
    with Records(data_dir, ZONE) as records:
        (incident,) = records.incidents()
        assert printed(data_dir, clock, incident["id"]) == printed(data_dir, clock, str(incident["number"]))
        for wrong in ("2", "0", "-1", "", "power", "9" * 400, "' OR 1=1", "①"):
            with pytest.raises(RecordNotFound, match="`incidents list` shows those there are"):
                records.incident_facts(wrong, clock.now())


async def test_hostile_text_of_a_record_is_printed_and_not_obeyed(
    power: IncidentStore, clock: SetClock, data_dir: Path
) -> None:
    await power.open_incident("power", "ups", "mains is away")
    evil = "\x1b[2J\x1b]0;gone\x07\r\n# Forged heading\n\u202ereversed {number} {0}"
    await power.note_incident("power", "ups", "x")
    await power.tell_incident("power", "ups", "x", "x", "x")
    db = sqlite3.connect(data_dir / "linekeeper.db")
    for statement in (
        "UPDATE incident SET kind = ?1, place = ?1, summary = ?1, effect = ?1",
        "UPDATE incident_action SET action = ?1",
        "UPDATE incident_notice SET who = ?1, how = ?1, result = ?1",
    ):
        db.execute(statement, (evil,))
    db.commit()
    db.close()
    text = printed(data_dir, clock)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert not any(line.startswith("# Forged") for line in text.splitlines())
    assert "{number} {0}" in text


def _entries(words: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from _entries(value, (*path, name))
        else:
            yield (*path, name), value


def test_every_language_has_the_same_words_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    first, *others = [{path: blanks(text) for path, text in _entries(words_of(language))} for language in LANGUAGES]
    assert first
    assert all(other == first for other in others)


async def test_the_command_prints_it_in_the_first_language_or_in_the_one_asked_for(
    power: IncidentStore, data_dir: Path, tmp_path: Path
) -> None:
    await power.open_incident("power", "ups", "mains is away")
    config = tmp_path / "linekeeper.yaml"
    config.write_text(f"data_dir: {data_dir}\nrun_dir: {tmp_path}/run\nlines: [{{name: front, port: auto}}]\n")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["--config", str(config), "incidents", *arguments])

    assert run("report", "1").stdout.startswith("# 事件报告 1")
    assert run("report", "1", "--language", "en").stdout.startswith("# Incident report 1")
    assert run("report", "1", "--language", "fr").exit_code == 2
    assert isinstance(run("report", "7").exception, RecordNotFound)
    assert '"notices": []' in run("list", "--json").stdout
