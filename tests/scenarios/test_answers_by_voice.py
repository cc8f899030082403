"""Whole calls with the real recogniser in its worker, in real time: a caller who only speaks, one whose speech is
garbage, and a worker that is killed in the middle of a word.

The caller's voice is flite's, so this shows that the parts work together, not how well people are understood.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.many_calls.office import Office, office
from benchmarks.many_calls.speech import unique_speech
from firmware.events import CallEnd, CallEnded, KeyPressed, MessageKept, PromptStarted, WordsHeard
from firmware.simulation.call import Call
from firmware.simulation.voices import babble
from firmware.speech.recognizer import WorkerRecognizer
from tests.speech.tiny_acoustics import speak

SPEECH = unique_speech(3.0, random.Random(3))
_SETTINGS = """\
speech: {engine: pocketsphinx, transcripts: false}
calls: {silence_ends_message_seconds: 2, no_input_seconds: 4}
languages: [en]
"""
_MISUNDERSTANDINGS = 3


def voice_of(at: Office) -> WorkerRecognizer:
    found = at.service.speech.recognizer
    assert isinstance(found, WorkerRecognizer)
    return found


@pytest.fixture
async def appliance(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path, more=_SETTINGS) as opened:
        await voice_of(opened).checked()
        assert voice_of(opened).languages == {"en"}
        yield opened


def prompts(at: Office) -> list[str]:
    return [event.prompt for event in at.all(PromptStarted)]


async def asked(at: Office, call: Call, prompt: str, after: int = 0) -> None:
    """Until a question was put, as the so-many-th prompt or later, and spoken to its end."""
    await at.until(lambda: prompt in prompts(at)[after:], 60)
    await call.heard_silence(0.6)


async def say(at: Office, call: Call, word: str) -> WordsHeard:
    """Say a word and wait until it was heard, whatever was made of it, and the next prompt began."""
    heard, told = len(at.all(WordsHeard)), len(prompts(at))
    await call.speak(speak(word, "rms").astype("<i2").tobytes())
    await at.until(lambda: len(at.all(WordsHeard)) > heard and len(prompts(at)) > told, 20)
    words: WordsHeard = at.all(WordsHeard)[heard]
    return words


async def answer(at: Office, call: Call, word: str) -> None:
    """Say it; say yes where it is read back, and say it again where it was not understood."""
    for _ in range(_MISUNDERSTANDINGS):
        told = len(prompts(at))
        words = await say(at, call, word)
        if "heard_confirm" in prompts(at)[told:]:
            await asked(at, call, "heard_confirm", told)
            await say(at, call, "yes" if words.text == word else "no")
        if words.text == word:
            return
        await call.heard_silence(0.6)


async def test_caller_who_only_speaks_leaves_a_message(appliance: Office) -> None:
    call = await appliance.ring(appliance.lines[0])
    await asked(appliance, call, "main_menu_spoken")
    await answer(appliance, call, "message")
    assert await call.heard_beep()
    await call.wait(0.3)
    await call.speak(SPEECH)
    await asked(appliance, call, "message_review")
    await answer(appliance, call, "finish")
    await call.ended()
    await appliance.until_ended(appliance.lines[0])
    assert appliance.all(KeyPressed) == []
    assert appliance.all(CallEnded)[0].end is CallEnd.COMPLETED
    (message,) = appliance.all(MessageKept)
    assert appliance.found(message, SPEECH) == len(SPEECH) // 2


async def test_caller_whose_speech_is_garbage_gets_there_by_keys(appliance: Office) -> None:
    call = await appliance.ring(appliance.lines[0])
    await asked(appliance, call, "main_menu_spoken")
    heard = len(appliance.all(WordsHeard))
    await call.speak(babble(1.5, random.Random(5)))
    await appliance.until(lambda: len(appliance.all(WordsHeard)) > heard, 20)
    await call.wait(1.0)
    if "heard_confirm" in prompts(appliance):
        await call.key("2")  # it was not that
        await asked(appliance, call, "main_menu_spoken", prompts(appliance).index("heard_confirm"))
    await call.key("1")
    assert await call.heard_beep()
    await call.wait(0.3)
    await call.speak(SPEECH)
    await call.wait(0.3)
    await call.key("#")
    await asked(appliance, call, "message_review")
    await call.key("1")
    await call.ended()
    await appliance.until_ended(appliance.lines[0])
    (message,) = appliance.all(MessageKept)
    assert appliance.found(message, SPEECH) == len(SPEECH) // 2


async def test_worker_that_is_killed_in_mid_utterance_costs_nothing_but_the_answer(appliance: Office) -> None:
    call = await appliance.ring(appliance.lines[0])
    await asked(appliance, call, "main_menu_spoken")
    speaking = asyncio.create_task(call.speak(babble(2.0, random.Random(6))))
    await call.wait(0.8)
    worker = voice_of(appliance).process_id
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    await speaking
    await call.key("1")
    assert await call.heard_beep()
    await call.wait(0.3)
    await call.speak(SPEECH)
    await call.wait(0.3)
    await call.key("#")
    await call.wait(1.0)
    await call.key("1")
    await call.ended()
    await appliance.until_ended(appliance.lines[0])
    (message,) = appliance.all(MessageKept)
    assert appliance.found(message, SPEECH) == len(SPEECH) // 2
    assert appliance.all(WordsHeard) == []
    async with asyncio.timeout(20):
        while not voice_of(appliance).languages or not _incident_over(appliance):
            await asyncio.sleep(0.1)  # the records are another process's as far as this test can see
    (incident,) = appliance.incidents("speech")
    assert "keypad" in incident["summary"]


def _incident_over(at: Office) -> bool:
    return any(incident["ended_at"] for incident in at.incidents("speech"))
