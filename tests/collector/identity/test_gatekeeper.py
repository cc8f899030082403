"""Who is let in, without a database: everything that headers and a signature decide."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from collector.identity.admissions import Admission
from collector.identity.certificates import Authority, issue, new_authority, read_certificate
from collector.identity.gatekeeper import Caller, Gatekeeper, check_body
from collector.refusals import Refusal, Why
from firmware.uplink_contract.signing import (
    CERTIFICATE_HEADER,
    DATE_HEADER,
    DIGEST_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
)
from tests.collector.clients import Appliance, new_key
from tests.collector.copies import ShiftedClock

DEVICE = uuid4()
TARGET = f"/v1/d/{DEVICE}/blobs/{'a' * 64}?offset=0&size=3"
COMPANY = uuid4()
AUTHORITY = new_authority(datetime.now(UTC))
BODY = b"abc"


class FakeRegister:
    """Knows every appliance but those that are `denied`."""

    def __init__(self) -> None:
        self.denied: set[UUID] = set()
        self.used: set[bytes] = set()

    async def ask(self, device: UUID, nonce: bytes, used_until: datetime) -> Admission | None:
        fresh = nonce not in self.used
        self.used.add(nonce)
        return Admission(COMPANY, device in self.denied, fresh)


class Gate:
    """A gatekeeper with what it depends on."""

    def __init__(self) -> None:
        self.register = FakeRegister()
        self.clock = ShiftedClock()
        self.keeper = Gatekeeper(AUTHORITY, self.register, self.clock)

    async def ask(
        self,
        headers: dict[str, str],
        *,
        method: str = "PATCH",
        target: str = TARGET,
        body: bytes = BODY,
        device: UUID = DEVICE,
        renewing: bool = False,
    ) -> Caller:
        claimant = self.keeper.look(method, target, device, headers, renewing=renewing)
        caller = await self.keeper.admit(claimant)
        check_body(claimant, body)
        return caller

    async def refused(self, headers: dict[str, str], **request: object) -> Refusal:
        with pytest.raises(Refusal) as raised:
            await self.ask(headers, **request)  # type: ignore[arg-type]
        return raised.value


def certified(authority: Authority = AUTHORITY, device: UUID = DEVICE, days: float = 90) -> Appliance:
    key = new_key()
    return Appliance(str(device), key, issue(authority, device, key.public_key(), datetime.now(UTC), days).pem)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def headers() -> dict[str, str]:
    return certified().headers("PATCH", TARGET, BODY)


async def test_an_appliance_that_signs_with_its_key_is_let_in(gate: Gate, headers: dict[str, str]) -> None:
    caller = await gate.ask(headers)
    assert (caller.device, caller.company) == (DEVICE, COMPANY)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"target": TARGET + "0"},
        {"target": TARGET.replace("offset=0&size=3", "size=3&offset=0")},
        {"target": TARGET.replace("?", "%3F")},
    ],
)
async def test_a_tampered_request_is_refused(gate: Gate, headers: dict[str, str], change: dict[str, object]) -> None:
    assert (await gate.refused(headers, **change)).why is Why.SIGNATURE
    await gate.ask(headers)  # and uses up no nonce


@pytest.mark.parametrize("body", [b"abd", b""])
async def test_a_body_that_was_not_signed_is_refused(gate: Gate, headers: dict[str, str], body: bytes) -> None:
    assert (await gate.refused(headers, body=body)).why is Why.SIGNATURE


@pytest.mark.parametrize("name", [DATE_HEADER, NONCE_HEADER, DIGEST_HEADER])
async def test_a_tampered_header_is_refused(gate: Gate, headers: dict[str, str], name: str) -> None:
    last = headers[name][-1]
    headers[name] = headers[name][:-1] + ("1" if last != "1" else "2")
    assert (await gate.refused(headers)).why is Why.SIGNATURE


@pytest.mark.parametrize("name", [CERTIFICATE_HEADER, DATE_HEADER, NONCE_HEADER, DIGEST_HEADER, SIGNATURE_HEADER])
async def test_a_missing_header_is_refused(gate: Gate, headers: dict[str, str], name: str) -> None:
    del headers[name]
    assert (await gate.refused(headers)).why in {Why.CERTIFICATE, Why.MALFORMED, Why.SIGNATURE}


async def test_a_stolen_certificate_is_of_no_use_without_its_key(gate: Gate) -> None:
    stolen = certified()
    thief = Appliance(stolen.device, new_key(), stolen.certificate_pem)
    assert (await gate.refused(thief.headers("PATCH", TARGET, BODY))).why is Why.SIGNATURE


async def test_a_stolen_key_is_of_no_use_once_its_appliance_is_denied(gate: Gate, headers: dict[str, str]) -> None:
    gate.register.denied.add(DEVICE)
    assert (await gate.refused(headers)).why is Why.DENIED


async def test_a_request_is_taken_once(gate: Gate, headers: dict[str, str]) -> None:
    await gate.ask(headers)
    assert (await gate.refused(headers)).why is Why.REPLAYED


async def test_nobody_asks_for_another_appliance(gate: Gate) -> None:
    other = uuid4()
    headers = certified(device=other).headers("PATCH", TARGET, BODY)
    assert (await gate.refused(headers)).why is Why.WRONG_DEVICE


async def test_a_certificate_of_another_authority_is_refused(gate: Gate) -> None:
    foreign = new_authority(datetime.now(UTC))
    assert (await gate.refused(certified(foreign).headers("PATCH", TARGET, BODY))).why is Why.CERTIFICATE


async def test_the_authority_itself_is_no_appliance(gate: Gate, headers: dict[str, str]) -> None:
    der = AUTHORITY.certificate.public_bytes(Encoding.DER)
    headers[CERTIFICATE_HEADER] = base64.b64encode(der).decode()
    assert (await gate.refused(headers)).why is Why.CERTIFICATE


async def test_a_certificate_that_has_ended_is_good_for_its_renewal_only(gate: Gate) -> None:
    late = certified(days=1)
    gate.clock.shift = timedelta(days=40)
    late.clock_ms = 40 * 86_400_000
    assert (await gate.refused(late.headers("PATCH", TARGET, BODY))).why is Why.CERTIFICATE
    await gate.ask(late.headers("PATCH", TARGET, BODY), renewing=True)


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_wrong_clock_is_told_the_right_time(gate: Gate, minutes: int) -> None:
    early_or_late = certified()
    early_or_late.clock_ms = minutes * 60_000
    refusal = await gate.refused(early_or_late.headers("PATCH", TARGET, BODY))
    assert refusal.why is Why.CLOCK
    early_or_late.clock_ms += int(refusal.details["server_time_ms"]) - int(
        early_or_late.headers("PATCH", TARGET)[DATE_HEADER]
    )
    await gate.ask(early_or_late.headers("PATCH", TARGET, BODY))


_text = st.text(st.characters(codec="latin-1"), max_size=60)
_value = _text | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()) | st.integers().map(str)
_names = st.sampled_from([CERTIFICATE_HEADER, DATE_HEADER, NONCE_HEADER, DIGEST_HEADER, SIGNATURE_HEADER])
_SOUND = certified().headers("PATCH", TARGET, BODY)


@given(st.dictionaries(_names, _value, min_size=1))
async def test_whatever_stands_in_a_header_is_refused_in_a_sentence(changes: dict[str, str]) -> None:
    refusal = await Gate().refused({**_SOUND, **changes})
    assert refusal.why.status in {400, 401}


@given(st.integers(0, 10_000), st.integers(1, 255))
async def test_one_changed_byte_of_a_certificate_is_noticed_or_changes_nothing(place: int, change: int) -> None:
    der = bytearray(base64.b64decode(_SOUND[CERTIFICATE_HEADER]))
    der[place % len(der)] ^= change
    changed = {**_SOUND, CERTIFICATE_HEADER: base64.b64encode(der).decode()}
    whys: set[Why] = set()
    try:
        caller = await Gate().ask(changed)
        # How many bits of a BIT STRING's last byte count is not signed; where these are zeros it may say otherwise.
        assert caller.certificate == read_certificate(base64.b64decode(_SOUND[CERTIFICATE_HEADER]), AUTHORITY)
    except Refusal as refusal:
        whys.add(refusal.why)
    assert whys <= {Why.CERTIFICATE, Why.SIGNATURE, Why.WRONG_DEVICE}
