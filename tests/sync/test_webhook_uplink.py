from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import HTTP
from pathlib import Path

import pytest
import standardwebhooks
import trustme

from firmware.errors import ClockWrong, DeliveryError, DeliveryRefused, FarEndUnreachable, TryLater
from firmware.ports import Outcome
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.signed_post import HookAddress, PatientRate, SignedPost
from firmware.sync.web_answers import NoAnswer
from firmware.sync.webhook_uplink import WebhookUplink
from tests.sync.records import APPLIANCE, FixedClock, blob_in, entry
from tests.sync.web_receiver import CUT, NEVER, Got, Receiver, answer

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
PAGE = b"<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    return file


def uplink(
    receiver: Receiver, secret_file: Path, timeout_seconds: float = 20.0, authority_file: Path | None = None
) -> WebhookUplink:
    settings = CallerSettings(timeout_seconds=timeout_seconds, authority_file=authority_file)
    return made(receiver.url, secret_file, settings, FixedClock())


def made(url: str, secret_file: Path, settings: CallerSettings, clock: FixedClock) -> WebhookUplink:
    caller = HttpCaller(settings, PatientRate(None), clock)
    return WebhookUplink(SignedPost(caller, HookAddress(url, secret_file), clock), APPLIANCE)


async def test_each_record_arrives_in_order_and_its_signature_is_good(secret_file: Path) -> None:
    async with Receiver() as receiver:
        hook = uplink(receiver, secret_file)
        answers = await hook.deliver([entry(1), entry(2, erased=True), entry(3, {"caller_name": "王小明"})])
        await hook.close()
    assert [(each.seq, each.version, each.outcome) for each in answers] == [(n, n, Outcome.STORED) for n in (1, 2, 3)]
    told = [standardwebhooks.Webhook(SECRET).verify(got.body, got.headers) for got in receiver.got]
    assert [each["record"]["seq"] for each in told] == [1, 2, 3]
    assert told[0]["appliance"] == {"id": APPLIANCE.device, "name": APPLIANCE.name}
    assert (told[1]["record"]["erased"], told[1]["record"]["body"]) == (True, None)
    assert told[2]["record"]["body"]["caller_name"] == "王小明"
    keys = [got.headers["idempotency-key"] for got in receiver.got]
    assert (
        keys == [got.headers["webhook-id"] for got in receiver.got] == [f"{entry(n).record_id}.{n}" for n in (1, 2, 3)]
    )


async def test_a_recording_travels_as_a_form_whose_signature_covers_every_byte(
    secret_file: Path, tmp_path: Path
) -> None:
    blob = blob_in(tmp_path, samples=b"\r\n--linekeeper\x00" * 30_000)
    async with Receiver() as receiver:
        hook = uplink(receiver, secret_file)
        (answered,) = await hook.deliver([entry(7, kind="recording", blob=blob)])
        await hook.close()
    assert answered.outcome is Outcome.STORED
    (got,) = receiver.got
    content_type = got.headers["content-type"]
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + got.body, policy=HTTP)
    assert isinstance(form, EmailMessage)
    parts = {part.get_param("name", header="content-disposition"): part.get_content() for part in form.iter_parts()}
    assert json.loads(parts["record"])["record"]["blob"]["sha256"] == blob.sha256
    assert parts["audio"] == blob.file.read_bytes()
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    good = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == "v1," + base64.b64encode(good).decode()


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (answer(200, PAGE, "text/html; charset=utf-8"), FarEndUnreachable),
        (answer(200, b" \n" + PAGE, "application/json"), FarEndUnreachable),
        (answer(302, b"", "text/plain", "Location: http://127.0.0.1:1/login"), FarEndUnreachable),
        (answer(511, PAGE, "text/html"), FarEndUnreachable),
        (CUT, FarEndUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", FarEndUnreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", FarEndUnreachable),
        (answer(401), DeliveryRefused),
        (answer(403), DeliveryRefused),
        (answer(404, PAGE, "text/html"), DeliveryRefused),
        (answer(500), TryLater),
        (answer(408), TryLater),
    ],
)
async def test_what_is_no_acknowledgement_acknowledges_nothing(
    secret_file: Path, raw: bytes, error: type[DeliveryError]
) -> None:
    def behave(got: Got) -> bytes:
        return raw

    async with Receiver(behave) as receiver:
        hook = uplink(receiver, secret_file)
        waiting = asyncio.ensure_future(hook.deliver([entry(1)]))
        if b"Content-Length: 100" in raw:
            while not receiver.got:
                await asyncio.sleep(0)
            await receiver.__aexit__(None, None, None)
        with pytest.raises(error):
            await waiting
        await hook.close()
    assert len(receiver.got) == 1


async def test_a_receiver_that_never_answers_is_given_up(secret_file: Path) -> None:
    async with Receiver(lambda got: NEVER) as receiver:
        hook = uplink(receiver, secret_file, timeout_seconds=0.2)
        with pytest.raises(NoAnswer):
            await hook.deliver([entry(1)])
        await hook.close()


async def test_a_slow_answer_is_waited_for(secret_file: Path) -> None:
    async def slowly(got: Got) -> bytes:
        await asyncio.sleep(0.3)
        return answer(202)

    async with Receiver(slowly) as receiver:
        hook = uplink(receiver, secret_file)
        (answered,) = await hook.deliver([entry(1)])
        await hook.close()
    assert answered.outcome is Outcome.STORED


