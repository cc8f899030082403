"""Each new message as a mail to the office."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

from firmware.email_settings import EmailSettings
from firmware.errors import DeliveryError, TryLater
from firmware.ports import Answer, Clock, Entry, Outcome
from firmware.sync.mail import Attachment, Mail, mail_bytes
from firmware.sync.mail_audio import NoAudio, attachment_of
from firmware.sync.message_mail import message_mail
from firmware.sync.smtp import MailRefused, MailServer, MailSession, Sent
from firmware.sync.suspects import Suspects

_MEGABYTE = 1_000_000
# What was sent and not yet noted comes twice where the process is killed.
_MOST_AT_ONCE = 10
# What is known of mails that went to some of their people only.
_MOST_HALF_SENT = 200

Trouble = Callable[[str | None], Awaitable[None]]
"""Told that somebody cannot be reached, for an incident; None when everybody was."""


class EmailUplink:
    """A `ports.Uplink`; `name` is the appliance's. Its route has messages only, without changes and history."""

    def __init__(
        self,
        settings: EmailSettings,
        name: str,
        languages: Sequence[str],
        zone: ZoneInfo,
        clock: Clock,
        trouble: Trouble,
    ) -> None:
        self._settings = settings
        self._name = name
        self._languages = languages
        self._zone = zone
        self._clock = clock
        self._trouble = trouble
        self._server = MailServer(settings, clock)
        self._suspects = Suspects()
        self._had_it: dict[str, set[str]] = {}

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """One mail each, over one connection; what the server wants later is tried later. Raises: DeliveryError."""
        answers = [_done(entry) for entry in entries if entry.body is None]
        waiting = self._suspects.last(entry for entry in entries if entry.body is not None)[:_MOST_AT_ONCE]
        fault: DeliveryError | None = None
        entry: Entry | None = None
        try:
            async with self._server.session() as session:
                for entry in waiting:
                    try:
                        answers.append(await self._deliver_one(session, entry))
                    except TryLater as later:
                        self._suspects.add([entry])
                        fault = fault or later
        except DeliveryError as error:
            # Perhaps it was this very mail that the server broke off at.
            self._suspects.add([entry] if entry is not None else [])
            fault = error
        if fault is not None and not answers:
            raise fault
        return answers

    async def close(self) -> None:
        """Nothing stays open between deliveries."""

    async def _deliver_one(self, session: MailSession, entry: Entry) -> Answer:
        audio: Attachment | NoAudio = NoAudio.NOT_WANTED
        if self._settings.attach_audio:
            audio = await asyncio.to_thread(attachment_of, entry, self._settings.most_megabytes * _MEGABYTE)
        try:
            return await self._send(session, entry, audio)
        except MailRefused as refused:
            if not (refused.too_large and isinstance(audio, Attachment)):
                return _rejected(entry, str(refused))
        try:
            return await self._send(session, entry, NoAudio.TOO_LARGE)
        except MailRefused as refused:
            return _rejected(entry, str(refused))

    async def _send(self, session: MailSession, entry: Entry, audio: Attachment | NoAudio) -> Answer:
        mail = message_mail(entry, audio, self._name, self._languages, self._zone)
        had_it = self._had_it.get(entry.record_id, set())
        missing = [who for who in self._settings.to if who not in had_it]
        if not missing:
            return _done(entry)
        sent = await session.send(await self._as_bytes(mail), missing)
        had_it = had_it | set(sent.accepted)
        if sent.later:
            self._remember(entry.record_id, had_it)
            raise TryLater(f"the mail server cannot take mail for everybody now: {_listed(sent.later.items())}")
        self._had_it.pop(entry.record_id, None)
        await self._tell_trouble(sent)
        if not had_it:
            return _rejected(entry, _listed(sent.refused.items()))
        return _done(entry, _listed(sent.refused.items()))

    async def _as_bytes(self, mail: Mail) -> bytes:
        sender = str(self._settings.sender)
        return await asyncio.to_thread(mail_bytes, mail, sender, self._settings.to, self._clock.now())

    def _remember(self, record_id: str, had_it: set[str]) -> None:
        self._had_it[record_id] = had_it
        while len(self._had_it) > _MOST_HALF_SENT:
            self._had_it.pop(next(iter(self._had_it)))

    async def _tell_trouble(self, sent: Sent) -> None:
        if sent.refused:
            await self._trouble(f"mail does not reach everybody: {_listed(sent.refused.items())}; correct email.to")
        elif len(sent.accepted) == len(self._settings.to):
            await self._trouble(None)


def _listed(refused: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{who}: {said}" for who, said in refused)


def _done(entry: Entry, reason: str = "") -> Answer:
    return Answer(entry.seq, entry.version, Outcome.STORED, reason)


def _rejected(entry: Entry, reason: str) -> Answer:
    return Answer(entry.seq, entry.version, Outcome.REJECTED, reason)
