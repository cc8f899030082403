"""Messages are written down after the call, and never at its cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.clock import SystemClock
from firmware.events import CallerId, MessageKept, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take, Understood
from firmware.services.speech_desk import Scribe, SpeechDesk
from firmware.settings import SpeechSettings
from firmware.storage.queries import Records
from firmware.storage.store import Store

SPOKEN = SpeechSettings(engine="pocketsphinx")


class FakeTranscriber:
    """Answers with what it is given; waits where it is given nothing yet."""

    def __init__(self, settings: SpeechSettings) -> None:
        self.answers: asyncio.Queue[Understood | None] = asyncio.Queue()
        self.jobs: list[int] = []

    def understands(self, language: str) -> bool:
        return language == "en"

    async def transcribe(self, s16: bytes, language: str) -> Understood | None:
        self.jobs.append(len(s16))
        return await self.answers.get()

    async def pause(self) -> None:
        self.answers.put_nowait(None)

    def resume(self) -> None:
        pass


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path, SystemClock())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def transcripts(tmp_path: Path) -> Callable[[], list[Any]]:
    from zoneinfo import ZoneInfo

    def read() -> list[Any]:
        with Records(tmp_path, ZoneInfo("UTC")) as records:
            return [message["transcript"] for message in records.messages()]

    return read


async def leave(store: Store, language: str = "en", samples: int = 8000) -> MessageKept:
    call_id = await store.call_offered("front", CallerId("1"))
    recording = await store.start_recording(call_id, SampleFormat.U8)
    recording.write(bytes(range(100, 200)) * (samples // 100))
    stored = await recording.finish(Take(RecordingEnd.KEY, samples, samples, voiced=True))
    return await store.keep_message(call_id, stored, language)


@pytest.fixture
async def scribe(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Scribe, FakeTranscriber]]:
    fake = FakeTranscriber(SPOKEN)
    monkeypatch.setattr("firmware.services.speech_desk.Transcriber", lambda _: fake)
    made = Scribe(SPOKEN, ("zh", "en"), store)
    task = asyncio.create_task(made.run())
    yield made, fake
    task.cancel()
    await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)  # another thread writes the records


Written = Callable[[], list[Any]]


async def test_messages_are_written_down_in_languages_with_a_model(
    store: Store, scribe: tuple[Scribe, FakeTranscriber], transcripts: Written
) -> None:
    writing, fake = scribe
    for language in ("en", "zh", "en"):
        await leave(store, language)
    writing.wake()
    fake.answers.put_nowait(Understood("the invoice has not come", 0.8))
    fake.answers.put_nowait(Understood("", 0.0))
    await until(lambda: transcripts() == ["the invoice has not come", None, ""])


async def test_message_that_breaks_the_recogniser_is_given_up(
    store: Store, scribe: tuple[Scribe, FakeTranscriber], transcripts: Written
) -> None:
    writing, fake = scribe
    await leave(store)
    await leave(store)
    writing.wake()
    for answer in (None, None, Understood("the second one", 0.9)):
        fake.answers.put_nowait(answer)
    await until(lambda: transcripts() == ["", "the second one"])


async def test_paused_transcript_is_begun_again(
    store: Store, scribe: tuple[Scribe, FakeTranscriber], transcripts: Written
) -> None:
    writing, fake = scribe
    await leave(store)
    writing.wake()
    await until(lambda: len(fake.jobs) == 1)
    await writing.pause()
    await until(fake.answers.empty)
    writing.resume()
    fake.answers.put_nowait(Understood("call me", 0.7))
    await until(lambda: transcripts() == ["call me"])
    assert len(fake.jobs) == 2


async def test_message_recorded_again_gets_a_transcript_of_its_own(store: Store, transcripts: Written) -> None:
    message = await leave(store)
    job = await store.next_untranscribed(["en"])
    assert job is not None
    again = await store.start_recording(message.call_id, SampleFormat.U8)
    again.write(bytes(range(100, 200)) * 80)
    await store.replace_message(message.message_id, await again.finish(Take(RecordingEnd.KEY, 8000, 8000, voiced=True)))
    await store.keep_transcript(job, "what was said first", 0.9)
    assert transcripts() == [None]


async def test_broken_model_is_an_incident_and_nothing_more(store: Store, tmp_path: Path) -> None:
    settings = SpeechSettings(engine="vosk", models={"en": tmp_path / "no-model"})
    async with SpeechDesk(settings, ("en",), store, None) as desk:

        def incidents() -> list[Any]:
            from zoneinfo import ZoneInfo

            with Records(tmp_path, ZoneInfo("UTC")) as records:
                return records.incidents()

        async with asyncio.timeout(20):
            while not incidents():
                await asyncio.sleep(0.05)
        assert desk.recognizer.languages == frozenset()
        (incident,) = incidents()
        assert (incident["kind"], incident["ended_at"]) == ("speech", None)
        assert "no-model" in incident["summary"]
