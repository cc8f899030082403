"""Ways to tell people of incidents: mails, and a signed web hook. Each is a `ports.AlertChannel`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from firmware.email_settings import EmailSettings
from firmware.ports import Clock, Telling, Told, What
from firmware.sync.addresses import host_of
from firmware.sync.appliance import Appliance
from firmware.sync.mail import Mail, mail_bytes
from firmware.sync.signed_post import SignedPost
from firmware.sync.smtp import MailRefused, MailServer
from firmware.sync.webhook_body import json_body

Words = Callable[[Telling], tuple[str, str]]
"""Subject and text for people."""


class MailChannel:
    """One mail to all of a step's people."""

    name = "e-mail"

    def __init__(self, settings: EmailSettings, people: Sequence[str], words: Words, clock: Clock) -> None:
        self.people: Collection[str] = tuple(people)
        self._settings = settings
        self._words = words
        self._clock = clock
        self._server = MailServer(settings, clock)

    async def tell(self, telling: Telling, people: Sequence[str]) -> Told:
        """Returns after the server took it. Raises: DeliveryError."""
        subject, text = self._words(telling)
        mail = Mail(telling.telling_id.replace(":", "-"), subject, text, urgent=telling.what is not What.OVER)
        content = await asyncio.to_thread(mail_bytes, mail, str(self._settings.sender), list(people), self._clock.now())
        async with self._server.session() as session:
            try:
                sent = await session.send(content, people)
            except MailRefused as error:
                return Told(refused=dict.fromkeys(people, str(error)))
        return Told(sent.accepted, sent.refused, sent.later)

    async def close(self) -> None:
        """Nothing stays open between mails."""


class HookChannel:
    """One signed POST, as for records (docs/delivery.md)."""

    name = "web hook"

    def __init__(self, post: SignedPost, url: str, appliance: Appliance) -> None:
        self.people: Collection[str] = (host_of(url),)
        self._post = post
        self._appliance = appliance

    async def tell(self, telling: Telling, people: Sequence[str]) -> Told:
        """Returns after it was taken. Raises: DeliveryError."""
        try:
            body = json_body(self._content(telling))
        except ValueError as error:
            return Told(refused=dict.fromkeys(people, f"it cannot be written as JSON: {error}"))
        refused = await self._post.send(telling.telling_id, body)
        return Told(refused=dict.fromkeys(people, refused)) if refused else Told(people)

    async def close(self) -> None:
        """Idempotent."""
        await self._post.close()

    def _content(self, telling: Telling) -> dict[str, Any]:
        return {
            "alert": telling.what.value,
            "step": telling.step + 1,
            "incidents": [dict(incident) for incident in telling.incidents],
            "more": telling.more,
            "appliance": {"id": self._appliance.device, "name": self._appliance.name},
        }
