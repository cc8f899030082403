"""Mode `webhook`: one signed POST per record, in order (docs/delivery.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from firmware.errors import DeliveryError, StorageError
from firmware.ports import Answer, Entry, Outcome
from firmware.sync.appliance import Appliance
from firmware.sync.signed_post import SignedPost
from firmware.sync.suspects import Suspects
from firmware.sync.web_answers import AddressFault, NoAnswer, ServerFault
from firmware.sync.webhook_body import record_body
from firmware.sync.wire_record import NoRecord

# A receiver that fails at so many records one after the other is broken itself.
_MOST_FAULTS = 3
# On a slow line, what was taken is noted now and then: what is not comes again where the process is killed.
_NOTED_AFTER_SECONDS = 20.0
_PERHAPS_THE_RECORD = (ServerFault, AddressFault, NoAnswer)


class WebhookUplink:
    """A `ports.Uplink`. A delivery's id is record and version, so that a receiver knows a repeat."""

    def __init__(self, post: SignedPost, appliance: Appliance) -> None:
        self._post = post
        self._appliance = appliance
        self._suspects = Suspects()

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """One after the other; a record that the receiver fails at does not stop the others. Raises: DeliveryError.

        Whether a fault is the record's or the receiver's shows when another record is taken.
        """
        answers: list[Answer] = []
        faults: list[tuple[Entry, DeliveryError]] = []
        loop = asyncio.get_running_loop()
        end_seconds = loop.time() + _NOTED_AFTER_SECONDS
        for entry in self._suspects.last(entries):
            if answers and loop.time() > end_seconds:
                break
            try:
                answers.append(await self._deliver_one(entry))
            except _PERHAPS_THE_RECORD as fault:
                faults.append((entry, fault))
                if len(faults) == _MOST_FAULTS:
                    break
            except DeliveryError:
                if not answers:
                    raise
                break
        self._suspects.add(entry for entry, _ in faults)
        if faults and not _any_taken(answers):
            raise faults[0][1]
        return answers + [_rejected(entry, str(fault)) for entry, fault in faults]

    async def close(self) -> None:
        """Idempotent."""
        await self._post.close()

    async def _deliver_one(self, entry: Entry) -> Answer:
        try:
            refused = await self._post.send(_delivery_id(entry), record_body(entry, self._appliance))
        except NoRecord as error:
            return _rejected(entry, str(error))
        except StorageError as error:
            return _rejected(entry, str(error))
        return _rejected(entry, refused) if refused else Answer(entry.seq, entry.version, Outcome.STORED)


def _delivery_id(entry: Entry) -> str:
    return f"{entry.record_id}.{entry.version}"


def _any_taken(answers: Sequence[Answer]) -> bool:
    return any(answer.outcome is Outcome.STORED for answer in answers)


def _rejected(entry: Entry, reason: str) -> Answer:
    return Answer(entry.seq, entry.version, Outcome.REJECTED, reason)
