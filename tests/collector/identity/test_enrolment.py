"""Enrolment and renewal over HTTP and a real database: whatever answer is lost, the same asked again gives the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.identity.deny_list import allow, deny
from collector.identity.enrolment import make_claim
from collector.service import Collector
from tests.collector.clients import Appliance, enrol, new_key, signing_request
from tests.collector.copies import Copies


async def _claim(copies: Copies, collector: Collector) -> str:
    return await make_claim(collector.database, "front desk", "Acme", copies.clock.now(), timedelta(hours=1))


async def _ask(web: httpx.AsyncClient, code: str, csr_pem: str) -> tuple[int, dict[str, Any]]:
    answer = await web.post("/v1/enrol", json={"code": code, "csr_pem": csr_pem})
    return answer.status_code, answer.json()


async def test_the_same_code_and_key_give_the_same_appliance_on_every_copy(copies: Copies) -> None:
    async with copies.copy() as (collector, web), copies.copy() as (_, other_web):
        code = await _claim(copies, collector)
        csr = signing_request(new_key())
        asked = [_ask(web, code, csr), _ask(other_web, code, csr), _ask(web, code, signing_request(new_key()))]
        first, second, thief = await asyncio.gather(*asked)
        if thief[0] == 200:  # it was faster, and the others are the thieves
            assert {first[0], second[0]} == {403}
        else:
            assert first == second
            assert first[0] == 200
            assert first[1]["company"] == "Acme"
            assert (thief[0], thief[1]["error"]) == (403, "claim")


async def test_a_used_code_is_good_for_its_own_key_only(
    copies: Copies, collector: Collector, web: httpx.AsyncClient
) -> None:
    code = await _claim(copies, collector)
    key = new_key()
    mine = await enrol(web, code, key)
    copies.clock.shift = timedelta(days=30)  # long after the code's end: the answer was lost
    assert (await enrol(web, code.lower(), key)).device == mine.device
    status, told = await _ask(web, code, signing_request(new_key()))
    assert (status, told["error"]) == (403, "claim")


async def test_a_code_ends(copies: Copies, collector: Collector, web: httpx.AsyncClient) -> None:
    code = await _claim(copies, collector)
    copies.clock.shift = timedelta(hours=2)
    status, told = await _ask(web, code, signing_request(new_key()))
    assert (status, told["error"]) == (403, "claim")


async def test_the_subject_is_ours_and_a_forged_request_is_refused(
    copies: Copies, collector: Collector, web: httpx.AsyncClient
) -> None:
    code = await _claim(copies, collector)
    csr = signing_request(new_key(), name="another appliance")
    lines = csr.splitlines()
    lines[2] = ("A" if lines[2][0] != "A" else "B") + lines[2][1:]
    status, told = await _ask(web, code, "\n".join(lines))
    assert (status, told["error"]) == (400, "malformed")
    appliance = await enrol(web, code)
    assert (await appliance.send(web, "GET")).json()["device"] == appliance.device


async def test_a_denied_appliance_is_out_on_every_copy_at_once(copies: Copies) -> None:
    async with copies.copy() as (collector, web), copies.copy() as (_, other_web):
        appliance = await copies.enrolled(collector, web)
        assert (await appliance.send(other_web, "GET")).status_code == 200
        await deny(collector.database, appliance.device, "stolen")
        assert [(await appliance.send(each, "GET")).status_code for each in (web, other_web)] == [403, 403]
        await allow(collector.database, appliance.device)
        assert (await appliance.send(other_web, "GET")).status_code == 200


async def _renew(web: httpx.AsyncClient, appliance: Appliance, csr_pem: str) -> httpx.Response:
    body = httpx.Request("POST", "http://x", json={"csr_pem": csr_pem}).content
    return await appliance.send(web, "POST", "/certificate", body)


@pytest.mark.parametrize("weeks_late", [0, 30])
async def test_a_certificate_is_renewed_once_and_the_same_renewal_can_be_repeated(
    copies: Copies, collector: Collector, web: httpx.AsyncClient, appliance: Appliance, weeks_late: int
) -> None:
    copies.clock.shift = timedelta(weeks=weeks_late)
    appliance.clock_ms = weeks_late * 7 * 86_400_000
    key = new_key()
    answers = [await _renew(web, appliance, signing_request(key)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    other = await _renew(web, appliance, signing_request(new_key()))
    assert (other.status_code, other.json()["error"]) == (401, "certificate")
    renewed = Appliance(appliance.device, key, answers[0].json()["certificate_pem"], clock_ms=appliance.clock_ms)
    assert (await renewed.send(web, "GET")).status_code == 200
    # The old one stays good until its end.
    assert (await appliance.send(web, "GET")).status_code == (401 if weeks_late else 200)


_bodies = st.one_of(
    st.binary(max_size=200),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30), st.lists),
    st.fixed_dictionaries({"code": st.text(max_size=70), "csr_pem": st.text(max_size=300)}),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=_bodies)
async def test_whatever_is_sent_to_enrol_is_refused_in_a_sentence(web: httpx.AsyncClient, body: Any) -> None:
    raw = body if isinstance(body, bytes) else httpx.Request("POST", "http://x", json=body).content
    answer = await web.post("/v1/enrol", content=raw)
    assert answer.status_code in {400, 403}
    assert answer.headers["linekeeper-collector"] == "1"
    assert answer.json()["message"]
