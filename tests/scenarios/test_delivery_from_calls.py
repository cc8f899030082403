"""Whole calls, delivered: services, collector and PostgreSQL are processes of their own, callers call on the bench.

One office for all of it; each test leaves it with nothing queued. A minute of a power failure lasts a second or less.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from benchmarks.appliance import ServiceProcess
from benchmarks.bench_lines import configuration
from benchmarks.many_calls.speech import find_speech, unique_speech
from benchmarks.postgres import PostgresServer, free_port
from benchmarks.program import Program
from benchmarks.setting import Setting, bench
from collector.database import Database
from collector.identity.enrolment import make_claim
from collector.sharing.editing import set_item
from collector.sharing.erasing import erase_everywhere
from collector.sharing.orders import list_erasures
from firmware import wav
from firmware.clock import SystemClock
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.services.control_client import ControlClient
from firmware.services.delivery_view import status_lines
from firmware.settings import load_settings
from firmware.simulation.ups import SimulatedUps
from firmware.storage.queries import Records
from firmware.units import SAMPLE_RATE_HZ
from tests.sync.appliances import appliance, contents
from tests.sync.mail_servers import Mailbox, mail_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

COLLECTOR = Path(sys.executable).with_name("linekeeper-collector")
SPEECH = unique_speech(2.0, random.Random(41))
LATER_SPEECH = unique_speech(1.5, random.Random(43))
NUMBER, LATER_NUMBER, THIRD_NUMBER = "13800138000", "13900139000", "13700137000"
_BACKLOG = 24
_AUDIO_BYTES = 40_000
# The backlog takes half a minute then.
_CAP = "most_kilobytes_per_second: 30"
_WAIT_SECONDS = 30.0

_MORE = """\
rings: 1
flow: shared:front
power:
  profile: bench
  socket: {folder}/power-supply.sock
  mains_steady_seconds: 1
  second_tier_after_seconds: 5
  restore_after_seconds: 1
  between_loads_seconds: 0.1
  loads: [{{name: sync, kind: sync, tier: 2}}]
sync:
  mode: collector
  url: http://127.0.0.1:{port}
  claim: {claim}
  spread_seconds: 0
  {cap}
email:
  server: 127.0.0.1
  port: {mail_port}
  security: none
  sender: phone@office.test
  to: [desk@office.test]
  delay_seconds: 0
