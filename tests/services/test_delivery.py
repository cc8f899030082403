"""The sync service as it is run: whole, with its socket, its incidents and its commands."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.identity.enrolment import make_claim
from collector.service import Collector, Options, running
from firmware.clock import SystemClock
from firmware.errors import DeliveryRefused, FarEndUnreachable
from firmware.ports import Answer, Outcome, QueueState
from firmware.services.delivery_desk import DeliveryDesk
from firmware.services.delivery_story import DeliveryStory
from firmware.services.delivery_view import delivery_status, span_words, status_lines
from firmware.services.incident_sentences import in_language
from firmware.services.scribe import Scribe
from firmware.services.sync import SyncService
from firmware.services.sync_commands import deliver_now, quarantined, retry, sync_status
from firmware.services.uplinks import Delivery, main_route
from firmware.settings import Settings
from firmware.simulation.fast_time import SimulatedClock
from firmware.simulation.outbox import MemoryOutbox
from firmware.storage.outbox import DiskOutbox
from firmware.sync.collector_client import REFUSALS
from firmware.sync.sender import FarEnd
from tests.sync.appliances import Appliance, appliance_settings, stored
from tests.sync.far_ends import ScriptedFarEnd


@pytest.fixture
async def collector(database_url: str, tmp_path: Path) -> AsyncIterator[Collector]:
    async with running(Options(database_url, str(tmp_path / "blobs"), "127.0.0.1:0"), SystemClock()) as made:
        yield made


@pytest.fixture
async def settings(collector: Collector, tmp_path: Path) -> Settings:
    code = await make_claim(collector.database, "front", "Acme", datetime.now(UTC), timedelta(days=1))
    url = f"http://127.0.0.1:{collector.address[1]}"
    return appliance_settings(tmp_path, url, claim=code, health_every_seconds=1)


async def test_service_delivers_what_is_there_and_what_comes_and_how_it_is(
    collector: Collector, settings: Settings, tmp_path: Path
) -> None:
    made = Appliance(settings)
    await made.store.open()
    await made.leave_message("1", b"ab" * 8000)
    async with SyncService(settings) as service, asyncio.timeout(30):
        await service.ready()
        await until(collector, {"call", "message", "recording", "health"})
        await made.leave_message("2", b"cd" * 8000)
        while len([row for row in await stored(collector) if row["kind"] == "recording"]) < 2:
            await asyncio.sleep(0.05)
        while (status := await service.status())["queued"]:
            await asyncio.sleep(0.05)
        assert status["mode"] == "collector"
        assert status["last_success_at"].endswith("+08:00")
        assert status["certificate_ends_at"] is not None
        assert (status["last_error"], status["quarantined"], status["running"]) == (None, 0, True)
        assert service.sentence().startswith("records go to 127.0.0.1")
        await asyncio.to_thread(deliver_now, settings)
        assert (await asyncio.to_thread(sync_status, settings))["running"] is True
    health = next(row["body"] for row in await stored(collector) if row["kind"] == "health")
    assert health["disk"]["free_bytes"] > 0
    assert health["lines"] is None
    made.outbox.close()
    await made.store.close()


async def test_status_is_right_while_the_service_is_not_running(settings: Settings, tmp_path: Path) -> None:
    made = Appliance(settings)
    await made.store.open()
    await made.outbox.use_routes([made.delivery.route])
    await made.leave_message("1", b"ab" * 8000)
    status = await asyncio.to_thread(sync_status, settings)
    assert (status["mode"], status["queued"], status["audio_queued"], status["running"]) == ("collector", 3, 1, False)
    assert status["oldest_seconds"] < 60
    text = "\n".join(status_lines(status))
    assert "3 records waiting, the oldest for" in text
    assert "linekeeper run sync" in text
    made.outbox.close()
    await made.store.close()


async def test_delivery_that_was_switched_off_lets_go_of_what_waited(settings: Settings, tmp_path: Path) -> None:
    made = Appliance(settings)
    await made.store.open()
    await made.outbox.use_routes([made.delivery.route])
    await made.leave_message("1", b"ab" * 8000)
    off = settings.model_copy(update={"sync": settings.sync.model_copy(update={"mode": "off"})})
    async with SyncService(off) as service, asyncio.timeout(20):
        assert (await service.status())["queued"] == 0
        while await made.left():
            await asyncio.sleep(0.05)
    made.outbox.close()
    await made.store.close()


async def test_commands_show_and_free_what_was_set_aside(collector: Collector, settings: Settings) -> None:
    outbox = DiskOutbox(settings.data_dir, SystemClock(), refusals=1)
    route = main_route(settings)
    assert route is not None
    await outbox.use_routes([route])
    health = await outbox.keep_health({"fine": True})
    await refuse_all(outbox)
    [listed] = await asyncio.to_thread(quarantined, settings)
    assert (listed["id"], listed["kind"], listed["reason"]) == (health, "health", "too odd")
    assert await asyncio.to_thread(retry, settings, health) == 1
    assert (await outbox.state("collector")).queued == 1
    assert await asyncio.to_thread(retry, settings, None) == 0
    outbox.close()


def test_commands_say_what_to_do(tmp_path: Path) -> None:
    settings = appliance_settings(tmp_path, "https://collector.example")
    (tmp_path / "c.yaml").write_text(
        f"data_dir: {settings.data_dir}\nrun_dir: {settings.run_dir}\nlines: [{{name: a, port: /dev/none}}]\n"
        "sync: {mode: collector, url: https://collector.example}\n",
        encoding="utf-8",
    )
    status, text = run_command(tmp_path, "now")
    assert status == 1
    assert "linekeeper run sync" in text
    assert run_command(tmp_path, "retry", "--all") == (0, "nothing was set aside\n")


def run_command(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "firmware.cli", "--config", str(folder / "c.yaml"), "sync", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


async def refuse_all(outbox: DiskOutbox) -> None:
    entries = await outbox.take("collector", 10)
    await outbox.settle("collector", [Answer(e.seq, e.version, Outcome.REJECTED, "too odd") for e in entries])


async def until(collector: Collector, kinds: set[str]) -> None:
    while not kinds <= {row["kind"] for row in await stored(collector)}:
        await asyncio.sleep(0.05)


class Told:
    """An incident log that remembers what stands open."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self.open[f"{kind} {place}"] = summary

    async def close_incident(self, kind: str, place: str) -> None:
        self.open.pop(f"{kind} {place}", None)


