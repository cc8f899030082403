"""HTTP to far ends that are no collector: no redirects, bounded in time and in what is read."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from firmware.errors import ClockWrong, DeliveryRefused, FarEndUnreachable
from firmware.ports import Clock
from firmware.sync.web_answers import NoAnswer, WebAnswer
from firmware.sync.webhook_body import WebhookBody

_MOST_ANSWER_BYTES = 64 * 1024
_CONNECT_SECONDS = 15.0
# A body gets this much longer to leave: 2 kB/s, a fourth of a 64 kbit/s line.
_SLOWEST_BYTES_PER_SECOND = 2000.0
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL.
_WRONG_TIME = (9, 10)


def is_this_machine(host: str) -> bool:
    """Whether a host is loopback: what goes there needs no TLS."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class WebClient:
    """Posts to one URL. Plain http is for this machine itself only."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        timeout_seconds: float = 60.0,
        authority_file: Path | None = None,
        proxy: str | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._authority_file = authority_file
        self._proxy = proxy
        self._client: httpx.AsyncClient | None = None

    async def post(self, headers: dict[str, str], body: WebhookBody) -> WebAnswer:
        """The answer, whatever it says. Raises: DeliveryError; OSError of the body."""
        sent = {**headers, "Content-Type": body.content_type, "Content-Length": str(body.byte_count)}
        longest_seconds = self._timeout_seconds + body.byte_count / _SLOWEST_BYTES_PER_SECOND
        try:
            async with (
                asyncio.timeout(longest_seconds),
                self._open().stream("POST", self._url, headers=sent, content=_leaving(body)) as response,
            ):
                return WebAnswer(response.status_code, dict(response.headers), await _start_of(response))
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise NoAnswer(f"no answer came within {longest_seconds:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
            raise self._as_ours(error) from error

    async def close(self) -> None:
        """Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            parts = urlsplit(self._url)
            if parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
                raise DeliveryRefused("records may not travel without encryption; use an https url")
            self._client = httpx.AsyncClient(
                verify=self._tls(),
                proxy=self._proxy,
                timeout=httpx.Timeout(self._timeout_seconds, connect=min(_CONNECT_SECONDS, self._timeout_seconds)),
                follow_redirects=False,
                headers={"User-Agent": "Linekeeper"},
            )
        return self._client

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._authority_file)
        except (OSError, ssl.SSLError) as error:
            raise DeliveryRefused(
                f"{self._authority_file} holds no certificate of an authority; name another"
            ) from error

    def _as_ours(self, error: Exception) -> FarEndUnreachable | ClockWrong | DeliveryRefused:
        certificate = _certificate_fault(error)
        if certificate is None:
            said = str(error) or type(error).__name__
            return FarEndUnreachable(f"the far end cannot be reached: {said}")
        if certificate.verify_code in _WRONG_TIME and not self._clock.trusted():
            return ClockWrong("the far end's certificate does not fit the time of day here; the clock is not set")
        return FarEndUnreachable(
            f"somebody else may answer in the far end's place; its certificate is no good: {certificate.verify_message}"
        )


def _certificate_fault(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


async def _leaving(body: WebhookBody) -> AsyncIterator[bytes]:
    pieces = body.pieces()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


async def _start_of(response: httpx.Response) -> bytes:
    start = b""
    async for piece in response.aiter_raw(_MOST_ANSWER_BYTES):
        start += piece
        if len(start) >= _MOST_ANSWER_BYTES:
            break
    return start[:_MOST_ANSWER_BYTES]