async def test_an_answer_that_drips_for_ever_is_given_up(secret_file: Path) -> None:
    dripping = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000

    async with Receiver(lambda got: dripping) as receiver:
        hook = uplink(receiver, secret_file, timeout_seconds=0.2)
        with pytest.raises(FarEndUnreachable):
            await hook.deliver([entry(1)])
        await hook.close()


async def test_a_lost_answer_brings_the_record_again_under_the_same_key(secret_file: Path) -> None:
    async with Receiver(lambda got: CUT if len(receiver.got) == 1 else answer(204)) as receiver:
        hook = uplink(receiver, secret_file)
        with pytest.raises(FarEndUnreachable):
            await hook.deliver([entry(1)])
        (answered,) = await hook.deliver([entry(1)])
        await hook.close()
    assert answered.outcome is Outcome.STORED
    assert len({got.headers["idempotency-key"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1


async def test_the_word_on_when_to_come_again_is_heard(secret_file: Path) -> None:
    async with Receiver(lambda got: answer(429, b"", "text/plain", "Retry-After: 120")) as receiver:
        hook = uplink(receiver, secret_file)
        with pytest.raises(TryLater) as caught:
            await hook.deliver([entry(1), entry(2)])
        await hook.close()
    assert caught.value.retry_after_seconds == 120
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422, 500])
async def test_one_bad_record_does_not_hold_up_the_others(secret_file: Path, status: int) -> None:
    def behave(got: Got) -> bytes:
        return answer(status) if json.loads(got.body)["record"]["seq"] == 1 else answer(200)

    async with Receiver(behave) as receiver:
        hook = uplink(receiver, secret_file)
        answers = {each.seq: each for each in await hook.deliver([entry(1), entry(2)])}
        await hook.close()
    assert answers[1].outcome is Outcome.REJECTED
    assert str(status) in answers[1].reason
    assert answers[2].outcome is Outcome.STORED


async def test_many_bad_records_do_not_hold_up_the_others_for_good(secret_file: Path) -> None:
    def behave(got: Got) -> bytes:
        return answer(500) if json.loads(got.body)["record"]["seq"] <= 5 else answer(200)

    entries = [entry(seq) for seq in range(1, 7)]
    async with Receiver(behave) as receiver:
        hook = uplink(receiver, secret_file)
        with pytest.raises(TryLater):
            await hook.deliver(entries)
        answers = {each.seq: each.outcome for each in await hook.deliver(entries)}
        await hook.close()
    assert answers[6] is Outcome.STORED
    assert set(answers.values()) == {Outcome.STORED, Outcome.REJECTED}


async def test_a_receiver_that_is_broken_altogether_is_not_asked_for_every_record(secret_file: Path) -> None:
    async with Receiver(lambda got: answer(500)) as receiver:
        hook = uplink(receiver, secret_file)
        with pytest.raises(TryLater):
            await hook.deliver([entry(seq) for seq in range(1, 50)])
        await hook.close()
    assert len(receiver.got) == 3


async def test_what_was_taken_before_the_fault_is_told(secret_file: Path) -> None:
    async with Receiver(lambda got: answer(200) if len(receiver.got) < 3 else answer(503)) as receiver:
        hook = uplink(receiver, secret_file)
        answers = await hook.deliver([entry(seq) for seq in (1, 2, 3, 4)])
        await hook.close()
    assert [each.seq for each in answers] == [1, 2]


async def test_a_recording_that_is_gone_is_told_and_the_rest_goes_on(secret_file: Path, tmp_path: Path) -> None:
    blob = blob_in(tmp_path)
    blob.file.unlink()
    async with Receiver() as receiver:
        hook = uplink(receiver, secret_file)
        first, second = await hook.deliver([entry(1, blob=blob), entry(2)])
        await hook.close()
    assert (first.outcome, second.outcome) == (Outcome.REJECTED, Outcome.STORED)
    assert "recording" in first.reason


async def test_without_a_secret_nothing_leaves(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        hook = uplink(receiver, tmp_path / "missing")
        with pytest.raises(DeliveryRefused, match="holds no secret"):
            await hook.deliver([entry(1)])
        await hook.close()
    assert receiver.got == []


async def test_nothing_leaves_this_machine_unencrypted(secret_file: Path) -> None:
    hook = made("http://192.0.2.1/hook", secret_file, CallerSettings(), FixedClock())
    with pytest.raises(DeliveryRefused, match="https"):
        await hook.deliver([entry(1)])


async def test_only_the_authority_that_was_named_is_believed(secret_file: Path, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    for issuer, good in ((authority, True), (stranger, False)):
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issuer.issue_cert("127.0.0.1").configure_cert(tls)
        async with Receiver(tls=tls) as receiver:
            hook = uplink(receiver, secret_file, authority_file=tmp_path / "authority.pem")
            if good:
                await hook.deliver([entry(1)])
            else:
                with pytest.raises(FarEndUnreachable, match="certificate"):
                    await hook.deliver([entry(1)])
            await hook.close()
        assert bool(receiver.got) is good


async def test_a_clock_that_is_not_set_is_named_where_a_certificate_is_too_old(
    secret_file: Path, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(tls)
    async with Receiver(tls=tls) as receiver:
        clock = FixedClock()
        clock.good = False
        hook = made(receiver.url, secret_file, CallerSettings(authority_file=tmp_path / "authority.pem"), clock)
        with pytest.raises(ClockWrong):
            await hook.deliver([entry(1)])
        await hook.close()
