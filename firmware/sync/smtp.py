"""The office's mail server. The only place that imports aiosmtplib.

A server that vanishes after it got the mail and before it said so may have taken it: the mail is sent again under the
same Message-ID, and may come twice.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib

from firmware.email_settings import EmailSettings
from firmware.errors import DeliveryError, DeliveryRefused, FarEndUnreachable, TryLater
from firmware.ports import Clock
from firmware.sync.mail import one_line
from firmware.sync.tls import make_context, tls_failure

_MOST_PASSWORD_BYTES = 1024
_LONGEST_WORDS = 120
# RFC 5321 and 3463: too much mail for the mailbox or the server.
_TOO_LARGE = (523, 552)
# Half of a 64 kbit/s line.
_SLOWEST_BYTES_PER_SECOND = 4000.0


class MailRefused(DeliveryError):
    """The server will never take this mail, or not for anybody; others may still go through."""

    def __init__(self, message: str, *, too_large: bool = False) -> None:
        self.too_large = too_large
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Sent:
    """Who the server takes a mail for; who never, and who not now, with its words."""

    accepted: Sequence[str]
    refused: Mapping[str, str]
    later: Mapping[str, str]


class MailSession:
    """A connection to the server, let in."""

    def __init__(self, client: aiosmtplib.SMTP, settings: EmailSettings) -> None:
        self._client = client
        self._settings = settings

    async def send(self, mail: bytes, to: Sequence[str]) -> Sent:
        """Returns after the server has taken it, or refused each recipient.

        Raises: MailRefused, DeliveryRefused, TryLater, FarEndUnreachable.
        """
        # aiosmtplib counts the time that a mail takes to leave as the time of its answer.
        answer_seconds = self._settings.timeout_seconds + len(mail) / _SLOWEST_BYTES_PER_SECOND
        sender = str(self._settings.sender)
        try:
            async with asyncio.timeout(answer_seconds + 4 * self._settings.timeout_seconds):
                refused, _ = await self._client.sendmail(sender, list(to), mail, timeout=answer_seconds)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = {each.recipient: aiosmtplib.SMTPResponse(each.code, each.message) for each in error.recipients}
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise _failure(error, self._settings) from error
        words = {who: f"{answer.code} {one_line(answer.message, _LONGEST_WORDS)}" for who, answer in refused.items()}
        later = {who: said for who, said in words.items() if said.startswith("4")}
        return Sent(
            [who for who in to if who not in refused],
            {who: said for who, said in words.items() if who not in later},
            later,
        )


class MailServer:
    """Opens sessions."""

    def __init__(self, settings: EmailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connected, encrypted as configured, and let in. Raises: DeliveryError."""
        client = await self._client()
        try:
            try:
                await self._enter(client)
            except (aiosmtplib.SMTPException, OSError, TimeoutError, ssl.SSLError) as error:
                raise self._not_let_in(error) from error
            yield MailSession(client, self._settings)
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=5)
        finally:
            client.close()

    async def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        context = (
            None if settings.security == "none" else await asyncio.to_thread(make_context, settings.authority_file)
        )
        return aiosmtplib.SMTP(
            hostname=settings.server,
            port=settings.port_used,
            local_hostname="linekeeper",
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            # Never "if the server offers it": whoever is in between would say that it does not.
            start_tls=settings.security == "starttls",
            tls_context=context,
        )

    async def _enter(self, client: aiosmtplib.SMTP) -> None:
        async with asyncio.timeout(self._settings.timeout_seconds * 3):
            await client.connect()
            if self._settings.user is not None and self._settings.password_file is not None:
                password = await asyncio.to_thread(_password, self._settings.password_file)
                await client.login(self._settings.user, password)

    def _not_let_in(self, error: Exception) -> DeliveryError:
        server = f"the mail server {self._settings.server}"
        if (told := tls_failure(error, str(self._settings.server), self._clock)) is not None:
            return told
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500:
            return DeliveryRefused(f"{server} does not take this user and password ({_said(error)}); correct them")
        # aiosmtplib 5.1 tells a missing STARTTLS by its base class.
        if type(error) in (aiosmtplib.SMTPNotSupported, aiosmtplib.SMTPException):
            return DeliveryRefused(f"{server} does not offer what email.security or email.user asks ({error})")
        return _failure(error, self._settings)


def _failure(error: Exception, settings: EmailSettings) -> DeliveryError:
    server = f"the mail server {settings.server}"
    if isinstance(error, aiosmtplib.SMTPResponseException) and not isinstance(error, ConnectionError):
        said = _said(error)
        if error.code in _TOO_LARGE:
            return MailRefused(f"{server} finds the mail too large ({said})", too_large=True)
        if 400 <= error.code < 500:
            return TryLater(f"{server} cannot take it now ({said})")
        if isinstance(error, aiosmtplib.SMTPSenderRefused):
            return DeliveryRefused(f"{server} takes no mail from {settings.sender} ({said}); correct email.sender")
        return MailRefused(f"{server} refused the mail ({said})")
    return FarEndUnreachable(f"{server} cannot be reached, or broke off: {one_line(error, _LONGEST_WORDS)}")


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {one_line(error.message, _LONGEST_WORDS)}"


def _password(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_PASSWORD_BYTES).decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise DeliveryRefused(f"{file} holds no password for the mail server: {error}") from error
