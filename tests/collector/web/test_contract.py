"""The contract on the wire: what is answered, and what every answer has."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from collector.blobs.shelf import Shelf
from collector.service import Collector
from collector.web.room import Limits
from firmware.uplink_contract.limits import MOST_BATCH_BYTES, MOST_BLOB_BYTES, PART_BYTES
from tests.collector.clients import Appliance, new_key
from tests.collector.copies import Copies

NOW = datetime.now(UTC).isoformat()


def _batch(*records: dict[str, Any], **report: Any) -> bytes:
    told = {"queued": 0, "next_seq": 9, "oldest_seq": None, "sent_at": NOW, "clock_trusted": True, **report}
    return json.dumps({"records": records, **told}).encode()


def _record(seq: int, **changes: Any) -> dict[str, Any]:
    record = {"kind": "call", "id": f"019c0000-0000-7000-8000-{seq:012d}", "seq": seq, "version": seq}
    rest = {"queued_at": NOW, "clock_trusted": True, "erased": False, "body": {"line": "front"}, "blob": None}
    return {**record, **rest, **changes}


async def test_records_are_answered_one_by_one_and_seen_by_every_copy(copies: Copies) -> None:
    async with copies.copy() as (collector, web), copies.copy() as (_, other_web):
        appliance = await copies.enrolled(collector, web)
        content = b"RIFF" * 100
        blob = {"sha256": "a" * 64, "bytes": 400}
        batch = _batch(
            _record(1), _record(2, blob=blob), _record(3, kind="nonsense"), _record(4, erased=True, body=None)
        )
        answer = await appliance.send(web, "POST", "/records", batch)
        assert [one["outcome"] for one in answer.json()["answers"]] == ["stored", "need_blob", "rejected", "stored"]
        again = await appliance.send(other_web, "POST", "/records", batch)
        assert [one["outcome"] for one in again.json()["answers"]] == [
            "duplicate",
            "need_blob",
            "rejected",
            "duplicate",
        ]
        blob = {"sha256": await appliance.upload(other_web, content), "bytes": 400}
        last = await appliance.send(web, "POST", "/records", _batch(_record(2, blob=blob)))
        assert last.json() == {"answers": [{"seq": 2, "version": 2, "outcome": "stored", "reason": ""}], "down": 0}
        hello = (await appliance.send(other_web, "GET")).json()
        assert (hello["company"], hello["highest_seq"], hello["highest_version"]) == ("Acme", 4, 4)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/enrol", 405, "method"),
        ("GET", "/v1/enrol/", 404, "not_found"),
        ("POST", "/v1/enrol", 400, "malformed"),
        ("GET", "/v1/d/nobody", 400, "malformed"),
        ("GET", "/v1/d/019c0000-0000-7000-8000-000000000001", 401, "certificate"),
        ("DELETE", "/v1/d/019c0000-0000-7000-8000-000000000001", 405, "method"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
async def test_every_answer_says_who_speaks(
    web: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await web.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.headers["linekeeper-collector"] == "1"
    assert answer.headers["content-type"] == "application/json"


async def _raw(collector: Collector, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*collector.address)
    writer.write(text)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def test_even_what_is_no_http_is_answered_by_a_collector(collector: Collector) -> None:
    answer = await _raw(collector, b"\x16\x03\x01 hello\r\n\r\n")
    assert b"400" in answer.splitlines()[0]
    assert b"Linekeeper-Collector: 1" in answer
    assert b'"malformed"' in answer


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("/records", b" " * (MOST_BATCH_BYTES + 1)),
        (f"/blobs/{'a' * 64}?offset=0&size={MOST_BLOB_BYTES}", b" " * (PART_BYTES + 1)),
        (f"/blobs/{'a' * 64}?offset=0&size={MOST_BLOB_BYTES + 1}", b" " * PART_BYTES),
    ],
)
async def test_too_much_is_refused(web: httpx.AsyncClient, appliance: Appliance, rest: str, body: bytes) -> None:
    answer = await appliance.send(web, "POST" if rest == "/records" else "PATCH", rest, body)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_a_body_without_end_is_cut_off(collector: Collector, appliance: Appliance) -> None:
    target = f"/v1/d/{appliance.device}/records"
    headers = appliance.headers("POST", target) | {"Host": "x", "Transfer-Encoding": "chunked"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    _, writer = await asyncio.open_connection(*collector.address)
    writer.write(f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode())
    with suppress(ConnectionError):
        for _ in range(1000):
            writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
            await writer.drain()
        raise AssertionError("it took 65 MB")
    writer.close()


async def test_a_body_that_announces_too_much_is_not_even_read(collector: Collector, appliance: Appliance) -> None:
    target = f"/v1/d/{appliance.device}/records"
    headers = appliance.headers("POST", target) | {"Host": "x", "Content-Length": "999999999999999"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    answer = await _raw(collector, f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413")


async def test_nobody_reaches_another_appliance(
    copies: Copies, collector: Collector, web: httpx.AsyncClient, appliance: Appliance
) -> None:
    other = await copies.enrolled(collector, web, company="Another")
    for method, rest in (("GET", ""), ("POST", "/records"), ("POST", "/certificate"), ("GET", f"/blobs/{'a' * 64}")):
        target = f"/v1/d/{other.device}{rest}"
        answer = await web.request(method, target, headers=appliance.headers(method, target))
        assert (answer.status_code, answer.json()["error"]) == (403, "wrong_device")


async def test_a_replay_is_refused_on_every_copy(copies: Copies) -> None:
    async with copies.copy() as (collector, web), copies.copy() as (_, other_web):
        appliance = await copies.enrolled(collector, web)
        target = f"/v1/d/{appliance.device}"
        headers = appliance.headers("GET", target)
        asked = [each.get(target, headers=headers) for each in (web, other_web, web, other_web)]
        answers = sorted(answer.status_code for answer in await asyncio.gather(*asked))
        assert answers == [200, 401, 401, 401]


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 100_000, b'{"records": NaN}', b"\xff", b'"\\ud800"', b"1" * 5000])
async def test_what_is_no_batch_is_malformed(web: httpx.AsyncClient, appliance: Appliance, body: bytes) -> None:
    answer = await appliance.send(web, "POST", "/records", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_a_full_collector_says_when_to_come_back(copies: Copies) -> None:
    async with copies.copy(limits=Limits(bodies=2, each_device=2)) as (collector, web):
        appliance = await copies.enrolled(collector, web)
        other = await copies.enrolled(collector, web)
        target = f"/v1/d/{appliance.device}/records"
        lines = "".join(f"{name}: {value}\r\n" for name, value in appliance.headers("POST", target).items())
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n{lines}\r\n".encode()
        slow = [await asyncio.open_connection(*collector.address) for _ in range(2)]
        for _, writer in slow:
            writer.write(head)
            await writer.drain()
        while (answer := await other.send(web, "GET")).status_code == 200:
            await asyncio.sleep(0)
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert (await web.get("/healthz")).status_code == 200
        for _, writer in slow:
            writer.close()
        while (await other.send(web, "GET")).status_code != 200:
            await asyncio.sleep(0)


async def test_a_body_that_stops_coming_is_given_up(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.web.bodies._IDLE_SECONDS", 0.2)
    async with copies.copy() as (collector, web):
        appliance = await copies.enrolled(collector, web)
        target = f"/v1/d/{appliance.device}/records"
        lines = "".join(f"{name}: {value}\r\n" for name, value in appliance.headers("POST", target).items())
        reader, writer = await asyncio.open_connection(*collector.address)
        writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n{lines}\r\n12345".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        writer.close()
        assert collector.parts.door.room.present == 0


async def test_who_saw_a_certificate_holds_no_place_with_a_body_that_never_ends(copies: Copies) -> None:
    async with copies.copy(limits=Limits(each_device=1)) as (collector, web):
        appliance = await copies.enrolled(collector, web)
        target = f"/v1/d/{appliance.device}/records"
        thief = Appliance(appliance.device, new_key(), appliance.certificate_pem)
        seen = appliance.headers("POST", target)
        await web.post(target, headers=seen)
        for headers in (thief.headers("POST", target), seen):
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            reader, writer = await asyncio.open_connection(*collector.address)
            writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n{lines}\r\n12345".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")
            assert (await appliance.send(web, "GET")).status_code == 200
            writer.close()


async def test_a_stranger_with_a_slow_body_is_given_up_soon(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.web.door._STRANGER_SECONDS", 0.2)
    async with copies.copy() as (collector, _):
        reader, writer = await asyncio.open_connection(*collector.address)
        writer.write(b"POST /v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        writer.close()


async def test_a_store_that_hangs_keeps_no_records_out(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    async with copies.copy(limits=Limits(working=4, wait_seconds=0.2)) as (collector, web):
        appliances = [await copies.enrolled(collector, web) for _ in range(2)]
        hang = asyncio.Event()

        async def wait(*_: object) -> None:
            await hang.wait()

        monkeypatch.setattr("collector.blobs.shelf.Shelf.sizes", wait)
        audio = [asyncio.create_task(one.send(web, "GET", f"/blobs/{'a' * 64}")) for one in appliances for _ in "ab"]
        done, held = await asyncio.wait(audio, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in done} == {503}
        answer = await appliances[0].send(web, "POST", "/records", _batch(_record(1)))
        assert answer.json()["answers"][0]["outcome"] == "stored"
        hang.set()
        await asyncio.gather(*held)


async def test_one_appliance_takes_no_more_than_its_places(copies: Copies) -> None:
    async with copies.copy(limits=Limits(each_device=1)) as (collector, web):
        appliance = await copies.enrolled(collector, web)
        asked = [appliance.send(web, "GET") for _ in range(8)]
        answers = [answer.status_code for answer in await asyncio.gather(*asked)]
        assert set(answers) == {200, 429}


async def test_many_who_ask_whether_it_is_ready_share_one_look(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    put = Shelf.put

    async def counted(*given: Any, **named: Any) -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.1)
        await put(*given, **named)

    monkeypatch.setattr("collector.blobs.shelf.Shelf.put", counted)
    answers = await asyncio.gather(*(web.get("/readyz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert looks < 10


async def test_plain_http_is_for_loopback_only(copies: Copies) -> None:
    with pytest.raises(Exception, match="--tls-certificate"):
        async with copies.copy(listen="0.0.0.0:0"):
            pass


async def test_what_is_under_way_is_finished_before_the_end(copies: Copies) -> None:
    async with copies.copy() as (collector, web):
        appliance = await copies.enrolled(collector, web)
        target = f"/v1/d/{appliance.device}/records"
        body = _batch(_record(1))
        headers = appliance.headers("POST", target, body) | {"Host": "x", "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        reader, writer = await asyncio.open_connection(*collector.address)
        writer.write(f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + body[:10])
        await writer.drain()
        while not collector.parts.door.room.present:
            await asyncio.sleep(0)
        rest = asyncio.get_running_loop().call_later(0.3, writer.write, body[10:])
    assert rest.when() <= asyncio.get_running_loop().time()
    assert b'"stored"' in await reader.read()
    writer.close()


async def test_a_database_that_goes_away_is_told_and_found_again(copies: Copies) -> None:
    async with copies.copy() as (collector, web):
        appliance = await copies.enrolled(collector, web)
        await collector.database.close()
        answer = await appliance.send(web, "GET")
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert (await web.get("/readyz")).status_code == 503
        assert (await web.get("/healthz")).status_code == 200


async def _ended(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionResetError):
        return await reader.read(1) == b""
    return True


async def test_headers_that_do_not_end_are_waited_for_no_longer_than_bearable(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.web.server._HEADER_SECONDS", 0.2)
    async with copies.copy() as (collector, _):
        reader, writer = await asyncio.open_connection(*collector.address)
        writer.write(b"GET / HTTP/1.1\r\n")
        await writer.drain()
        assert await _ended(reader)
        writer.close()


async def test_connections_beyond_the_limit_are_closed(copies: Copies) -> None:
    async with copies.copy(most_connections=3) as (collector, _):
        held = [socket.create_connection(collector.address) for _ in range(3)]
        for one in held:
            one.setblocking(False)
        reader, writer = await asyncio.open_connection(*collector.address)
        assert await _ended(reader)
        writer.close()
        for one in held:
            one.close()


async def test_metrics_tell_no_device(copies: Copies) -> None:
    async with copies.copy(metrics="127.0.0.1:0") as (collector, web):
        appliance = await copies.enrolled(collector, web)
        await appliance.send(web, "POST", "/records", _batch(_record(1)))
        text = collector.parts.metrics.text().decode()
        assert 'records_total{outcome="stored"} 1.0' in text
        assert 'route="/v1/d/{device}/records"' in text
        assert appliance.device not in text
