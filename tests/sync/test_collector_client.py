"""What a client makes of a collector, and of whoever answers in its place."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import SystemClock
from firmware.errors import ClockWrong, DeliveryError, DeliveryRefused, FarEndUnreachable, TryLater
from firmware.sync.collector_answers import NoSense, RequestRefused, read_answers, read_blob_state, read_greeting
from firmware.sync.collector_client import CollectorClient
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.rate import ByteRate
from firmware.uplink_contract.signing import SignedRequest, body_digest, signed_bytes
from tests.sync.certificates import identity, verifies
from tests.sync.raw_server import Handle, answer, raw_server


class WrongClock(SystemClock):
    """A day behind, and not set by any time server."""

    def now(self) -> datetime:
        return super().now() - timedelta(days=1)

    def trusted(self) -> bool:
        return False


@asynccontextmanager
async def client_of(url: str, clock: SystemClock | None = None, **settings: Any) -> AsyncIterator[CollectorClient]:
    clock = clock or SystemClock()
    rate = ByteRate(settings.pop("rate", None))
    caller = HttpCaller(CallerSettings(**{"timeout_seconds": 5.0, **settings}), rate, clock)
    client = CollectorClient(url, caller, clock)
    client.identity = identity()
    try:
        yield client
    finally:
        await client.close()


def says(*whole: bytes, then_close: bool = False) -> Handle:
    answers = list(whole)

    async def handle(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0) if len(answers) > 1 else answers[0])
        if then_close:
            writer.close()

    return handle


async def met(handle: Handle, **settings: Any) -> DeliveryError:
    async with raw_server(handle) as url, client_of(url, **settings) as client:
        with pytest.raises(DeliveryError) as caught:
            await client.request("GET")
    return caught.value


_HTML = b"<html><body>Please sign in to the network</body></html>"


@pytest.mark.parametrize(
    "reply",
    [
        answer(_HTML, kind="text/html", marked=False),
        answer(b'{"highest_seq": 1}', marked=False),
        answer(b"", status="302 Found", marked=False, more="Location: http://login.example/\r\n"),
        answer(b"", status="502 Bad Gateway", marked=False),
        answer(b"", status="511 Network Authentication Required", marked=False),
    ],
)
async def test_whoever_answers_without_the_mark_is_somebody_else(reply: bytes) -> None:
    error = await met(says(reply))
    assert isinstance(error, FarEndUnreachable)
    assert "somebody else answers" in str(error)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"highest_seq": 1', b"[]", b"null", b"1" * 5000, b"[" * 100_000, b"\xff\xfe", b'"a"']
)
async def test_answers_that_are_no_json_object_make_no_sense(body: bytes) -> None:
    assert isinstance(await met(says(answer(body))), NoSense)


async def test_answer_that_breaks_off_is_none() -> None:
    whole = answer(b'{"highest_seq": 1, "highest_version": 1, "down": 0}')
    error = await met(says(whole[:-10], then_close=True))
    assert isinstance(error, FarEndUnreachable)


async def test_closed_without_a_word_and_no_http_at_all_are_no_answer() -> None:
    assert isinstance(await met(says(b"", then_close=True)), FarEndUnreachable)
    assert isinstance(await met(says(b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True)), FarEndUnreachable)


async def test_answer_without_end_is_given_up() -> None:
    async def endless(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nLinekeeper-Collector: 1\r\nContent-Type: application/json\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65536)
            await writer.drain()

    error = await met(endless)
    assert isinstance(error, FarEndUnreachable)
    assert "more than" in str(error)


async def test_answer_that_trickles_is_given_up_in_time() -> None:
    async def slow(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nLinekeeper-Collector: 1\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    error = await met(slow, timeout_seconds=1.0)
    assert isinstance(error, FarEndUnreachable)
    assert "no answer within 1 s" in str(error)


async def test_black_hole_is_noticed() -> None:
    async def silent(_request: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    assert "no answer within 1 s" in str(await met(silent, timeout_seconds=1.0))


async def test_nobody_listens() -> None:
    async with raw_server(says(b"")) as url:
        pass
    async with client_of(url) as client:
        with pytest.raises(FarEndUnreachable, match="cannot be reached"):
            await client.request("GET")


@pytest.mark.parametrize(
    ("status", "fields", "kind"),
    [
        ("429 Too Many Requests", {"error": "busy"}, TryLater),
        ("503 Service Unavailable", {"error": "unavailable"}, TryLater),
        ("500 Internal Server Error", {"error": "unavailable"}, TryLater),
        ("401 Unauthorized", {"error": "certificate"}, DeliveryRefused),
        ("403 Forbidden", {"error": "denied"}, DeliveryRefused),
        ("403 Forbidden", {"error": ["odd"]}, DeliveryRefused),
        ("404 Not Found", {"error": "not_found"}, RequestRefused),
        ("409 Conflict", {"error": "offset", "offset": 7}, RequestRefused),
        ("307 Temporary Redirect", {}, RequestRefused),
    ],
)
async def test_each_refusal_is_told_apart(status: str, fields: dict[str, Any], kind: type[DeliveryError]) -> None:
    error = await met(says(answer(json.dumps(fields).encode(), status=status, more="Retry-After: 17\r\n")))
    assert type(error) is kind
    if isinstance(error, TryLater):
        assert error.retry_after_seconds == 17


async def test_requests_are_signed_over_what_is_sent() -> None:
    seen: list[bytes] = []

    async def keep(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(answer(b"{}"))

    async with raw_server(keep) as url, client_of(f"{url}/behind/a/prefix") as client:
        await client.request("PATCH", "/blobs/ab", query={"offset": 5, "size": 9}, body=b"part")
        await client.request("POST", "/records", value={"records": []})
    nonces = set()
    for request, body in zip(seen, (b"part", b'{"records": []}'), strict=True):
        head, _, sent = request.partition(b"\r\n\r\n")
        assert sent == body
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        headers = dict(line.decode().lower().split(": ", 1) for line in head.split(b"\r\n")[1:])
        raw = {line.split(b": ")[0].lower(): line.split(b": ", 1)[1] for line in head.split(b"\r\n")[1:]}
        digest = headers["linekeeper-digest"]
        assert digest == body_digest(body)
        signed = SignedRequest(method, target, int(headers["linekeeper-date"]), headers["linekeeper-nonce"], digest)
        assert target.startswith("/behind/a/prefix/v1/d/device-1")
        assert verifies(base64.b64decode(raw[b"linekeeper-signature"]), signed_bytes(signed))
        nonces.add(headers["linekeeper-nonce"])
    assert len(nonces) == 2


async def test_wrong_clock_signs_again_with_the_collectors_time_and_keeps_it() -> None:
    dates: list[int] = []
    true_ms = int(datetime.now(UTC).timestamp() * 1000)

    async def strict(request: bytes, writer: asyncio.StreamWriter) -> None:
        date = int(next(line[17:] for line in request.lower().split(b"\r\n") if line.startswith(b"linekeeper-date: ")))
        dates.append(date)
        if abs(date - true_ms) > 300_000:
            body = json.dumps({"error": "clock", "server_time_ms": true_ms}).encode()
            writer.write(answer(body, status="401 Unauthorized"))
        else:
            writer.write(answer(b"{}"))

    async with raw_server(strict) as url, client_of(url, WrongClock()) as client:
        await client.request("GET")
        await client.request("GET")
    assert len(dates) == 3


async def test_collector_that_never_likes_the_time_is_given_up() -> None:
    body = b'{"error": "clock", "server_time_ms": 5}'
    assert isinstance(await met(says(answer(body, status="401 Unauthorized"))), ClockWrong)


async def test_plain_http_to_another_machine_is_refused_before_anything_is_sent() -> None:
    async with client_of("http://collector.example") as client:
        with pytest.raises(DeliveryRefused, match="write https"):
            await client.request("GET")


async def test_cap_holds_within_one_request() -> None:
    async with raw_server(says(answer(b"{}"))) as url, client_of(url, rate=100_000.0) as client:
        began = asyncio.get_running_loop().time()
        await client.request("PATCH", "/blobs/ab", body=bytes(80_000))
        assert 0.45 < asyncio.get_running_loop().time() - began < 5


class TestTls:
    """Certificates of the far end."""

    async def test_trusted_one_is_taken(self, tmp_path: Path) -> None:
        async with self.served(tmp_path) as (url, file), client_of(url, authority_file=file) as client:
            assert await client.request("GET") == {}

    async def test_unknown_authority_is_refused(self, tmp_path: Path) -> None:
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        await self.expect(tmp_path, FarEndUnreachable, "authority_file", authority_file=other)

    async def test_certificate_of_another_name_is_somebody_else(self, tmp_path: Path) -> None:
        await self.expect(tmp_path, FarEndUnreachable, "somebody else answers", names=["other.example"])

    async def test_expired_one_is_said_to_be(self, tmp_path: Path) -> None:
        ended = datetime.now(UTC) - timedelta(days=1)
        begins = ended - timedelta(days=9)
        pattern = "has ended" if SystemClock().trusted() else "clock here"
        await self.expect(tmp_path, DeliveryError, pattern, not_before=begins, not_after=ended)

    async def test_untrusted_clock_is_what_is_wrong_with_a_certificate_of_the_future(self, tmp_path: Path) -> None:
        begins = datetime.now(UTC) + timedelta(days=1)
        ends = begins + timedelta(days=9)
        await self.expect(tmp_path, ClockWrong, "time server", clock=WrongClock(), not_before=begins, not_after=ends)

    async def test_authority_file_that_is_none_says_what_to_do(self, tmp_path: Path) -> None:
        nonsense = tmp_path / "nonsense.pem"
        nonsense.write_text("no certificate", encoding="utf-8")
        async with client_of("https://127.0.0.1:1", authority_file=nonsense) as client:
            with pytest.raises(DeliveryRefused, match="PEM file"):
                await client.request("GET")

    async def test_tls_is_expected_where_https_is_named(self) -> None:
        async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with server, client_of(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
            with pytest.raises(FarEndUnreachable, match="cannot talk TLS"):
                await client.request("GET")

    async def expect(
        self, folder: Path, kind: type[DeliveryError], pattern: str, clock: SystemClock | None = None, **how: Any
    ) -> None:
        authority_file = how.pop("authority_file", None)
        async with (
            self.served(folder, **how) as (url, file),
            client_of(url, clock, authority_file=authority_file or file) as client,
        ):
            with pytest.raises(kind, match=pattern):
                await client.request("GET")

    @asynccontextmanager
    async def served(self, folder: Path, names: list[str] | None = None, **how: Any) -> AsyncIterator[tuple[str, Path]]:
        authority = trustme.CA()
        file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ["127.0.0.1"]), **how).configure_cert(context)
        async with raw_server(says(answer(b"{}")), context) as url:
            yield url, file


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["answers", "seq", "version", "outcome", "reason", "offset", "complete", "down", "highest_seq"]
)
_OBJECT = st.dictionaries(
    _FIELDS, _JSON | st.lists(st.dictionaries(_FIELDS, _JSON, max_size=4), max_size=4), max_size=5
)


@given(_OBJECT)
def test_whatever_json_is_answered_is_judged_and_never_believed(fields: dict[str, Any]) -> None:
    for read in (read_greeting, lambda told: read_blob_state(told, 100), lambda told: read_answers(told, {1: 1})):
        try:
            value = read(fields)
        except NoSense:
            continue
        if isinstance(value, int):
            assert 0 <= value <= 100
        elif isinstance(value, list):
            assert all((item.seq, item.version) == (1, 1) for item in value)


def test_answers_to_what_was_not_sent_count_for_nothing() -> None:
    told = {
        "answers": [
            {"seq": 1, "version": 5, "outcome": "stored"},
            {"seq": 2, "version": 6, "outcome": "stored"},
            {"seq": 3, "version": 7, "outcome": "swallowed"},
            {"seq": True, "version": 7, "outcome": "stored"},
        ]
    }
    assert [answer.seq for answer in read_answers(told, {1: 5, 2: 7, 3: 7})] == [1]
