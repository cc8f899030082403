"""From a record that is written to the far end that is no collector: store, outbox, sender and far end together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from firmware import wav
from firmware.clock import SystemClock
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.services.sync import SyncService
from firmware.settings import Settings, parse_settings
from firmware.storage.queries import Records
from firmware.storage.store import Store
from tests.sync.mail_servers import Mailbox, mail_server
from tests.sync.web_receiver import CUT, Receiver, answer

SAMPLES = b"\x80\x90" * 4000


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Settings]:
    (tmp_path / "secret").write_text("a secret of sixteen bytes and more")

    def make(more: str) -> Settings:
        base = f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: /dev/none}}]\n"
        return parse_settings("linekeeper.yaml", base + more.replace("TMP", str(tmp_path)))

    return make


@asynccontextmanager
async def appliance(settings: Settings) -> AsyncIterator[Store]:
    """Its store and its sync service."""
    store = Store(settings.data_dir, SystemClock(), keep_free_megabytes=0)
    await store.open()
    try:
        async with SyncService(settings) as service:
            while (await service.status())["last_error"] is None and not (settings.data_dir / "sync").is_dir():
                await asyncio.sleep(0.05)
            yield store
    finally:
        await store.close()


async def leave_message(store: Store) -> str:
    call = await store.call_offered("a", CallerId("13800138000"))
    await store.call_answered(call, CallerId("13800138000"))
    recording = await store.start_recording(call, SampleFormat.U8, "message")
    recording.write(SAMPLES)
    stored = await recording.finish(Take(RecordingEnd.KEY, len(SAMPLES), len(SAMPLES) - 400, voiced=True))
    kept = await store.keep_message(call, stored, "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return str(kept.message_id)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.05)


async def test_every_record_of_a_call_arrives_at_the_web_hook_though_an_answer_is_lost(
    configured: Callable[[str], Settings],
) -> None:
    async with Receiver(lambda got: CUT if len(receiver.got) == 2 else answer(200)) as receiver:
        settings = configured(
            f"sync: {{mode: webhook, url: '{receiver.url}', secret_file: TMP/secret, spread_seconds: 0}}"
        )
        async with appliance(settings) as store:
            message_id = await leave_message(store)
            await until(lambda: {"message", "recording", "call"} <= kinds_at(receiver) and came_again(receiver))
    assert any(got.headers["idempotency-key"].startswith(message_id) for got in receiver.got)


def came_again(receiver: Receiver) -> bool:
    """Whose answer was lost; by its record, as it may have changed meanwhile."""
    came = [got.headers["idempotency-key"].partition(".")[0] for got in receiver.got]
    return came[1] in came[2:]


def kinds_at(receiver: Receiver) -> set[str]:
    bodies = [got.body for got in receiver.got]
    return {
        kind for kind in ("message", "recording", "call") for body in bodies if b'"kind":"%s"' % kind.encode() in body
    }


async def test_every_record_of_a_call_lies_on_the_stick(configured: Callable[[str], Settings], tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    async with appliance(configured("sync: {mode: folder, path: TMP/stick, same_disk: true}")) as store:
        await leave_message(store)
        await until(
            lambda: any((tmp_path / "stick").rglob("audio/*.wav")) and '"kind":"message"' in on(tmp_path / "stick")
        )
    (audio,) = (tmp_path / "stick").rglob("audio/*.wav")
    assert wav.parse(audio.read_bytes()).data == SAMPLES
    records = [json.loads(line) for line in on(tmp_path / "stick").splitlines()]
    assert {record["kind"] for record in records} >= {"call", "recording", "message"}


def on(stick: Path) -> str:
    return "".join(file.read_text("utf-8") for file in sorted(stick.rglob("records/*.jsonl")))


async def test_a_message_comes_as_one_mail_and_a_fault_and_its_end_as_two(
    configured: Callable[[str], Settings],
) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        settings = configured(
            f"email: {{server: 127.0.0.1, port: {port}, security: none, sender: phone@office.test, "
            "to: [anna@office.test], delay_seconds: 0}\n"
            "alerts: {steps: [{after_minutes: 0, email: [boss@office.test]}]}\n"
        )
        async with appliance(settings) as store:
            await leave_message(store)
            await until(lambda: len(mailbox.got) >= 1)
            await store.open_incident("power", "mains", "mains is away; the battery carries us")
            await until(lambda: len(mailbox.got) >= 2)
            await store.close_incident("power", "mains")
            await until(lambda: len(mailbox.got) >= 3)
            await until(lambda: "told that it is over" in str(incidents(settings)))
    (first_to, message), (fault_to, fault), (end_to, end) = mailbox.got
    assert (first_to, fault_to, end_to) == (["anna@office.test"], ["boss@office.test"], ["boss@office.test"])
    (attached,) = message.iter_attachments()
    assert len(wav.parse(attached.get_content()).data) == 2 * (len(SAMPLES) - 400)
    assert "故障：停电（mains） / Fault: power failure (mains)" in fault["Subject"]
    assert "市电中断，由电池供电" in text_of(fault)
    assert "Over: power failure" in end["Subject"]
    told = [(notice["who"], notice["result"]) for notice in incidents(settings)[0]["notices"]]
    assert told == [("boss@office.test", "told of the fault"), ("boss@office.test", "told that it is over")]


def incidents(settings: Settings) -> list[dict[str, list[dict[str, str]]]]:
    from zoneinfo import ZoneInfo

    with Records(settings.data_dir, ZoneInfo("Asia/Shanghai")) as records:
        return records.incidents()


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
