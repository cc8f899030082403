"""Calls and what callers left, and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from firmware.events import CallbackKept, CallEnd, CallerId, MessageKept
from firmware.pcm import SampleFormat
from firmware.ports.line import AudioSink, Take


@dataclass(frozen=True, slots=True)
class StoredTake:
    """A finished recording on the disk."""

    file: str
    sample_format: SampleFormat
    take: Take


class Recording(AudioSink, Protocol):
    """A recording that grows on the disk, safe against power cuts up to the last second."""

    async def finish(self, take: Take) -> StoredTake:
        """Make it durable under its final name.

        Raises: StorageError; DiskFull when samples were refused and `take.end` does not say so yet. A second `finish`
        with `end=DISK_FULL` then keeps what the disk took.
        """

    async def discard(self) -> None:
        """Remove it: nothing was said."""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a caller asked for. `phone` is data for a person, and is never dialled on the caller's word.

    `preferred` None says that the caller has not chosen a time: as soon as possible, or what an open request says.
    """

    phone: str
    preferred: str | None = None
    reason: StoredTake | None = None


class IncidentLog(Protocol):
    """Faults and what was done about them. Each method returns after its commit is on the disk.

    Raises: StorageError.
    """

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        """A fault began. One that is open already for this kind and place stays the same incident."""

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        """What was done about it."""

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        """What it cost callers and the office, in a sentence; a later one replaces it."""

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        """Somebody was told of it: who, how (by telephone, by e-mail), and what came of it."""

    async def close_incident(self, kind: str, place: str) -> None:
        """The fault is over; nothing happens where none is open."""


class CallStore(IncidentLog, Protocol):
    """Calls and what callers left. Each method returns after its commit is on the disk. Raises: StorageError."""

    def new_call_id(self) -> str:
        """An id for a call that rings now; nothing is written yet."""

    async def call_offered(self, line: str, caller: CallerId, call_id: str | None = None) -> str:
        """A call rings; returns its id, a new one unless given.

        Where this fails, the call is still written before whatever is kept of it later.
        """

    async def call_answered(self, call_id: str, caller: CallerId) -> None:
        """The line is off hook; who calls is known by now, as far as it ever will be."""

    async def call_ended(
        self, call_id: str, end: CallEnd, evidence: str | None, language: str, path: Sequence[str]
    ) -> None:
        """The call is over."""

    async def voice_room(self) -> bool:
        """Whether the disk has room for another recording."""

    async def start_recording(self, call_id: str, sample_format: SampleFormat, purpose: str = "message") -> Recording:
        """`purpose` ("message", "callback_reason") tells recovery where it belongs. Raises: DiskFull."""

    async def keep_message(self, call_id: str, stored: StoredTake, language: str) -> MessageKept:
        """Keep a message; a second one of the same call replaces nothing. Merging is `replace_message`."""

    async def replace_message(self, message_id: str, stored: StoredTake) -> MessageKept:
        """The caller recorded again: same message and number, new recording."""

    async def mark_urgent(self, message_id: str) -> None:
        """The caller called it urgent."""

    async def message_audio(self, message_id: str) -> bytes:
        """The kept part of a message as s16, to play it back."""

    async def keep_callback(self, call_id: str, request: CallbackRequest, language: str) -> CallbackKept:
        """Keep a request; an open one of the same number is updated instead."""

    async def add_callback_reason(self, callback_id: str, reason: StoredTake) -> None:
        """The spoken reason of a request that is kept already."""

    async def remembered_language(self, number: str) -> str | None:
        """The language this number chose before."""

    async def remember_language(self, number: str, language: str) -> None:
        """Remember it for the next call."""
