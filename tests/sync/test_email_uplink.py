from __future__ import annotations

import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import trustme

from firmware import wav
from firmware.email_settings import EmailSettings
from firmware.errors import DeliveryError, DeliveryRefused, FarEndUnreachable, TryLater
from firmware.pcm import SampleFormat, encode_s16
from firmware.ports import Outcome
from firmware.sync.email_uplink import EmailUplink
from tests.sync.mail_servers import Mailbox, mail_server
from tests.sync.records import APPLIANCE, FixedClock, blob_in, entry

ANNA, BEN = "anna@office.test", "ben@office.test"
BODY = {
    "number": 12,
    "caller_number": "+8613800138000",
    "recorded_at": "2026-03-01T08:00:00.000+00:00",
    "duration_seconds": 61.6,
    "urgent": True,
    "interrupted": False,
    "transcript": "请给我回电话\nthank you",
    "kept_samples": 6000,
}
Troubles = list[str | None]


def uplink(port: int, troubles: Troubles | None = None, **more: Any) -> EmailUplink:
    fields = {"server": "127.0.0.1", "port": port, "security": "none", "sender": "phone@office.test", "to": (ANNA, BEN)}
    settings = EmailSettings.model_validate({**fields, "timeout_seconds": 5.0, **more})

    async def trouble(sentence: str | None) -> None:
        if troubles is not None:
            troubles.append(sentence)

    return EmailUplink(settings, APPLIANCE.name, ("zh", "en"), ZoneInfo("Asia/Shanghai"), FixedClock(), trouble)


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_message_arrives_with_its_facts_in_both_languages_and_its_audio(tmp_path: Path) -> None:
    mailbox, blob = Mailbox(), blob_in(tmp_path, b"\x80\xff" * 4000)
    async with mail_server(mailbox) as port:
        (answered,) = await uplink(port).deliver([entry(1, BODY, blob=blob)])
    assert answered.outcome is Outcome.STORED
    ((people, mail),) = mailbox.got
    assert people == [ANNA, BEN]
    assert (
        mail["Subject"]
        == "[紧急] 留言 12，来电 +8613800138000 / [Urgent] Message 12 from +8613800138000 (Front office)"
    )
    assert mail["Message-ID"] == f"<{entry(1).record_id}@office.test>"
    assert (mail["Importance"], mail["Auto-Submitted"]) == ("high", "auto-generated")
    text = text_of(mail)
    for words in (
        "2026-03-01 16:00:00 (Asia/Shanghai)",
        "1 分 2 秒",
        "1 min 2 s",
        "请给我回电话\nthank you",
        "录音见附件",
    ):
        assert words in text
    (attachment,) = mail.iter_attachments()
    audio = wav.parse(attachment.get_content())
    assert (audio.sample_format, len(audio.data)) == (SampleFormat.S16, 12_000)
    assert encode_s16(audio.data, SampleFormat.U8) == (b"\x80\xff" * 4000)[:6000]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_with_encryption_and_password(tmp_path: Path, security: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    (tmp_path / "password").write_text("right\n")
    more: dict[str, Any] = {"security": security, "user": "office", "password_file": tmp_path / "password"}
    more["authority_file"] = tmp_path / "authority.pem"
    mailbox = Mailbox()
    async with mail_server(mailbox, tls, login=True, from_the_start=security == "tls") as port:
        await uplink(port, **more).deliver([entry(1, BODY)])
        with pytest.raises(FarEndUnreachable, match="certificate"):
            await uplink(port, **{**more, "authority_file": None}).deliver([entry(2, BODY)])
        (tmp_path / "password").write_text("wrong")
        with pytest.raises(DeliveryRefused, match="password"):
            await uplink(port, **more).deliver([entry(3, BODY)])
    assert len(mailbox.got) == 1


async def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        with pytest.raises(DeliveryRefused, match="security"):
            await uplink(port, security="starttls").deliver([entry(1, BODY)])
    assert mailbox.got == []


async def test_one_unknown_person_does_not_keep_the_mail_from_the_others() -> None:
    mailbox = Mailbox(rcpt_word=lambda who: "550 no such mailbox" if who == BEN else "")
    troubles: Troubles = []
    async with mail_server(mailbox) as port:
        (answered,) = await uplink(port, troubles).deliver([entry(1, BODY)])
    assert answered.outcome is Outcome.STORED
    assert BEN in answered.reason
    assert [people for people, _ in mailbox.got] == [[ANNA]]
    assert troubles == [f"mail does not reach everybody: {BEN}: 550 no such mailbox; correct email.to"]


async def test_nobody_known_is_a_refusal() -> None:
    async with mail_server(Mailbox(rcpt_word=lambda who: "550 no such mailbox")) as port:
        (answered,) = await uplink(port).deliver([entry(1, BODY)])
    assert answered.outcome is Outcome.REJECTED


async def test_who_is_greylisted_gets_the_mail_later_and_the_others_not_twice() -> None:
    waiting = {BEN}
    mailbox = Mailbox(rcpt_word=lambda who: "450 greylisted, come again" if who in waiting else "")
    async with mail_server(mailbox) as port:
        mails = uplink(port)
        with pytest.raises(TryLater, match="greylisted"):
            await mails.deliver([entry(1, BODY)])
        waiting.clear()
        (answered,) = await mails.deliver([entry(1, BODY)])
    assert answered.outcome is Outcome.STORED
    assert [people for people, _ in mailbox.got] == [[ANNA], [BEN]]
    assert len({mail["Message-ID"] for _, mail in mailbox.got}) == 1


@pytest.mark.parametrize(
    ("mailbox", "error"),
    [
        (Mailbox(mail_word="451 later"), TryLater),
        (Mailbox(mail_word="550 not you"), DeliveryRefused),
        (Mailbox(mail_word="vanish"), FarEndUnreachable),
        (Mailbox(rcpt_word=lambda who: "vanish"), FarEndUnreachable),
        (Mailbox(data_word=lambda content: "vanish"), FarEndUnreachable),
        (Mailbox(data_word=lambda content: "452 disk full"), TryLater),
    ],
)
async def test_a_server_that_fails_at_any_stage_acknowledges_nothing(
    mailbox: Mailbox, error: type[DeliveryError]
) -> None:
    async with mail_server(mailbox) as port:
        with pytest.raises(error):
            await uplink(port).deliver([entry(1, BODY)])
    assert mailbox.got == []


async def test_a_server_that_vanishes_after_it_took_the_mail_gets_it_again_under_the_same_id() -> None:
    mailbox = Mailbox(data_word=lambda content: "vanish", keep_though_vanishing=True)
    async with mail_server(mailbox) as port:
        mails = uplink(port)
        with pytest.raises(FarEndUnreachable):
            await mails.deliver([entry(1, BODY)])
        mailbox.data_word = lambda content: ""
        await mails.deliver([entry(1, BODY)])
    assert len(mailbox.got) == 2
    assert len({mail["Message-ID"] for _, mail in mailbox.got}) == 1


async def test_a_large_mail_has_the_time_that_a_slow_line_takes_and_a_small_one_has_not(tmp_path: Path) -> None:
    blob = blob_in(tmp_path, b"\x80\x7f" * 4000)
    mailbox = Mailbox(data_seconds=3.0)
    async with mail_server(mailbox) as port:
        mails = uplink(port, timeout_seconds=1.0)
        (answered,) = await mails.deliver([entry(1, {**BODY, "kept_samples": 8000}, blob=blob)])
        with pytest.raises(FarEndUnreachable):
            await mails.deliver([entry(2, BODY)])
    assert answered.outcome is Outcome.STORED


async def test_no_server_is_told_in_a_sentence(unused_tcp_port: int) -> None:
    with pytest.raises(FarEndUnreachable, match=r"the mail server 127\.0\.0\.1 cannot be reached"):
        await uplink(unused_tcp_port).deliver([entry(1, BODY)])


@pytest.mark.parametrize("limit", ["ours", "theirs, announced", "theirs, when it was sent"])
async def test_a_mail_that_is_too_large_goes_without_its_audio_and_says_so(tmp_path: Path, limit: str) -> None:
    blob = blob_in(tmp_path, b"\x80\x7f" * 50_000)
    body = {**BODY, "kept_samples": 100_000}
    large = Mailbox(data_word=lambda content: "552 too large" if len(content) > 100_000 else "")
    mailbox = large if limit == "theirs, when it was sent" else Mailbox()
    async with mail_server(mailbox, most_bytes=100_000 if limit == "theirs, announced" else 50_000_000) as port:
        mails = uplink(port, most_megabytes=0.1 if limit == "ours" else 15.0)
        (answered,) = await mails.deliver([entry(1, body, blob=blob)])
    assert answered.outcome is Outcome.STORED
    ((_, mail),) = mailbox.got
    assert list(mail.iter_attachments()) == []
    assert "too large for a mail" in text_of(mail)


async def test_a_mail_that_is_refused_does_not_hold_up_the_next() -> None:
    mailbox = Mailbox(data_word=lambda content: "554 looks like spam" if b"0000001@" in content else "")
    async with mail_server(mailbox) as port:
        first, second = await uplink(port).deliver([entry(1, BODY), entry(2, BODY)])
    assert (first.outcome, second.outcome) == (Outcome.REJECTED, Outcome.STORED)


async def test_a_mail_that_the_server_breaks_off_at_does_not_hold_up_the_next_for_good() -> None:
    mailbox = Mailbox(data_word=lambda content: "vanish" if b"0000001@" in content else "")
    async with mail_server(mailbox) as port:
        mails = uplink(port)
        with pytest.raises(FarEndUnreachable):
            await mails.deliver([entry(1, BODY), entry(2, BODY)])
        (answered,) = await mails.deliver([entry(1, BODY), entry(2, BODY)])
    assert (answered.seq, answered.outcome) == (2, Outcome.STORED)


async def test_mails_are_noted_before_many_more_are_sent() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        answers = await uplink(port).deliver([entry(seq, BODY) for seq in range(1, 51)])
    assert [each.seq for each in answers] == list(range(1, 11))


async def test_what_was_erased_meanwhile_sends_no_mail() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        (answered,) = await uplink(port).deliver([entry(1, erased=True)])
    assert answered.outcome is Outcome.STORED
    assert mailbox.got == []
