"""Whether a signed request is let in (docs/delivery.md, "Who asks"). Cheap checks first, the database last.

All of it is judged by headers, the body's hash among them, so that no body is read for somebody who cannot be let in;
the body is compared with its hash afterwards.
Parsed certificates are remembered; they never change. Whether an appliance is denied is not: each request asks.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from collector.identity.admissions import Admission
from collector.identity.certificates import Authority, DeviceCertificate, read_certificate, signed_by
from collector.refusals import Refusal, Why, malformed
from firmware.uplink_contract.limits import SIGNATURE_WINDOW_SECONDS
from firmware.uplink_contract.signing import (
    CERTIFICATE_HEADER,
    DATE_HEADER,
    DIGEST_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    SignedRequest,
    body_digest,
    signed_bytes,
)

_WINDOW = timedelta(seconds=SIGNATURE_WINDOW_SECONDS)
# Copies whose clocks differ by less than this still agree on which nonces are used up.
_CLOCKS_DIFFER = timedelta(minutes=2)
_REMEMBERED_CERTIFICATES = 4096
_MOST_HEADER = 8192
_DATE = re.compile(r"[0-9]{1,15}", re.ASCII)
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class TimeOfDay(Protocol):
    """Where the time of day comes from."""

    def now(self) -> datetime:
        """UTC."""


class Register(Protocol):
    """Who is let in, and which nonces were used (`admissions.Admissions`). Raises: CollectorError."""

    async def ask(self, device: UUID, nonce: bytes, used_until: datetime) -> Admission | None:
        """None for an appliance that is not known."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who signed these headers, with the key of a certificate of ours."""

    certificate: DeviceCertificate
    request: SignedRequest


@dataclass(frozen=True, slots=True)
class Caller:
    """An appliance that has proved to be itself."""

    device: UUID
    company: UUID
    certificate: DeviceCertificate


class Gatekeeper:
    """Lets appliances in."""

    def __init__(self, authority: Authority, admissions: Register, clock: TimeOfDay) -> None:
        self._admissions = admissions
        self._clock = clock

        @lru_cache(_REMEMBERED_CERTIFICATES)
        def read(header: str) -> DeviceCertificate:
            return read_certificate(_base64(header), authority)

        self._read = read

    def look(
        self, method: str, target: str, device: UUID, headers: Mapping[str, str], *, renewing: bool = False
    ) -> Claimant:
        """Judge by certificate and signature. `renewing` takes a certificate that has ended, too.

        Raises: Refusal (`certificate`, `wrong_device`, `clock`, `signature`, `malformed`).
        """
        now = self._clock.now()
        certificate = self._certificate(headers, now, renewing=renewing)
        if certificate.device != device:
            raise Refusal(Why.WRONG_DEVICE, "the certificate is of another appliance than the address")
        date_ms = _date(headers, now)
        nonce = _hex(headers, NONCE_HEADER, _NONCE)
        request = SignedRequest(method, target, date_ms, nonce, _hex(headers, DIGEST_HEADER, _DIGEST))
        try:
            signature = _base64(headers.get(SIGNATURE_HEADER, ""))
        except ValueError as error:
            raise Refusal(Why.SIGNATURE, f"{SIGNATURE_HEADER} is no base64") from error
        if not signed_by(certificate.key, signature, signed_bytes(request)):
            raise Refusal(Why.SIGNATURE, "the signature does not fit the request")
        return Claimant(certificate, request)

    async def admit(self, claimant: Claimant) -> Caller:
        """Judge by nonce and deny list.

        Raises: Refusal (`replayed`, `denied`, `certificate`), and what the database raises.
        """
        certificate, request = claimant.certificate, claimant.request
        used_until = _time(request.date_ms) + _WINDOW + _CLOCKS_DIFFER
        admission = await self._admissions.ask(certificate.device, bytes.fromhex(request.nonce), used_until)
        if admission is None:
            raise Refusal(Why.CERTIFICATE, "this appliance is not known here; enrol it with a new claim code")
        if admission.denied:
            raise Refusal(Why.DENIED, "this appliance is denied; ask who runs the collector")
        if not admission.fresh:
            raise Refusal(Why.REPLAYED, "this request was here already")
        return Caller(certificate.device, admission.company, certificate)

    def _certificate(self, headers: Mapping[str, str], now: datetime, *, renewing: bool) -> DeviceCertificate:
        header = headers.get(CERTIFICATE_HEADER)
        if not header:
            raise Refusal(Why.CERTIFICATE, f"{CERTIFICATE_HEADER} is missing")
        if len(header) > _MOST_HEADER:
            raise Refusal(Why.CERTIFICATE, "too long for a certificate of this collector")
        try:
            certificate = self._read(header)
        except ValueError as error:
            raise Refusal(Why.CERTIFICATE, str(error)) from error
        if now < certificate.not_before:
            raise Refusal(Why.CERTIFICATE, "the certificate is not valid yet")
        if now > certificate.not_after and not renewing:
            raise Refusal(Why.CERTIFICATE, "the certificate has ended; renew it")
        return certificate


def _date(headers: Mapping[str, str], now: datetime) -> int:
    text = headers.get(DATE_HEADER, "")
    if not _DATE.fullmatch(text):
        raise malformed(f"{DATE_HEADER} must be milliseconds since 1970")
    now_ms = round(now.timestamp() * 1000)
    if abs(int(text) - now_ms) > SIGNATURE_WINDOW_SECONDS * 1000:
        raise Refusal(Why.CLOCK, "the request's time is too far from ours; sign with ours", server_time_ms=now_ms)
    return int(text)


def check_body(claimant: Claimant, body: bytes) -> None:
    """Whether it is what was signed. Raises: Refusal (`signature`)."""
    if body_digest(body) != claimant.request.digest:
        raise Refusal(Why.SIGNATURE, f"the body is not what {DIGEST_HEADER} says")


def _hex(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    text = headers.get(name, "")
    if not form.fullmatch(text):
        raise malformed(f"{name} must be hex digits: {form.pattern}")
    return text


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
