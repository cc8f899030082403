"""What every recogniser keeps to: real engines in a real worker, and the one that follows a script."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware.ports import Grammar, Recognizer, Understood
from firmware.simulation.scripted_recognizer import ScriptedRecognizer, Silence
from firmware.speech.recognizer import WorkerRecognizer
from tests.speech.recognizers import QUICK, WORDS, Told, hear, result_of, speech_settings, vosk_recognizer

Say = Callable[..., bytes]
YES = Understood("yes", 0.9)


@dataclass
class Bench:
    """A recogniser of one kind, and words in a voice that it understands."""

    recognizer: Recognizer
    say: Callable[[str], bytes]


@asynccontextmanager
async def _vosk(model: Path, say: Say) -> AsyncIterator[Bench]:
    async with vosk_recognizer(model) as recognizer:
        yield Bench(recognizer, lambda word: say(word, "rms"))


@asynccontextmanager
async def _pocketsphinx(say: Say) -> AsyncIterator[Bench]:
    told = Told()
    settings = speech_settings("pocketsphinx", {})
    async with WorkerRecognizer(settings, (WORDS,), told.problem, told.recovered) as recognizer:
        await recognizer.checked()
        assert not told.problems
        yield Bench(recognizer, lambda word: say(word, "rms"))


@asynccontextmanager
async def _scripted(answer: str) -> AsyncIterator[Bench]:
    answers = [Understood(answer, 0.9)] * 3
    yield Bench(ScriptedRecognizer(answers, ["en"], delay_seconds=0.2), lambda _: bytes(16000))


KINDS = [
    "scripted",
    "vosk",
    pytest.param(
        "pocketsphinx",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("pocketsphinx") is None
            or importlib.util.find_spec("firmware.speech.pocketsphinx_engine") is None,
            reason="pocketsphinx is not installed",
        ),
    ),
]


def bench_of(kind: str, request: pytest.FixtureRequest, answer: str = "message") -> AbstractAsyncContextManager[Bench]:
    say: Say = request.getfixturevalue("say")
    if kind == "vosk":
        return _vosk(request.getfixturevalue("tiny_model"), say)
    return _pocketsphinx(say) if kind == "pocketsphinx" else _scripted(answer)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_word_of_the_grammar_is_understood(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        assert bench.recognizer.languages == {"en"}
        utterance = bench.recognizer.listen(WORDS)
        hear(utterance, bench.say("message"))
        heard = await result_of(utterance)
        assert heard is not None
        assert heard.text == "message"
        assert 0 <= heard.confidence <= 1
        assert not utterance.speaking
        assert await result_of(utterance) == heard


@pytest.mark.parametrize("kind", KINDS)
async def test_somebody_speaks_until_the_result_is_there(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        utterance = bench.recognizer.listen(WORDS)
        sound = bench.say("message")
        hear(utterance, sound[: len(sound) // 2 | 1])  # half a sample is left over
        async with asyncio.timeout(5):
            while not utterance.speaking:
                await asyncio.sleep(0.005)
        hear(utterance, sound[len(sound) // 2 | 1 :])
        assert await result_of(utterance) is not None
        assert not utterance.speaking


@pytest.mark.parametrize("kind", KINDS)
async def test_a_closed_utterance_gives_nothing_and_takes_anything(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        utterance = bench.recognizer.listen(WORDS)
        waiting = asyncio.ensure_future(utterance.understood())
        await asyncio.sleep(0)
        hear(utterance, bench.say("message")[:4000])
        utterance.close()
        utterance.close()
        async with asyncio.timeout(2):
            assert await waiting is None
        hear(utterance, bench.say("message"))
        assert not utterance.speaking
        assert await result_of(utterance) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_another_language_comes_to_nothing_at_once(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        utterance = bench.recognizer.listen(Grammar("zh", ("留言",)))
        hear(utterance, bench.say("message"))
        assert await result_of(utterance, 1.0) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_two_lines_are_understood_at_a_time(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        utterances = [bench.recognizer.listen(WORDS), bench.recognizer.listen(WORDS)]
        sound = bench.say("message")
        for at in range(0, len(sound), 800):
            for utterance in utterances:
                utterance.hear(sound[at : at + 800])
        results = [await result_of(utterance) for utterance in utterances]
        assert [result and result.text for result in results] == ["message", "message"]


@pytest.mark.parametrize("kind", ["vosk", KINDS[2]])
async def test_silence_is_no_answer(kind: str, request: pytest.FixtureRequest) -> None:
    async with bench_of(kind, request) as bench:
        utterance = bench.recognizer.listen(WORDS)
        hear(utterance, bytes(16000 * 3))
        with pytest.raises(TimeoutError):
            await result_of(utterance, 0.5)
        assert not utterance.speaking


# --- what a script alone can do


@pytest.mark.fast_time
async def test_a_script_is_followed_in_simulated_time() -> None:
    loop = asyncio.get_running_loop()
    recognizer = ScriptedRecognizer([YES, None, Silence.KEPT], ["en"], begins_seconds=2.0, delay_seconds=3.0)
    began_at = loop.time()
    utterance = recognizer.listen(WORDS)
    assert not utterance.speaking
    await asyncio.sleep(2.5)
    assert utterance.speaking
    assert await utterance.understood() == YES
    assert loop.time() - began_at == pytest.approx(3.0)
    assert await recognizer.listen(WORDS).understood() is None
    for _ in range(2):
        silent = recognizer.listen(WORDS)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(silent.understood(), 3600)
        assert not silent.speaking
        silent.close()
        assert await silent.understood() is None
    assert recognizer.grammars == [WORDS] * 4


# --- what only the worker does


async def test_a_phrase_that_the_model_cannot_know_is_told_and_left_to_the_keypad(tiny_model: Path, say: Say) -> None:
    told = Told()
    grammar = Grammar("en", ("message", "leave a message"))
    async with vosk_recognizer(tiny_model, told, [grammar]) as recognizer:
        assert recognizer.languages == {"en"}
        assert told.problems == ["the speech model for English does not know: leave, a"]
        utterance = recognizer.listen(grammar)
        hear(utterance, say("message", "rms"))
        heard = await result_of(utterance)
        assert heard is not None
        assert heard.text == "message"


async def test_a_question_of_which_nothing_is_known_takes_the_language_away(tiny_model: Path) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told, [WORDS, Grammar("en", ("morning", "afternoon"))]) as recognizer:
        assert not recognizer.languages
    assert told.problems == ["the speech model for English does not know: morning, afternoon"]


async def test_one_broken_language_leaves_the_other(tiny_model: Path, tmp_path: Path) -> None:
    told = Told()
    settings = speech_settings("vosk", {"en": tiny_model, "zh": tmp_path})
    grammars = (WORDS, Grammar("zh", ("留言",)))
    async with WorkerRecognizer(settings, grammars, told.problem, told.recovered, patience=QUICK) as recognizer:
        await recognizer.checked()
        assert recognizer.languages == {"en"}
    assert len(told.problems) == 1
    assert str(tmp_path) in told.problems[0]


async def test_without_an_engine_nothing_is_started_and_nothing_is_wrong() -> None:
    told = Told()
    settings = speech_settings("none", {})
    async with WorkerRecognizer(settings, (WORDS,), told.problem, told.recovered) as recognizer:
        await recognizer.checked()
        assert recognizer.process_id is None
        assert await result_of(recognizer.listen(WORDS)) is None
    assert not told.problems


async def test_words_that_are_none_of_the_answers_are_told_apart_from_silence(tiny_model: Path, say: Say) -> None:
    async with vosk_recognizer(tiny_model) as recognizer:
        utterance = recognizer.listen(WORDS)
        hear(utterance, say("banana", "rms"))
        heard = await result_of(utterance)
        assert heard is not None
        assert heard.text == ""


def _resident_bytes(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * 4096


async def test_many_utterances_leave_no_memory_behind(tiny_model: Path, say: Say) -> None:
    sounds = [say(word, "rms")[:16000] + bytes(9600) for word in WORDS.phrases]
    async with vosk_recognizer(tiny_model) as recognizer:
        process_id = recognizer.process_id
        assert process_id is not None
        before = 0
        for round_ in range(300):
            utterance = recognizer.listen(WORDS)
            hear(utterance, sounds[round_ % len(sounds)])
            if round_ % 5:
                assert await result_of(utterance) is not None
            utterance.close()
            if round_ == 60:
                before = _resident_bytes(process_id)
        assert _resident_bytes(process_id) - before < 4_000_000
