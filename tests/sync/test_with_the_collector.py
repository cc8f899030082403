"""An appliance and a real collector on a real PostgreSQL: enrolled, delivered once, gone on after every break."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.identity.deny_list import deny
from collector.identity.enrolment import make_claim
from collector.service import Collector, Options, running
from firmware.clock import SystemClock
from firmware.errors import DeliveryRefused, FarEndUnreachable
from firmware.ports import Change, News
from firmware.services.collector_delivery import identity_folder
from firmware.storage.shared_store import SharedStore
from tests.sync.appliances import Appliance, appliance, appliance_settings, contents, cutting_proxy, stored


class MovedClock(SystemClock):
    """The time of day, some days on."""

    days = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(days=self.days)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def collector(database_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Collector]:
    async with running(Options(database_url, str(tmp_path / "blobs"), "127.0.0.1:0"), clock) as made:
        yield made


def url_of(collector: Collector) -> str:
    return f"http://127.0.0.1:{collector.address[1]}"


async def new_code(collector: Collector, clock: SystemClock | None = None) -> str:
    now = clock.now() if clock else datetime.now(UTC)
    return await make_claim(collector.database, "front desk", "Acme", now, timedelta(days=1))


@asynccontextmanager
async def enrolling(collector: Collector, folder: Path, clock: MovedClock) -> AsyncIterator[Appliance]:
    settings = appliance_settings(folder, url_of(collector), claim=await new_code(collector))
    async with appliance(settings, clock) as made:
        yield made


async def test_a_message_is_there_once_with_every_byte_of_its_audio(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    audio = os.urandom(700_000)
    async with enrolling(collector, tmp_path, clock) as made:
        message = await made.leave_message("13800138000", audio)
        await made.deliver_all()
        await made.store.mark_urgent(message)
        await made.deliver_all()
    rows = await stored(collector)
    assert sorted(row["kind"] for row in rows) == ["call", "message", "recording"]
    [told] = [row for row in rows if row["kind"] == "message"]
    assert (told["record_id"], told["body"]["urgent"], told["body"]["caller_number"]) == (message, True, "13800138000")
    [recording] = [row["sha256"] for row in rows if row["kind"] == "recording"]
    assert recording in contents(tmp_path / "blobs")
    assert recording in contents(tmp_path / "data" / "recordings")


async def test_key_is_for_nobody_else_and_stays_when_the_answer_to_the_claim_is_lost(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    async with cutting_proxy(collector.address[1], [900, 1200, 1500]) as port:
        settings = appliance_settings(tmp_path, f"http://127.0.0.1:{port}", claim=await new_code(collector))
        async with appliance(settings, clock) as made:
            await made.leave_message("1", b"ab" * 4000)
            await made.deliver_all()
    assert len(await collector.database.rows("SELECT id FROM device")) == 1
    files = list((tmp_path / "data" / "sync").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(files) == 2


async def test_broken_at_random_everything_is_there_exactly_once(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    chance = random.Random(1)
    cuts = [int(chance.expovariate(1 / 60_000)) + 1 for _ in range(15)]
    async with cutting_proxy(collector.address[1], cuts) as port:
        settings = appliance_settings(
            tmp_path, f"http://127.0.0.1:{port}", claim=await new_code(collector), request_timeout_seconds=5
        )
        async with appliance(settings, clock) as made:
            for number in range(8):
                await made.leave_message(f"1380013800{number}", chance.randbytes(100_000 + number))
            await made.deliver_all()
            assert await made.left() == 0
    rows = await stored(collector)
    assert len(rows) == 24
    assert len({row["record_id"] for row in rows}) == 24
    assert [row["seq"] for row in rows] == list(range(1, 25))
    audio = {row["sha256"] for row in rows if row["kind"] == "recording"}
    assert audio <= contents(tmp_path / "blobs")
    assert audio == contents(tmp_path / "data" / "recordings")


async def test_wrong_code_is_told_and_another_one_lets_it_in(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    code_file = tmp_path / "code"
    settings = appliance_settings(tmp_path, url_of(collector), claim_file=code_file)
    async with appliance(settings, clock) as made:
        await made.leave_message("1", b"ab" * 4000)
        async with made.delivering() as sender:
            await until_failing(sender, DeliveryRefused, "linekeeper-collector claim")
            code_file.write_text("ABCD-EFGH-JKLM\n", encoding="utf-8")
            await until_failing(sender, DeliveryRefused, "does not take the claim code")
            code_file.write_text(await new_code(collector) + "\n", encoding="utf-8")
            async with asyncio.timeout(20):
                while await made.left():
                    await asyncio.sleep(0.02)


async def test_denied_appliance_waits_and_a_new_code_makes_it_a_new_one(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    code_file = tmp_path / "code"
    code_file.write_text(await new_code(collector), encoding="utf-8")
    settings = appliance_settings(tmp_path, url_of(collector), claim_file=code_file)
    async with appliance(settings, clock) as made:
        await made.deliver_all()
        await made.leave_message("1", b"ab" * 4000)
        await made.deliver_all()
        device = identity_folder(settings).load()
        assert device is not None
        await deny(collector.database, device.device, "lost")
        heard = SharedStore(settings.data_dir, clock)
        await heard.keep(News([Change(50, "contact", "+8610", 50, {"name": "Li"})], 50))
        await made.leave_message("2", b"ba" * 4000)
        async with made.delivering() as sender:
            await until_failing(sender, DeliveryRefused, "does not let this appliance in")
            assert await made.left() == 3
            code_file.write_text(await new_code(collector), encoding="utf-8")
            async with asyncio.timeout(20):
                while await made.left():
                    await asyncio.sleep(0.02)
        anew = identity_folder(settings).load()
        assert anew is not None
        assert anew.device != device.device
        # Another company counts its changes from the beginning.
        assert (await heard.number(), await heard.waiting()) == (0, [])
        heard.close()


@pytest.mark.parametrize("days", [61, 400])
async def test_certificate_is_renewed_in_time_and_long_after_its_end(
    collector: Collector, tmp_path: Path, clock: MovedClock, days: int
) -> None:
    async with enrolling(collector, tmp_path, clock) as made:
        await made.leave_message("1", b"ab" * 4000)
        await made.deliver_all()
        before = identity_folder(made.settings).load()
    clock.days = days
    async with appliance(made.settings, clock) as later:
        await later.leave_message("2", b"ba" * 4000)
        await later.deliver_all()
        after = identity_folder(made.settings).load()
    assert before is not None
    assert after is not None
    assert after.device == before.device
    assert after.certificate.ends > clock.now()
    assert len(await stored(collector)) == 6


async def test_clock_that_is_a_year_late_is_put_right_by_the_collectors(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    late = MovedClock()
    late.days = -365
    async with enrolling(collector, tmp_path, late) as made:
        await made.leave_message("1", b"ab" * 4000)
        await made.deliver_all()
    assert len(await stored(collector)) == 3


async def test_older_database_counts_on_from_what_the_collector_knows(
    collector: Collector, tmp_path: Path, clock: MovedClock
) -> None:
    async with enrolling(collector, tmp_path, clock) as made:
        await made.leave_message("1", b"ab" * 4000)
        await made.deliver_all()
    # A folder that was copied back by hand; `restore` lets the numbers jump by itself.
    folder = tmp_path / "older"
    shutil.copytree(tmp_path / "data", folder / "data", ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    async with appliance(made.settings, clock) as again:
        await again.leave_message("2", b"cd" * 4000)
        await again.deliver_all()
    async with appliance(appliance_settings(folder, url_of(collector)), clock) as older:
        await older.delivery.far_end.connect()
        await older.leave_message("3", b"ef" * 4000)
        await older.deliver_all()
    rows = await stored(collector)
    assert len(rows) == 9
    assert len({row["seq"] for row in rows}) == 9
    assert len({row["version"] for row in rows}) == 9


async def test_collector_that_is_down_for_a_while_gets_everything_when_it_is_back(
    database_url: str, tmp_path: Path, clock: MovedClock
) -> None:
    options = Options(database_url, str(tmp_path / "blobs"), "127.0.0.1:0")
    async with running(options, clock) as first:
        settings = appliance_settings(tmp_path, url_of(first), claim=await new_code(first))
        address = f"127.0.0.1:{first.address[1]}"
    async with appliance(settings, clock) as made:
        await made.leave_message("1", os.urandom(50_000))
        async with made.delivering() as sender:
            await until_failing(sender, FarEndUnreachable, "cannot be reached")
            assert (await made.outbox.state("collector")).last_error is not None
            async with running(Options(database_url, options.blobs, address), clock) as second, asyncio.timeout(30):
                while await made.left():
                    await asyncio.sleep(0.02)
                assert len(await stored(second)) == 3


async def until_failing(sender: object, kind: type[Exception], words: str) -> None:
    async with asyncio.timeout(20):
        while not isinstance(failure := getattr(sender, "failure", None), kind) or words not in str(failure):
            await asyncio.sleep(0.02)
