"""The real vosk library on a real, tiny model that this suite makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.errors import SpeechError
from firmware.pcm import SampleFormat
from firmware.speech.engine import Decoded, SpeechEngine
from firmware.speech.vosk_engine import load
from tests.speech.tiny_vosk_model import WORDS

Say = Callable[..., bytes]


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> SpeechEngine:
    return load("en", tiny_model)


@pytest.fixture
def model_copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def decoded(engine: SpeechEngine, phrases: tuple[str, ...], s16: bytes, piece_bytes: int = 1600) -> Decoded:
    decoder = engine.decoder(phrases)
    for at in range(0, len(s16), piece_bytes):
        decoder.feed(s16[at : at + piece_bytes])
    return decoder.finish()


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
def test_words_of_the_grammar_are_told_apart(engine: SpeechEngine, say: Say, word: str, voice: str) -> None:
    result = decoded(engine, WORDS, say(word, voice))
    assert result.text == word
    assert result.confidence > 0.7


@pytest.mark.parametrize("sample_format", [SampleFormat.U8, SampleFormat.ALAW])
def test_eight_bit_lines_are_understood(engine: SpeechEngine, say: Say, sample_format: SampleFormat) -> None:
    assert decoded(engine, WORDS, say("message", "rms", sample_format)).text == "message"


def test_a_grammar_of_several_words_needs_all_of_them(engine: SpeechEngine, say: Say) -> None:
    phrases = ("yes message", "no")
    assert decoded(engine, phrases, say("yes message", "rms")).text == "yes message"
    assert decoded(engine, phrases, say("message", "rms")).text == ""


def test_other_words_are_none_of_the_phrases(engine: SpeechEngine, say: Say) -> None:
    assert decoded(engine, WORDS, say("banana", "rms")).text == ""


def test_nothing_said_is_nothing_heard(engine: SpeechEngine) -> None:
    assert decoded(engine, WORDS, bytes(16000)) == Decoded("", 0.0)
    assert engine.decoder(WORDS).finish() == Decoded("", 0.0)


def test_dictation_takes_all_words(engine: SpeechEngine, say: Say) -> None:
    dictation = engine.dictation()
    dictation.feed(say("operator", "rms") + say("message", "slt"))
    result = dictation.finish()
    assert result.text == "operator message"
    assert 0 < result.confidence <= 1


def test_words_that_the_model_does_not_have_are_found(engine: SpeechEngine) -> None:
    assert engine.missing_words(["yes", "perhaps", "operator", "留言"]) == ["perhaps", "留言"]


def test_several_decoders_are_open_at_a_time(engine: SpeechEngine, say: Say) -> None:
    decoders = [engine.decoder(WORDS) for _ in WORDS]
    sounds = [say(word, "rms") for word in WORDS]
    for at in range(0, max(map(len, sounds)), 800):
        for decoder, sound in zip(decoders, sounds, strict=True):
            decoder.feed(sound[at : at + 800])
    assert [decoder.finish().text for decoder in decoders] == list(WORDS)


def test_no_model_configured_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="speech fetch"):
        load("zh", None)
    with pytest.raises(SpeechError, match=r"there is no speech model in .*nowhere"):
        load("en", tmp_path / "nowhere")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"not complete: am/final\.mdl"):
        load("en", tmp_path)


@pytest.mark.parametrize(
    "file",
    ["am/final.mdl", "conf/model.conf", "conf/fbank.conf", "graph/HCLr.fst", "graph/Gr.fst"],
)
@pytest.mark.parametrize("emptied", [False, True])
def test_half_a_model_is_refused_by_the_name_of_what_lacks(model_copy: Path, file: str, emptied: bool) -> None:
    (model_copy / file).unlink()
    if emptied:
        (model_copy / file).touch()
    with pytest.raises(SpeechError, match="not complete") as refused:
        load("en", model_copy)
    assert file in str(refused.value)


@pytest.mark.parametrize("emptied", [False, True])
def test_a_model_without_words_is_refused(model_copy: Path, emptied: bool) -> None:
    (model_copy / "graph/words.txt").unlink()
    if emptied:
        (model_copy / "graph/words.txt").touch()
    with pytest.raises(SpeechError, match="is broken"):
        load("en", model_copy)


def test_a_cut_network_is_refused(model_copy: Path) -> None:
    # A cut graph kills the process instead: see test_worker_faults.
    whole = (model_copy / "am/final.mdl").read_bytes()
    (model_copy / "am/final.mdl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SpeechError, match="fetch"):
        load("en", model_copy)


def test_a_model_that_would_ignore_the_phrases_is_refused(model_copy: Path) -> None:
    shutil.copy(model_copy / "graph/HCLr.fst", model_copy / "graph/HCLG.fst")
    with pytest.raises(SpeechError, match="chosen words"):
        load("en", model_copy)
