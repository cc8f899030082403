"""A real mail server (aiosmtpd) on loopback, that behaves as a test tells it."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

GOOD = LoginPassword(b"office", b"right")


@dataclass
class Mailbox:
    """The server's handler. Each word may be a status line, or "vanish": the connection breaks there."""

    mail_word: str = ""
    rcpt_word: Callable[[str], str] = lambda who: ""
    data_word: Callable[[bytes], str] = lambda content: ""
    data_seconds: float = 0.0
    keep_though_vanishing: bool = False
    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        envelope.mail_from = address
        return _said(server, self.mail_word) or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        word = _said(server, self.rcpt_word(address))
        if not word:
            envelope.rcpt_tos.append(address)
        return word or "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.data_seconds)
        content = cast(bytes, envelope.content)
        word = self.data_word(content)
        if not word or self.keep_though_vanishing:
            self.got.append((envelope.rcpt_tos, message_from_bytes(content, policy=default)))
        return _said(server, word) or "250 OK"


def _said(server: Any, word: str) -> str:
    if word == "vanish":
        server.transport.abort()
    return word


@asynccontextmanager
async def mail_server(
    mailbox: Mailbox,
    tls: ssl.SSLContext | None = None,
    *,
    login: bool = False,
    most_bytes: int = 50_000_000,
    from_the_start: bool = False,
) -> AsyncIterator[int]:
    """Its port. TLS comes by STARTTLS, or from the start."""

    def authenticate(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data == GOOD, handled=False)

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            # It does not know that its transport has TLS from the start.
            warnings.filterwarnings("ignore", message="Requiring AUTH")
            return made()

    def made() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            tls_context=None if from_the_start else tls,
            require_starttls=tls is not None and not from_the_start,
            authenticator=authenticate if login else None,
            auth_required=login,
            auth_require_tls=tls is not None and not from_the_start,
            data_size_limit=most_bytes,
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=tls if from_the_start else None
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
