"""Messages are written down at low priority, one at a time, and can be stopped at any instant."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.speech.transcriber import Transcriber
from firmware.speech.worker_process import WorkerProcess
from tests.speech.recognizers import speech_settings

Say = Callable[..., bytes]
SLOW_START = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started."""
    processes: list[int] = []
    start = WorkerProcess.start.__func__  # type: ignore[attr-defined]

    async def noting(kind: type[WorkerProcess], command: tuple[str, ...]) -> WorkerProcess:
        worker: WorkerProcess = await start(kind, command)
        processes.append(worker.process_id)
        return worker

    monkeypatch.setattr(WorkerProcess, "start", classmethod(noting))
    return processes


def gone(process_id: int) -> bool:
    return not Path(f"/proc/{process_id}").exists()


async def test_a_message_is_written_down(tiny_model: Path, say: Say, started: list[int]) -> None:
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}))
    written = await transcriber.transcribe(say("operator", "rms") + say("message", "rms"), "en")
    assert written is not None
    assert written.text == "operator message"
    assert 0 < written.confidence <= 1
    assert len(started) == 1
    assert gone(started[0])


async def test_a_long_message_goes_through_the_pipe_piece_by_piece(tiny_model: Path, say: Say) -> None:
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}))
    written = await transcriber.transcribe(say("operator", "rms") * 40, "en")
    assert written is not None
    assert written.text.split().count("operator") >= 38


async def test_jobs_wait_for_each_other(tiny_model: Path, say: Say, started: list[int]) -> None:
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}))
    jobs = [asyncio.create_task(transcriber.transcribe(say(word, "rms"), "en")) for word in ("yes", "operator")]
    while len(started) < 2:
        await asyncio.sleep(0.005)
    assert gone(started[0])
    written = await asyncio.gather(*jobs)
    assert [result and result.text for result in written] == ["yes", "operator"]


async def test_a_language_without_a_model_gives_nothing(tiny_model: Path, started: list[int]) -> None:
    settings = speech_settings("vosk", {"en": tiny_model})
    assert await Transcriber(settings).transcribe(bytes(16000), "zh") is None
    assert await Transcriber(speech_settings("none", {})).transcribe(bytes(16000), "en") is None
    unwanted = speech_settings("vosk", {"en": tiny_model}, transcripts=False)
    assert not Transcriber(unwanted).understands("en")
    assert await Transcriber(unwanted).transcribe(bytes(16000), "en") is None
    assert started == []


async def test_a_broken_model_gives_nothing(tmp_path: Path, started: list[int]) -> None:
    assert await Transcriber(speech_settings("vosk", {"en": tmp_path})).transcribe(bytes(16000), "en") is None
    assert all(map(gone, started))


async def test_a_worker_that_dies_gives_nothing(tiny_model: Path) -> None:
    dying = (sys.executable, "-c", "import sys; sys.exit(3)")
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}), command=dying)
    assert await transcriber.transcribe(bytes(1 << 20), "en") is None


async def test_a_job_is_stopped_at_once_and_others_wait_for_resume(
    tiny_model: Path, say: Say, started: list[int]
) -> None:
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}), command=SLOW_START)
    job = asyncio.create_task(transcriber.transcribe(bytes(1 << 20), "en"))
    while not started:
        await asyncio.sleep(0.005)
    async with asyncio.timeout(2):
        await transcriber.pause()
        assert await job is None
    assert gone(started[0])
    assert await transcriber.transcribe(bytes(16000), "en") is None
    assert len(started) == 1
    transcriber.resume()
    job = asyncio.create_task(transcriber.transcribe(bytes(16000), "en"))
    while len(started) < 2:
        await asyncio.sleep(0.005)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert gone(started[1])


async def test_it_runs_when_nobody_else_wants_the_processor(tiny_model: Path, tmp_path: Path) -> None:
    look = (
        "import os, sys\nfrom firmware.speech import worker\n"
        "real = worker.Worker.handle\n"
        "def handle(self, message):\n"
        "    print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE, file=open(sys.argv[1], 'w'), flush=True)\n"
        "    return real(self, message)\n"
        "worker.Worker.handle = handle\nworker.main()"
    )
    report = tmp_path / "priority"
    command = (sys.executable, "-c", look, str(report))
    transcriber = Transcriber(speech_settings("vosk", {"en": tiny_model}), command=command)
    assert await transcriber.transcribe(bytes(16000), "en") is not None
    assert report.read_text().split() == ["19", "True"]
