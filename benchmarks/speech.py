"""Word accuracy, speed and memory of pocketsphinx on real spoken digits through the telephone path (docs/speech.md)."""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure, milliseconds
from benchmarks.memory import pss_megabytes
from benchmarks.telephone_path import DIGITS, RECORDINGS, Samples, telephone
from firmware.pcm import SampleFormat
from firmware.ports import Grammar
from firmware.settings import SpeechSettings
from firmware.speech.offline import OfflineRecognizer
from firmware.speech.recognizer import WorkerRecognizer
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds

_WANTED = 0.85
_DECISION_SECONDS = 0.4
_SETTINGS = SpeechSettings(engine="pocketsphinx")
# What was chosen while looking at the first half of this order is reported on the second.
_ORDER_SEED = 1
_TIMED_ANSWERS = 8
_PIECE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Path:
    what: str
    sample_format: SampleFormat = SampleFormat.ULAW
    snr_db: float | None = None


_PATHS = (
    _Path("mu-law"),
    _Path("8-bit linear", SampleFormat.U8),
    _Path("mu-law, SNR 20 dB", SampleFormat.ULAW, 20.0),
    _Path("mu-law, SNR 10 dB", SampleFormat.ULAW, 10.0),
)


async def measure_speech() -> list[Figure]:
    """Accuracy, confidence, real-time factor, time to the decision, and the worker's memory."""
    if not RECORDINGS.is_dir():
        return [Figure("SPEECH", "spoken digits", "the recordings do not lie beside the project")]
    files = sorted(RECORDINGS.glob("*.wav"))
    random.Random(_ORDER_SEED).shuffle(files)
    speech = [(DIGITS[int(file.name[0])], _recorded(file)) for file in files]
    return [*(_accuracy(path, speech) for path in _PATHS), *await _decisions(speech[:_TIMED_ANSWERS])]


def _accuracy(path: _Path, speech: list[tuple[str, Samples]]) -> Figure:
    ears = OfflineRecognizer(_SETTINGS, "en", DIGITS)
    calls = [telephone(said, path.sample_format, path.snr_db, seed) for seed, (_, said) in enumerate(speech)]
    began_at = time.perf_counter()
    heard = [ears.recognise(call) for call in calls]
    seconds = time.perf_counter() - began_at
    right = [decoded.text == digit for decoded, (digit, _) in zip(heard, speech, strict=True)]
    half = len(right) // 2
    told = f"{_percent(right)} +-{_interval(right):.1f} of {len(right)}, held-out half {_percent(right[half:])}"
    audio_seconds = samples_to_seconds(sum(len(call) // 2 for call in calls))
    notes = (
        f"{path.what}: real-time factor {seconds / audio_seconds:.3f}; "
        + "; ".join(
            _trusted(name, [ok for ok, one in zip(right, heard, strict=True) if low <= one.confidence < high])
            for name, low, high in (("ignored", 0.0, 0.3), ("confirmed", 0.3, 0.7), ("taken", 0.7, 1.01))
        ),
    )
    met = None if path.snr_db else sum(right) / len(right) >= _WANTED
    return Figure("SPEECH", f"digits, {path.what}", told, "" if path.snr_db else ">= 85 %", met, notes)


async def _decisions(speech: list[tuple[str, Samples]]) -> list[Figure]:
    """The worker at the pace of a call: from the last sample of the word to the answer, and its memory."""
    problems: list[str] = []
    grammar = Grammar("en", DIGITS)
    delays: list[float] = []
    async with WorkerRecognizer(_SETTINGS, [grammar], problems.append, lambda: None) as recognizer:
        await recognizer.checked()
        for _, said in speech:
            delays.append(await _decided(recognizer, grammar, telephone(said), len(said)))
        memory = pss_megabytes(recognizer.process_id or 0)
    beyond = [delay - _SETTINGS.end_silence_seconds for delay in delays]
    median = statistics.median(beyond)
    return [
        Figure(
            "SPEECH",
            f"end of word -> decision, beyond {_SETTINGS.end_silence_seconds} s of silence",
            f"median {milliseconds(median)}, max {milliseconds(max(beyond))} ({len(beyond)} times)",
            "median <= 400 ms",
            median <= _DECISION_SECONDS,
        ),
        Figure("SPEECH", "worker's memory (PSS)", f"{memory:.0f} MB"),
    ]


async def _decided(recognizer: WorkerRecognizer, grammar: Grammar, call: bytes, word_samples: int) -> float:
    loop = asyncio.get_running_loop()
    utterance = recognizer.listen(grammar)
    began_at = loop.time()
    ended_at = began_at + 1.5 + samples_to_seconds(word_samples)
    understood = asyncio.create_task(utterance.understood())
    piece = 2 * round(_PIECE_SECONDS * SAMPLE_RATE_HZ)
    for number, at in enumerate(range(0, len(call), piece)):
        # Real time: a piece is given when it would have been heard.
        await asyncio.wait([understood], timeout=max(0.0, began_at + (number + 1) * _PIECE_SECONDS - loop.time()))
        if understood.done():
            break
        utterance.hear(call[at : at + piece])
    await understood
    decided_at = loop.time()
    utterance.close()
    return decided_at - ended_at


def _recorded(file: Path) -> Samples:
    with wave.open(str(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)


def _percent(right: list[bool]) -> str:
    return f"{100 * sum(right) / len(right):.1f} %"


def _interval(right: list[bool]) -> float:
    """Half of the 95 % interval, in per cent."""
    share = sum(right) / len(right)
    return 196 * math.sqrt(share * (1 - share) / len(right))


def _trusted(name: str, right: list[bool]) -> str:
    return f"{name} {len(right)}" + (f" ({_percent(right)} right)" if right else "")
