"""The worker's part, in this process and with an engine that does as it is told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.errors import SpeechError
from firmware.simulation.voices import babble
from firmware.speech.engine import NOTHING, Decoded
from firmware.speech.engines import load_engine
from firmware.speech.messages import (
    Began,
    Dictate,
    Drop,
    Ended,
    Failed,
    Finish,
    Heard,
    Listen,
    Message,
    Prepare,
    Prepared,
    Progress,
    Reply,
    Sound,
)
from firmware.speech.worker import Worker
from firmware.units import SAMPLE_RATE_HZ

WORDS_SECONDS = 0.8
WORDS = bytes(16000) + babble(WORDS_SECONDS, random.Random(5)) + bytes(16000)
FAILS_TO_FEED, FAILS_TO_FINISH = "feed", "finish"


class _Decoder:
    """Hears its first phrase, whatever is said; fails where the phrase says so."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self.phrases = phrases
        self.fed = b""

    def feed(self, s16: bytes) -> None:
        self.fed += s16
        if FAILS_TO_FEED in self.phrases:
            raise SpeechError("cannot feed")

    def finish(self) -> Decoded:
        if FAILS_TO_FINISH in self.phrases:
            raise SpeechError("cannot finish")
        return Decoded(self.phrases[0], 0.8) if self.fed else NOTHING


class _Engine:
    name = "obedient"

    def __init__(self) -> None:
        self.decoders: list[_Decoder] = []

    def missing_words(self, words: Sequence[str]) -> list[str]:
        return [word for word in words if word == "rare"]

    def decoder(self, phrases: Sequence[str]) -> _Decoder:
        self.decoders.append(_Decoder(phrases))
        return self.decoders[-1]

    def dictation(self) -> _Decoder:
        raise SpeechError("takes no dictation")


@pytest.fixture
def engine() -> _Engine:
    return _Engine()


@pytest.fixture
def worker(engine: _Engine) -> Worker:
    worker = Worker(lambda _, language, __: engine if language == "en" else _refuse())
    assert replies(worker, Prepare("obedient", "en", None, ("yes", "rare"))) == [Prepared("en", ("rare",), None)]
    return worker


def _refuse() -> _Engine:
    raise SpeechError("no such model")


def replies(worker: Worker, *messages: Message) -> list[Reply]:
    return [reply for message in messages for reply in worker.handle(message)]


def listen(number: int, *phrases: str) -> Listen:
    return Listen(number, "en", phrases, 0.6, 6.0)


def sounds(number: int, s16: bytes, piece_bytes: int = 1600) -> list[Sound]:
    return [Sound(number, s16[at : at + piece_bytes]) for at in range(0, len(s16), piece_bytes)]


def test_an_answer_is_told_as_it_goes(worker: Worker) -> None:
    told = replies(worker, listen(1, "yes"), *sounds(1, WORDS))
    progress = [reply.samples for reply in told if isinstance(reply, Progress)]
    assert progress == sorted(progress)
    assert 0 < progress[-1] < len(WORDS) // 2
    began, ended, heard = (reply for reply in told if not isinstance(reply, Progress))
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert SAMPLE_RATE_HZ - 200 < began.sample < ended.sample < ended.decided_at
    assert ended.decided_at % 800 == 0
    assert heard == Heard(1, "yes", 0.8)
    assert told[-1] == heard


def test_the_decoder_is_fed_the_words_with_silence_around_them(worker: Worker, engine: _Engine) -> None:
    replies(worker, listen(1, "yes"), *sounds(1, WORDS))
    fed = engine.decoders[0].fed
    words = WORDS[16000:-16000]
    lead, _, rest = fed.partition(words)
    assert 0.2 * 16000 <= len(lead) <= 0.6 * 16000
    assert 0.5 * 16000 <= len(rest) <= 0.8 * 16000


def test_utterances_of_several_lines_do_not_mix(worker: Worker) -> None:
    both = [sound for pair in zip(sounds(1, WORDS), sounds(2, WORDS), strict=True) for sound in pair]
    told = replies(worker, listen(1, "yes"), listen(2, "no"), *both)
    assert [reply for reply in told if isinstance(reply, Heard)] == [Heard(1, "yes", 0.8), Heard(2, "no", 0.8)]


def test_silence_is_not_even_decoded(worker: Worker, engine: _Engine) -> None:
    told = replies(worker, listen(1, "yes"), *sounds(1, bytes(160000)))
    assert {type(reply) for reply in told} == {Progress}
    assert engine.decoders[0].fed == b""


def test_sound_of_an_utterance_that_is_over_or_unknown_is_dropped(worker: Worker) -> None:
    assert replies(worker, Sound(9, WORDS), Finish(9), Drop(9)) == []
    replies(worker, listen(1, "yes"), *sounds(1, WORDS))
    assert replies(worker, *sounds(1, WORDS), Finish(1)) == []
    replies(worker, listen(2, "yes"), Drop(2))
    assert replies(worker, *sounds(2, WORDS)) == []


def test_phrases_with_unknown_words_are_left_out(worker: Worker, engine: _Engine) -> None:
    replies(worker, listen(1, "rare yes", "no"))
    assert engine.decoders[0].phrases == ["no"]
    assert replies(worker, listen(2, "rare")) == [Failed(2, "the model for en knows none of: rare")]


@pytest.mark.parametrize("way", [FAILS_TO_FEED, FAILS_TO_FINISH])
def test_an_engine_that_fails_ends_its_utterance_only(worker: Worker, way: str) -> None:
    told = replies(worker, listen(1, way), listen(2, "yes"), *sounds(1, WORDS), *sounds(2, WORDS))
    assert [reply for reply in told if isinstance(reply, Failed)] == [Failed(1, f"cannot {way}")]
    assert [reply for reply in told if isinstance(reply, Heard)] == [Heard(2, "yes", 0.8)]


def test_what_cannot_be_done_is_told(worker: Worker) -> None:
    assert replies(worker, Prepare("obedient", "zh", None, ())) == [Prepared("zh", (), "no such model")]
    assert replies(worker, Dictate(1, "en")) == [Failed(1, "takes no dictation")]
    assert replies(worker, Dictate(2, "zh")) == [Failed(2, "no model is loaded for zh")]


def test_a_reply_is_no_request(worker: Worker) -> None:
    with pytest.raises(SpeechError, match="was sent a reply"):
        replies(worker, Heard(1, "yes", 1.0))


def test_an_engine_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="there is: vosk, pocketsphinx"):
        load_engine("sphinxter", "en", tmp_path)
