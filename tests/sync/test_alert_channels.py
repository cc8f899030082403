from __future__ import annotations

import json
from pathlib import Path

import pytest
import standardwebhooks

from firmware.email_settings import EmailSettings
from firmware.errors import FarEndUnreachable, TryLater
from firmware.ports import Telling, Told, What
from firmware.sync.alert_channels import HookChannel, MailChannel
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.signed_post import HookAddress, PatientRate, SignedPost
from tests.sync.mail_servers import Mailbox, mail_server
from tests.sync.records import APPLIANCE, FixedClock
from tests.sync.web_receiver import Receiver, answer

SECRET = "a secret of sixteen bytes and more"
INCIDENT = {"id": "i1", "kind": "power", "place": "mains", "summary": "mains is away", "ended_at": None}
TELLING = Telling("i1.0.began", What.BEGAN, 0, [INCIDENT])
ANNA, BEN = "anna@office.test", "ben@office.test"


def hook(receiver: Receiver, tmp_path: Path) -> HookChannel:
    (tmp_path / "secret").write_text(SECRET)
    clock = FixedClock()
    caller = HttpCaller(CallerSettings(timeout_seconds=20.0), PatientRate(None), clock)
    post = SignedPost(caller, HookAddress(receiver.url, tmp_path / "secret"), clock)
    return HookChannel(post, receiver.url, APPLIANCE)


async def test_a_web_hook_is_told_signed(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        channel = hook(receiver, tmp_path)
        told = await channel.tell(TELLING, list(channel.people))
        await channel.close()
    assert list(told.reached) == list(channel.people) == [f"127.0.0.1:{receiver.port}"]
    (got,) = receiver.got
    content = standardwebhooks.Webhook(SECRET.encode()).verify(got.body, got.headers)
    assert content["alert"] == "began"
    assert (content["step"], content["incidents"], content["more"]) == (1, [INCIDENT], 0)
    assert got.headers["idempotency-key"] == "i1.0.began"


async def test_a_web_hook_that_refuses_for_good_is_not_asked_for_ever(tmp_path: Path) -> None:
    async with Receiver(lambda got: answer(422)) as receiver:
        channel = hook(receiver, tmp_path)
        told = await channel.tell(TELLING, list(channel.people))
        await channel.close()
    assert told == Told(refused={f"127.0.0.1:{receiver.port}": "the far end answered with status 422"})


@pytest.mark.parametrize(("raw", "error"), [(answer(503), TryLater), (answer(200, b"<html>"), FarEndUnreachable)])
async def test_a_web_hook_that_cannot_now_is_told_later(tmp_path: Path, raw: bytes, error: type[Exception]) -> None:
    async with Receiver(lambda got: raw) as receiver:
        channel = hook(receiver, tmp_path)
        with pytest.raises(error):
            await channel.tell(TELLING, list(channel.people))
        await channel.close()


def mails(port: int) -> MailChannel:
    fields = {"server": "127.0.0.1", "port": port, "security": "none", "sender": "phone@office.test"}
    settings = EmailSettings.model_validate_json(json.dumps(fields))
    return MailChannel(
        settings, [ANNA, BEN], lambda telling: (f"{telling.what.value}\r\nBcc: x@y.test", "words"), FixedClock()
    )


async def test_people_are_told_by_one_mail() -> None:
    mailbox = Mailbox(rcpt_word=lambda who: "550 unknown" if who == BEN else "")
    async with mail_server(mailbox) as port:
        told = await mails(port).tell(TELLING, [ANNA, BEN])
    assert (list(told.reached), dict(told.refused)) == ([ANNA], {BEN: "550 unknown"})
    ((people, mail),) = mailbox.got
    assert people == [ANNA]
    assert mail["Message-ID"] == "<i1.0.began@office.test>"
    assert mail["Bcc"] is None


async def test_a_mail_that_is_refused_altogether_is_told_to_nobody() -> None:
    async with mail_server(Mailbox(data_word=lambda content: "554 no")) as port:
        told = await mails(port).tell(TELLING, [ANNA, BEN])
    assert set(told.refused) == {ANNA, BEN}
