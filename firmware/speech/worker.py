"""The process in which speech is decoded: `python -m firmware.speech.worker`. What crashes here costs an answer.

Requests come through standard input and replies leave through standard output, as frames (`framing`, `messages`). The
process ends with its input, or with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from firmware.errors import SpeechError
from firmware.speech.answer import Answer, Dictation
from firmware.speech.endpointing import Endpointer
from firmware.speech.engine import SpeechEngine
from firmware.speech.engines import load_engine
from firmware.speech.framing import FrameReader, frame
from firmware.speech.messages import (
    Dictate,
    Drop,
    Failed,
    Finish,
    Listen,
    Message,
    Prepare,
    Prepared,
    Reply,
    Sound,
    from_payload,
    to_payload,
)

BACKGROUND = "--background"
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LOWEST_PRIORITY = 19
_READ_BYTES = 1 << 16

EngineMaker = Callable[[str, str, Path | None], SpeechEngine]


class Worker:
    """Engines by language and the utterances that are under way."""

    def __init__(self, make_engine: EngineMaker = load_engine) -> None:
        self._make_engine = make_engine
        self._engines: dict[str, SpeechEngine] = {}
        self._utterances: dict[int, Answer | Dictation] = {}

    def handle(self, message: Message) -> Iterable[Reply]:
        """Do what a message asks. Replies come while it is done."""
        match message:
            case Prepare():
                yield self._prepare(message)
            case Listen() | Dictate():
                yield from self._begin(message)
            case Sound(utterance, s16):
                yield from self._hear(utterance, s16)
            case Finish(utterance):
                yield from self._finish(utterance)
            case Drop(utterance):
                self._utterances.pop(utterance, None)
            case _:
                raise SpeechError(f"the speech worker was sent a reply: {message}")

    def _prepare(self, wish: Prepare) -> Prepared:
        try:
            engine = self._make_engine(wish.engine, wish.language, Path(wish.model) if wish.model else None)
        except SpeechError as error:
            return Prepared(wish.language, (), str(error))
        self._engines[wish.language] = engine
        return Prepared(wish.language, tuple(engine.missing_words(wish.words)), None)

    def _begin(self, wish: Listen | Dictate) -> Iterable[Reply]:
        try:
            engine = self._engines[wish.language]
            self._utterances[wish.utterance] = _begun(engine, wish)
        except KeyError:
            yield Failed(wish.utterance, f"no model is loaded for {wish.language}")
        except SpeechError as error:
            yield Failed(wish.utterance, str(error))

    def _hear(self, utterance: int, s16: bytes) -> Iterable[Reply]:
        # Samples may be under way still when an utterance has ended.
        if (listening := self._utterances.get(utterance)) is None:
            return
        try:
            yield from listening.hear(s16)
        except SpeechError as error:
            del self._utterances[utterance]
            yield Failed(utterance, str(error))
        else:
            if listening.over:
                yield from self._finish(utterance)

    def _finish(self, utterance: int) -> Iterable[Reply]:
        if (listening := self._utterances.pop(utterance, None)) is None:
            return
        try:
            yield from listening.finish()
        except SpeechError as error:
            yield Failed(utterance, str(error))


def _begun(engine: SpeechEngine, wish: Listen | Dictate) -> Answer | Dictation:
    if isinstance(wish, Dictate):
        return Dictation(wish.utterance, engine.dictation())
    known = [phrase for phrase in wish.phrases if not engine.missing_words(phrase.split())]
    if not known:
        raise SpeechError(f"the model for {wish.language} knows none of: {', '.join(wish.phrases)}")
    endpointer = Endpointer(wish.end_silence_seconds, wish.longest_seconds)
    return Answer(wish.utterance, engine.decoder(known), endpointer)


def main() -> None:
    """Serve the parent until its end."""
    _die_with_parent()
    if BACKGROUND in sys.argv[1:]:
        _give_way()
    replies = _claim_stdout()
    worker, reader = Worker(), FrameReader()
    while data := os.read(sys.stdin.fileno(), _READ_BYTES):
        for payload in reader.read(data):
            for reply in worker.handle(from_payload(payload)):
                _write(replies, frame(to_payload(reply)))


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _give_way() -> None:
    """Run only when nobody else wants the processor: calls come first."""
    os.nice(_LOWEST_PRIORITY)
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError as error:  # a kernel or a container without it: nice alone must do
        print(f"transcripts run without SCHED_IDLE: {error}", file=sys.stderr)  # noqa: T201


def _claim_stdout() -> int:
    """Keep standard output for ourselves: what a library prints goes to standard error."""
    replies = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]


if __name__ == "__main__":
    main()
