"""A stage for one call: scripted line, store in memory, prompts that are their own names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

import pytest
from structlog.testing import capture_logs

from firmware.errors import DiskFull, StorageError
from firmware.events import CallbackKept, CallEnd, CallerId, CallEvent, LineChanged, MessageKept
from firmware.ivr.flow import Flow
from firmware.ivr.loader import load_flow
from firmware.ivr.session import CallSession, SessionResult
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import CallbackRequest, Clip, Recognizer, StoredTake, Take
from firmware.settings import CallSettings, SpeechSettings
from firmware.simulation.scripted_line import CallerScript, ScriptedLine

SOON = "as_soon_as_possible"


@dataclass
class MemoryRecording:
    store: MemoryStore
    sample_format: SampleFormat
    data: bytes = b""
    open: bool = True

    def write(self, data: bytes) -> None:
        assert self.open
        self.data += data

    async def finish(self, take: Take) -> StoredTake:
        self.store.step("finish")
        assert self.open
        self.open = False
        file = f"take{len(self.store.files)}.wav"
        self.store.files[file] = self.data
        return StoredTake(file, self.sample_format, take)

    async def discard(self) -> None:
        self.open = False


@dataclass
class KeptMessage:
    id: str
    number: int
    stored: StoredTake
    language: str
    urgent: bool = False


@dataclass
class KeptCallback:
    id: str
    number: int
    request: CallbackRequest


@dataclass
class MemoryStore:
    """`ports.CallStore`. `fails_at` names the numbered step that raises."""

    fails_at: int | None = None
    failure: Exception = field(default_factory=lambda: StorageError("the database is gone"))
    room: bool = True
    full_at_start: bool = False
    steps: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    recordings: list[MemoryRecording] = field(default_factory=list)
    messages: dict[str, KeptMessage] = field(default_factory=dict)
    callbacks: dict[str, KeptCallback] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    incidents: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        number = len(self.steps)
        self.steps.append(name)
        if number == self.fails_at:
            raise self.failure

    def new_call_id(self) -> str:
        raise NotImplementedError

    async def call_offered(self, line: str, caller: CallerId, call_id: str | None = None) -> str:
        raise NotImplementedError

    async def call_answered(self, call_id: str, caller: CallerId) -> None:
        raise NotImplementedError

    async def call_ended(
        self, call_id: str, end: CallEnd, evidence: str | None, language: str, path: Sequence[str]
    ) -> None:
        raise NotImplementedError

    async def voice_room(self) -> bool:
        self.step("voice_room")
        return self.room

    async def start_recording(
        self, call_id: str, sample_format: SampleFormat, purpose: str = "message"
    ) -> MemoryRecording:
        self.step("start_recording")
        if self.full_at_start:
            raise DiskFull("no room")
        self.recordings.append(MemoryRecording(self, sample_format))
        return self.recordings[-1]

    async def keep_message(self, call_id: str, stored: StoredTake, language: str) -> MessageKept:
        self.step("keep_message")
        kept = KeptMessage(f"m{len(self.messages)}", 1001 + len(self.messages), stored, language)
        self.messages[kept.id] = kept
        return MessageKept("front", call_id, kept.id, kept.number)

    async def replace_message(self, message_id: str, stored: StoredTake) -> MessageKept:
        self.step("replace_message")
        self.messages[message_id].stored = stored
        return MessageKept("front", "c1", message_id, self.messages[message_id].number)

    async def mark_urgent(self, message_id: str) -> None:
        self.step("mark_urgent")
        self.messages[message_id].urgent = True

    async def message_audio(self, message_id: str) -> bytes:
        self.step("message_audio")
        stored = self.messages[message_id].stored
        return decode_to_s16(self.files[stored.file], stored.sample_format)

    async def keep_callback(self, call_id: str, request: CallbackRequest, language: str) -> CallbackKept:
        self.step("keep_callback")
        for kept in self.callbacks.values():
            if kept.request.phone == request.phone:
                kept.request = replace(request, preferred=request.preferred or kept.request.preferred)
                return CallbackKept("front", call_id, kept.id, kept.number, merged=True)
        new = KeptCallback(
            f"b{len(self.callbacks)}", 501 + len(self.callbacks), replace(request, preferred=request.preferred or SOON)
        )
        self.callbacks[new.id] = new
        return CallbackKept("front", call_id, new.id, new.number, merged=False)

    async def add_callback_reason(self, callback_id: str, reason: StoredTake) -> None:
        self.step("add_callback_reason")
        kept = self.callbacks[callback_id]
        kept.request = replace(kept.request, reason=reason)

    async def remembered_language(self, number: str) -> str | None:
        self.step("remembered_language")
        return self.languages.get(number)

    async def remember_language(self, number: str, language: str) -> None:
        self.step("remember_language")
        self.languages[number] = language

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self.step("open_incident")
        self.incidents.append((kind, place, summary))

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        self.step("note_incident")
        self.notes.append(action)

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        raise NotImplementedError  # no call tells it

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        raise NotImplementedError  # no call tells anybody

    async def close_incident(self, kind: str, place: str) -> None:
        raise NotImplementedError


class NameShelf:
    """`ports.PromptShelf` whose clips last a tenth of a second."""

    def clip(self, prompt: str, language: str) -> Clip:
        return Clip(prompt, f"<{prompt}>", bytes(1600), language)

    def digits(self, digits: str, language: str) -> list[Clip]:
        return [Clip(f"digit_{digit}", digit, bytes(1600), language) for digit in digits]


@dataclass
class SetClock:
    at: datetime = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # a Wednesday, 10 o'clock in Shanghai
    is_trusted: bool = True

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return self.at

    def trusted(self) -> bool:
        return self.is_trusted


@dataclass
class Stage:
    """One call that is about to be led, or was."""

    line: ScriptedLine
    store: MemoryStore
    session: CallSession
    events: list[CallEvent | LineChanged]

    async def run(self) -> SessionResult:
        return await self.session.run()

    @property
    def heard(self) -> list[str]:
        return self.line.prompts_heard

    def voice(self, message_id: str) -> bytes:
        return self.store.files[self.store.messages[message_id].stored.file]


@cache
def _office() -> Flow:
    return load_flow("builtin:office")


def set_stage(
    script: CallerScript | None = None,
    *,
    store: MemoryStore | None = None,
    flow: Flow | None = None,
    number: str | None = "13800001111",
    languages: Sequence[str] = ("zh", "en"),
    clock: SetClock | None = None,
    settings: CallSettings | None = None,
    timed: bool = False,
    recognizer: Recognizer | None = None,
    speech: SpeechSettings | None = None,
) -> Stage:
    line = ScriptedLine(script or CallerScript(), timed=timed)
    store = store or MemoryStore()
    events: list[CallEvent | LineChanged] = []
    session = CallSession(
        flow=flow or _office(),
        voice=line,
        store=store,
        shelf=NameShelf(),
        clock=clock or SetClock(),
        caller=CallerId(number),
        call_id="c1",
        line="front",
        watcher=events.append,
        settings=settings or CallSettings(),
        languages=languages,
        recognizer=recognizer,
        speech=speech,
    )
    return Stage(line, store, session, events)


@pytest.fixture(autouse=True, scope="module")
def quiet_journal() -> Iterator[None]:
    """Without a journal of the service, structlog would draw every traceback in colours, and slowly."""
    with capture_logs():
        yield


@pytest.fixture
def stage() -> Callable[..., Stage]:
    return set_stage


@pytest.fixture
def memory_store() -> type[MemoryStore]:
    return MemoryStore


@pytest.fixture
def set_clock() -> type[SetClock]:
    return SetClock
