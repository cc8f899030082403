"""A collector as a far end: audio first, then records in batches, answers for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from firmware.errors import DeliveryError, DeliveryRefused
from firmware.ports import Answer, Clock, Entry, Outcome, QueueState
from firmware.sync.batches import Batch, batches_of
from firmware.sync.blob_sending import BadAudio, BlobSending
from firmware.sync.collector_answers import Greeting, RequestRefused, number_in, read_answers, read_greeting
from firmware.sync.collector_client import CollectorClient
from firmware.sync.enrolment import Enrolment
from firmware.sync.part_size import PartSize
from firmware.uplink_contract.limits import MOST_BATCH_BYTES, PART_BYTES

# Records wait behind audio for so long at most, and for one part more.
_AUDIO_TURN_SECONDS = 10.0

StandingOf = Callable[[], Awaitable[QueueState]]
CountFrom = Callable[[int, int], Awaitable[None]]


class CollectorUplink:
    """A `ports.Uplink`. `standing` tells the queue, `count_from` is the outbox's; `down` is the last change told."""

    def __init__(
        self, client: CollectorClient, enrolment: Enrolment, clock: Clock, standing: StandingOf, count_from: CountFrom
    ) -> None:
        self._client = client
        self._enrolment = enrolment
        self._clock = clock
        self._standing = standing
        self._count_from = count_from
        self._batch_size = PartSize(MOST_BATCH_BYTES)
        self._blobs = BlobSending(client, PartSize(PART_BYTES))
        self.down = 0
        self.on_down: Callable[[], None] = lambda: None
        """Called when the collector has told of a change that this appliance had not heard of."""

    @property
    def audio_bytes_moved(self) -> int:
        """Grows with each part that was taken."""
        return self._blobs.bytes_moved

    async def connect(self) -> None:
        """At the beginning of a connection: enrolled, certificate renewed, and our numbers as high as the far end's.

        Entries that were taken before are not to be sent after. Raises: DeliveryError, StorageError.
        """
        await self._enrolment.ensure()
        greeting = await self._greet()
        await self._count_from(greeting.highest_seq, greeting.highest_version)
        # Less than before: another company's, or a collector that was set back.
        self.down = min(self.down, greeting.down)
        self._heard_of(greeting.down)

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """See `ports.Uplink`. Long audio takes several turns: an entry that has no answer yet is to come again."""
        await self._enrolment.ensure()
        answers, ready = await self._send_audio(entries)
        batches, too_large = batches_of(ready, self._batch_size.byte_count)
        answers += too_large
        if batches:
            answers += await self._send(batches[0])
        return answers

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        await self._client.close()

    async def _greet(self) -> Greeting:
        try:
            return read_greeting(await self._client.request("GET"))
        except DeliveryRefused:
            if not await self._enrolment.refused():
                raise
        return read_greeting(await self._client.request("GET"))

    async def _send_audio(self, entries: Sequence[Entry]) -> tuple[list[Answer], list[Entry]]:
        """Answers for audio that can never go, and the entries that are ready."""
        until_seconds = asyncio.get_running_loop().time() + _AUDIO_TURN_SECONDS
        answers: list[Answer] = []
        ready: list[Entry] = []
        may_send = True
        for entry in entries:
            if entry.blob is None:
                ready.append(entry)
            elif may_send:
                try:
                    if await self._blobs.send(entry.blob, until_seconds):
                        ready.append(entry)
                except (BadAudio, RequestRefused) as error:
                    answers.append(Answer(entry.seq, entry.version, Outcome.REJECTED, str(error)))
                except FileNotFoundError:
                    continue  # erased or released since it was taken; the outbox tells it anew
                may_send = asyncio.get_running_loop().time() < until_seconds
        return answers, ready

    async def _send(self, batch: Batch) -> list[Answer]:
        try:
            answers = await self._post(batch)
        except RequestRefused as refusal:
            return await self._send_parted(batch, refusal)
        for answer in answers:
            if answer.outcome is Outcome.NEED_BLOB:
                self._forget_audio(batch, answer.seq)
        return answers

    async def _send_parted(self, batch: Batch, refusal: RequestRefused) -> list[Answer]:
        """One record that the collector cannot even read must not hold the others back."""
        if len(batch.entries) == 1:
            [entry] = batch.entries
            return [Answer(entry.seq, entry.version, Outcome.REJECTED, refusal.sentence or str(refusal))]
        first, second = batch.halves()
        return [*await self._send(first), *await self._send(second)]

    async def _post(self, batch: Batch) -> list[Answer]:
        began = asyncio.get_running_loop().time()
        content = batch.content(await self._about_the_queue(batch))
        try:
            fields = await self._client.request("POST", "/records", body=content, kind="application/json")
        except RequestRefused:
            raise
        except DeliveryError:
            self._batch_size.failed()
            raise
        self._batch_size.sent(len(content), asyncio.get_running_loop().time() - began)
        self._heard_of(number_in(fields, "down"))
        return list(read_answers(fields, {entry.seq: entry.version for entry in batch.entries}))

    async def _about_the_queue(self, batch: Batch) -> Mapping[str, Any]:
        state = await self._standing()
        # The state may be some seconds old; what is sent right now is in it all the same.
        seqs = [entry.seq for entry in batch.entries]
        return {
            "queued": max(state.queued, len(seqs)),
            "next_seq": max(state.next_seq, max(seqs) + 1),
            "oldest_seq": min(seqs) if state.oldest_seq is None else min(state.oldest_seq, *seqs),
            "sent_at": self._clock.now().isoformat(),
            "clock_trusted": self._clock.trusted(),
        }

    def _heard_of(self, down: int) -> None:
        if down > self.down:
            self.down = down
            self.on_down()

    def _forget_audio(self, batch: Batch, seq: int) -> None:
        for entry in batch.entries:
            if entry.seq == seq and entry.blob is not None:
                self._blobs.forget(entry.blob.sha256)