"""


@dataclass
class Office:
    """Its processes, its collector, and what the test looks at."""

    setting: Setting
    ups: SimulatedUps
    config: Path
    collector: Program
    database: Database
    mailbox: Mailbox
    processes: dict[str, ServiceProcess] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.setting.folder

    async def start(self, name: str, *services: str) -> None:
        """A process of its own for some services."""
        process = ServiceProcess(self.config, self.folder / f"{name}.txt", services)
        self.processes[name] = await process.__aenter__()

    async def ask(self, action: str, **words: Any) -> Any:
        return await ControlClient(self.folder / "run" / "sync.sock").ask(action, **words)

    async def status(self) -> dict[str, Any]:
        told: dict[str, Any] = await asyncio.to_thread(ControlClient(self.folder / "run" / "sync.sock").get, "status")
        return told

    async def until_status(self, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not good(status := await self.status()):
                await asyncio.sleep(0.1)  # another process tells when it likes
        return status

    async def until(self, good: Callable[[], bool]) -> None:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not good():
                await asyncio.sleep(0.1)

    async def until_taken_over(self) -> None:
        """Until the appliance has acknowledged all that its company shares."""
        done = "SELECT 1 FROM device_down WHERE change >= (SELECT max(version) FROM shared_item)"
        async with asyncio.timeout(_WAIT_SECONDS):
            while not await self.database.rows(done):
                await asyncio.sleep(0.1)

    async def until_erased(self) -> None:
        """Until the appliance has said that it has erased all that it was told to."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while not all(one["erased"] == 1 for one in await list_erasures(self.database)):
                await asyncio.sleep(0.1)

    async def leave_message(self, number: str, speech: bytes) -> None:
        """A whole call: in English, spoken, kept by hanging up."""
        call = await self.setting.call(self.setting.lines[0], number, None)
        await call.heard_speech()
        # English, a message; any key spares the words before the beep.
        await call.keys("21", 0.1, 0.6)
        await call.key("5")
        assert await call.heard_beep()
        await call.wait(0.3)
        await call.speak(speech)
        await self.setting.end(call, self.setting.lines[0])

    def records(self) -> Records:
        return Records(self.folder / "data", ZoneInfo("Asia/Shanghai"))

    def recordings(self) -> set[str]:
        """SHA-256 of every recording on the appliance."""
        return contents(self.folder / "data" / "recordings")

    def arrived(self) -> set[str]:
        """SHA-256 of every whole recording at the collector."""
        everything = [file for file in (self.folder / "blobs").rglob("*") if file.is_file()]
        return {file.name for file in everything if len(file.name) == 64} & contents(self.folder / "blobs")

    async def rows(self, kind: str) -> list[dict[str, Any]]:
        return await self.database.rows(
            "SELECT record_id::text AS id, body, encode(blob_sha256, 'hex') AS sha256 FROM record WHERE kind = %s "
            "AND erased_at IS NULL ORDER BY seq",
            [kind],
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(postgres: PostgresServer, migrated: str) -> AsyncIterator[Office]:
    """Recordings of an earlier absence wait already; the collector is not there yet."""
    url, port = postgres.database(like=migrated), free_port()
    async with AsyncExitStack() as stack:
        setting = await stack.enter_async_context(bench(1, watched=False))
        database = await stack.enter_async_context(Database(url))
        mailbox = Mailbox()
        mail_port = await stack.enter_async_context(mail_server(mailbox))
        ups = await stack.enter_async_context(SimulatedUps(setting.folder / "power-supply.sock"))
        claim = await make_claim(database, "front", "Acme", SystemClock().now(), timedelta(hours=1))
        more = _MORE.format(folder=setting.folder, port=port, claim=claim, cap=_CAP, mail_port=mail_port)
        config = setting.folder / "linekeeper.yaml"
        config.write_text(configuration(setting.folder, {"line1": str(setting.lines[0].tty)}, more))
        await _fill(config)
        serve = ["serve", "--database", url, "--blobs", str(setting.folder / "blobs"), "--listen", f"127.0.0.1:{port}"]
        collector = Program([str(COLLECTOR), *serve], setting.folder / "collector.txt")
        office = Office(setting, ups, config, collector, database, mailbox)
        stack.push_async_callback(collector.kill)
        stack.push_async_callback(_kill_all, office)
        await office.start("calls", "calls", "power")
        await office.start("sync", "sync")
        yield office


class _AnHourAgo(SystemClock):
    """Nobody whose call has just ended can be erased."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


async def _fill(config: Path) -> None:
    chance = random.Random(47)
    async with appliance(load_settings(config), _AnHourAgo()) as made:
        for _ in range(_BACKLOG):
            await made.leave_message(THIRD_NUMBER, chance.randbytes(_AUDIO_BYTES))


async def _kill_all(office: Office) -> None:
    for process in office.processes.values():
        await process.kill()


async def test_calls_go_on_while_the_collector_is_away_and_the_office_gets_its_mail(at: Office) -> None:
    before = await at.until_status(lambda status: status["last_error"] is not None)
    await at.leave_message(NUMBER, SPEECH)
    status = await at.until_status(lambda status: status["queued"] >= before["queued"] + 3)
    lines = "\n".join(status_lines(status))
    assert f"collector: {status['queued']} records waiting, the oldest for" in lines
    assert "nothing was delivered yet" in lines
    assert "tries again in" in lines
    await at.until_status(lambda status: status["routes"][1]["queued"] == 0)
    ((to, mail),) = at.mailbox.got
    assert to == ["desk@office.test"]
    (sound,) = mail.iter_attachments()
    # The mail leaves out the end, where the caller hung up.
    assert _through_the_line(SPEECH)[:-SAMPLE_RATE_HZ] in wav.parse(sound.get_content()).data


async def test_mains_fails_amid_a_long_drain_and_sync_is_killed_in_an_upload(at: Office) -> None:
    await at.collector.start()
    await at.ask("wake", now=True)
    await at.until(lambda: len(at.arrived()) >= 1)
    at.ups.set_mains(on=False)
    # A caller notices nothing of the second tier, which comes meanwhile. No audio leaves from then on.
    await at.leave_message(LATER_NUMBER, LATER_SPEECH)
    status = await at.until_status(
        lambda status: status["every_seconds"] and status["routes"][0]["doing"] != "delivers"
    )
    there = at.arrived()
    assert 1 <= len(there) < _BACKLOG - 2
    assert status["audio_queued"] >= _BACKLOG - len(there)
    assert "holds audio back" in "\n".join(status_lines(status))
    await asyncio.sleep(1.0)
    assert at.arrived() == there
    at.ups.set_mains(on=True)
    await at.until(lambda: len(at.arrived()) >= len(there) + 1)
    await at.processes["sync"].kill()
    assert len(at.arrived()) < _BACKLOG
    at.config.write_text(at.config.read_text().replace(_CAP, ""))
    await at.start("sync", "sync")
    await at.until_status(lambda status: status["queued"] == 0)
    assert at.arrived() == at.recordings()
    assert len(at.recordings()) == _BACKLOG + 2


async def test_every_call_is_at_the_collector_once_and_byte_for_byte(at: Office) -> None:
    messages = {row["id"]: row["body"] for row in await at.rows("message")}
    with at.records() as records:
        kept = records.messages()
    assert sorted(messages) == sorted(message["id"] for message in kept)
    of_caller = {message["caller_number"]: message["id"] for message in kept}
    recordings = {row["body"]["call_id"]: row["sha256"] for row in await at.rows("recording")}
    for number, speech in ((NUMBER, SPEECH), (LATER_NUMBER, LATER_SPEECH)):
        sha256 = recordings[messages[of_caller[number]]["call_id"]]
        (file,) = [file for file in (at.folder / "blobs").rglob(sha256) if file.is_file()]
        sound = wav.parse(file.read_bytes())
        found = find_speech(speech, sound.data, sound.sample_format)
        assert found is not None
        assert found.samples == len(speech) // 2


async def test_a_contact_and_a_flow_from_the_collector_reach_the_next_call(at: Office) -> None:
    steps = "{short_hello: {kind: hang_up, prompt: goodbye, every_language: true}}"
    flow = f"name: front\nstart: short_hello\nsteps: {steps}\n"
    await set_item(at.database, "Acme", "contact", NUMBER, {"name": "Li Wei"})
    await set_item(at.database, "Acme", "flow", "front", {"text": flow})
    await at.ask("wake", now=True)
    await at.until(lambda: _names(at) == {"+86" + NUMBER: "Li Wei"})
    await at.until_taken_over()
    call = await at.setting.call(at.setting.lines[0], NUMBER, None)
    await asyncio.wait_for(call.ended(), 20)
    await at.until(lambda: _last_path(at) == ["short_hello"])


async def test_a_caller_who_is_erased_at_the_collector_is_nowhere(at: Office) -> None:
    assert _holding(at.folder / "data", THIRD_NUMBER)
    await erase_everywhere(at.database, "Acme", THIRD_NUMBER, SystemClock().now())
    await at.ask("wake", now=True)
    await at.until_erased()
    await at.until_status(lambda status: status["queued"] == 0)
    assert _holding(at.folder / "data", THIRD_NUMBER) == []
    with at.records() as records:
        assert THIRD_NUMBER not in str([records.calls(), records.messages()])
    assert len(at.recordings()) == 2
    assert not [
        row for row in await at.database.rows("SELECT record::text AS told FROM record") if THIRD_NUMBER in row["told"]
    ]


def _through_the_line(speech: bytes) -> bytes:
    """As the modem of the bench gives it."""
    return decode_to_s16(encode_s16(speech, SampleFormat.U8), SampleFormat.U8)


def _holding(folder: Path, number: str) -> list[str]:
    return [str(file) for file in folder.rglob("*") if file.is_file() and number.encode() in file.read_bytes()]


def _names(at: Office) -> dict[str, str]:
    with at.records() as records:
        return records.contact_names()


def _last_path(at: Office) -> list[str]:
    with at.records() as records:
        path: list[str] = records.calls()[-1]["path"]
        return path