@pytest.mark.fast_time
class TestIncidents:
    """What becomes an incident, and when it is over."""

    async def test_each_fault_has_its_own_and_each_ends(self, tmp_path: Path) -> None:
        clock = SimulatedClock(asyncio.get_running_loop(), datetime(2026, 5, 1, tzinfo=UTC))
        settings = appliance_settings(tmp_path, "https://collector.example")
        route = main_route(settings)
        assert route is not None
        desk = DeliveryDesk(
            settings, clock, MemoryOutbox(clock), [Delivery(route, FarEnd(ScriptedFarEnd()), "c.example")]
        )
        log, scribe = Told(), Scribe()
        log.open = {"delivery collector": "of an earlier run"}
        story = DeliveryStory(desk, log, scribe, clock)  # type: ignore[arg-type]
        writing = asyncio.create_task(scribe.run())
        [sender] = desk.senders

        async def looked(**state: Any) -> dict[str, str]:
            fields = {"queued": 1, "quarantined": 0, "oldest_queued_at": None, "audio_queued": 0}
            told = QueueState(**{**fields, "last_success_at": None, "last_error": None, "next_seq": 2, **state})
            story.look({"collector": told})
            await scribe.settled(5)
            return dict(log.open)

        assert await looked() == {}
        sender.failure, sender.failing_since_seconds = FarEndUnreachable("no network"), 0.0
        assert await looked() == {}
        await asyncio.sleep(3700)
        assert "no network" in (await looked())["delivery collector"]
        sender.failure = DeliveryRefused(REFUSALS["denied"])
        assert set(await looked(quarantined=2)) == {
            "delivery collector", "delivery_refused collector", "delivery_set_aside collector",
        }  # fmt: skip
        for sentence in (*log.open.values(), *REFUSALS.values()):
            assert in_language(sentence, "zh") != sentence
        sender.failure, sender.failing_since_seconds = None, None
        assert await looked() == {}
        old = (clock.now() - timedelta(days=2)).isoformat()
        assert "more than a day" in (await looked(oldest_queued_at=old))["delivery collector"]
        writing.cancel()


def test_status_tells_people_what_to_do() -> None:
    settings = appliance_settings(Path("/nowhere"), "https://collector.example")
    state = QueueState(1200, 2, "2026-05-01T00:00:00+00:00", 7, None, "no network", 1300)
    status = delivery_status(settings, datetime(2026, 5, 3, tzinfo=UTC), {"collector": state})
    text = "\n".join(status_lines(status))
    for words in (
        "1200 records waiting",
        "2 days",
        "7 with audio",
        "nothing was delivered yet",
        "no network",
        "sync retry",
    ):
        assert words in text
    assert "2 records refused" in text
    assert "linekeeper sync retry --all" in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "5 s"), (600, "10 minutes"), (7200, "2 hours"), (864000, "10 days")]
)
def test_spans_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
