"""How an appliance gets its certificate, and the next one.

Answers get lost on broken networks. So each step can be repeated: the same code with the same key gives the same
certificate, and so does the same renewal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from collector.database import Database, Transaction
from collector.identity.certificates import Authority, DeviceCertificate, Issued, issue, key_hash, read_request
from collector.identity.codes import code_hash, new_code
from collector.identity.gatekeeper import TimeOfDay
from collector.records.devices import add_device, company_named
from collector.refusals import Refusal, Why, malformed

_CLAIM = """SELECT c.company, c.name, c.expires_at, c.device, c.key_hash, o.name AS company_name, d.denied_at
  FROM claim c JOIN company o ON o.id = c.company LEFT JOIN device d ON d.id = c.device
 WHERE c.code_hash = %s FOR UPDATE OF c"""
_FIRST = "SELECT pem FROM certificate WHERE device = %s AND key_hash = %s ORDER BY given_at LIMIT 1"
_UNKNOWN = "this code is not known, or it has ended; make a new one with `linekeeper-collector claim`"
_USED = "another appliance has used this code; make a new one with `linekeeper-collector claim`"
_DENIED = "this appliance is denied; ask who runs the collector"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an appliance gets for its code."""

    device: UUID
    company: str
    certificate_pem: str
    authority_pem: str


class Registrar:
    """Gives out certificates of so many days. Each method raises CollectorError besides what it says."""

    def __init__(self, database: Database, authority: Authority, clock: TimeOfDay, days: float) -> None:
        self._database = database
        self._authority = authority
        self._clock = clock
        self._days = days

    @property
    def authority_pem(self) -> str:
        """Whose certificates are good here."""
        return self._authority.certificate_pem

    async def enrol(self, code: str, csr_pem: str) -> Enrolled:
        """Exchange a code for a certificate. Raises: Refusal (`claim`, `denied`, `malformed`)."""
        hashed = code_hash(code)
        if hashed is None:
            raise Refusal(Why.CLAIM, _UNKNOWN)
        async with self._database.transaction() as work:
            claim = await work.row(_CLAIM, [hashed])
            # A code is judged before its signing request: whoever has none costs us no cryptography.
            if claim is None or (claim["device"] is None and claim["expires_at"] < self._clock.now()):
                raise Refusal(Why.CLAIM, _UNKNOWN)
            key = _requested_key(csr_pem)
            if claim["device"] is None:
                device, pem = await self._first(work, claim, hashed, key)
            else:
                device, pem = claim["device"], await _again(work, claim, key_hash(key))
        return Enrolled(device, claim["company_name"], pem, self._authority.certificate_pem)

    async def renew(self, old: DeviceCertificate, csr_pem: str) -> str:
        """The certificate that follows `old`, whose key has signed for it.

        Raises: Refusal (`certificate`, `malformed`).
        """
        key = _requested_key(csr_pem)
        async with self._database.transaction() as work:
            # Locked, so that of two copies one makes it and the other finds it.
            if await work.row("SELECT 1 FROM certificate WHERE serial = %s FOR UPDATE", [old.serial]) is None:
                raise Refusal(Why.CERTIFICATE, "this certificate is not known here; enrol with a new claim code")
            given = await work.row("SELECT pem, key_hash FROM certificate WHERE renews = %s", [old.serial])
            if given is None:
                return await self._issue(work, old.device, key, renews=old.serial)
        if given["key_hash"] != key_hash(key):
            raise Refusal(Why.CERTIFICATE, "this certificate was renewed already, for another key")
        return str(given["pem"])

    async def _first(self, work: Transaction, claim: dict[str, Any], hashed: bytes, key: Any) -> tuple[UUID, str]:
        device = await add_device(work, claim["company"], claim["name"])
        values = [device, key_hash(key), hashed]
        await work.run("UPDATE claim SET device = %s, key_hash = %s WHERE code_hash = %s", values)
        return device, await self._issue(work, device, key, renews=None)

    async def _issue(self, work: Transaction, device: UUID, key: Any, renews: int | None) -> str:
        now = self._clock.now()
        made: Issued = issue(self._authority, device, key, now, self._days)
        await work.run(
            "INSERT INTO certificate (serial, device, key_hash, renews, given_at, ends_at, pem)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [made.serial, device, made.key_hash, renews, now, made.not_after, made.pem],
        )
        return made.pem


async def make_claim(database: Database, name: str, company: str, now: datetime, life: timedelta) -> str:
    """A one-time code for an appliance of this name. Raises: CollectorError."""
    code = new_code()
    async with database.transaction() as work:
        owner = await company_named(work, company)
        await work.run(
            "INSERT INTO claim (code_hash, company, name, made_at, expires_at) VALUES (%s, %s, %s, %s, %s)",
            [code_hash(code), owner, name, now, now + life],
        )
    return code


def _requested_key(csr_pem: str) -> Any:
    try:
        return read_request(csr_pem)
    except ValueError as error:
        raise malformed(str(error)) from error


async def _again(work: Transaction, claim: dict[str, Any], hashed_key: bytes) -> str:
    if claim["key_hash"] != hashed_key:
        raise Refusal(Why.CLAIM, _USED)
    if claim["denied_at"] is not None:
        raise Refusal(Why.DENIED, _DENIED)
    first = await work.row(_FIRST, [claim["device"], hashed_key])
    assert first is not None  # written together with the claim's device
    return str(first["pem"])
