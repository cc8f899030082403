"""Whatever becomes of the worker process, the caller's side goes on: no utterance waits for ever, nothing is left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.speech.pace import Patience
from tests.speech.recognizers import QUICK, WORDS, Told, hear, result_of, until, vosk_recognizer

Say = Callable[..., bytes]


def gone(process_id: int) -> bool:
    """Neither running nor a zombie."""
    return not Path(f"/proc/{process_id}").exists()


async def test_a_worker_killed_in_mid_utterance_ends_it_and_is_replaced(tiny_model: Path, say: Say) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told) as recognizer:
        first = recognizer.process_id
        assert first is not None
        utterance = recognizer.listen(WORDS)
        hear(utterance, say("message")[:8000])
        os.kill(first, signal.SIGKILL)
        assert await result_of(utterance) is None
        assert not recognizer.languages
        assert await result_of(recognizer.listen(WORDS)) is None
        await until(told, problems=1, recoveries=1)
        assert recognizer.languages == {"en"}
        again = recognizer.listen(WORDS)
        hear(again, say("message"))
        heard = await result_of(again)
        assert heard is not None
        assert heard.text == "message"
        assert gone(first)
    assert told.problems == ["the speech worker ended unexpectedly; callers use the keypad until it runs again"]


async def test_a_worker_that_hangs_is_ended(tiny_model: Path, say: Say) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told) as recognizer:
        process_id = recognizer.process_id
        assert process_id is not None
        os.kill(process_id, signal.SIGSTOP)
        utterance = recognizer.listen(WORDS)
        hear(utterance, say("message"))
        assert await result_of(utterance, QUICK.reply_seconds + 3) is None
        await until(told, problems=1, recoveries=1)
        assert gone(process_id)
    assert "no sign of life" in told.problems[0]


async def test_an_idle_worker_that_hangs_costs_nobody_anything(tiny_model: Path) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told) as recognizer:
        process_id = recognizer.process_id
        assert process_id is not None
        os.kill(process_id, signal.SIGSTOP)
    assert gone(process_id)
    assert not told.problems


async def test_a_paused_worker_is_gone_until_resumed(tiny_model: Path, say: Say) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told) as recognizer:
        process_id = recognizer.process_id
        assert process_id is not None
        utterance = recognizer.listen(WORDS)
        hear(utterance, say("yes")[:8000])
        await recognizer.pause()
        assert gone(process_id)
        assert await result_of(utterance) is None
        assert not recognizer.languages
        recognizer.resume()
        await recognizer.checked()
        assert recognizer.languages == {"en"}
    assert not told.problems


async def test_garbage_on_its_output_ends_it(tiny_model: Path) -> None:
    told = Told()
    babbler = (
        sys.executable,
        "-c",
        "import time; print('Welcome to this fine library!' * 9, flush=True); time.sleep(60)",
    )
    async with vosk_recognizer(tiny_model, told, command=babbler) as recognizer:
        assert not recognizer.languages
        assert "something else than frames" in told.problems[0]


async def test_frames_of_nonsense_end_it(tiny_model: Path) -> None:
    told = Told()
    nonsense = (
        "import sys, time; sys.stdout.buffer.write(bytes([0,0,0,5]) + b'Jnull'); sys.stdout.flush(); time.sleep(60)"
    )
    async with vosk_recognizer(tiny_model, told, command=(sys.executable, "-c", nonsense)) as recognizer:
        assert not recognizer.languages
        assert "carries no message" in told.problems[0]


async def test_a_worker_that_cannot_be_started_is_told(tiny_model: Path, tmp_path: Path) -> None:
    told = Told()
    async with vosk_recognizer(tiny_model, told, command=(str(tmp_path / "no-python"),)) as recognizer:
        assert not recognizer.languages
        assert "cannot be started" in told.problems[0]


async def test_a_worker_that_never_gets_ready_is_given_up(tiny_model: Path) -> None:
    told = Told()
    silent = (sys.executable, "-c", "import time; time.sleep(60)")
    patience = Patience(prepare_seconds=0.5, restart_seconds=60)
    async with vosk_recognizer(tiny_model, told, command=silent, patience=patience) as recognizer:
        assert not recognizer.languages
        assert "no sign of life" in told.problems[0]


async def test_an_engine_that_is_not_installed_is_told_with_the_remedy(tiny_model: Path) -> None:
    told = Told()
    blocked = "import sys; sys.modules['vosk'] = None; from firmware.speech.worker import main; main()"
    async with vosk_recognizer(tiny_model, told, command=(sys.executable, "-c", blocked)) as recognizer:
        assert not recognizer.languages
    assert "vosk is not installed" in told.problems[0]
    assert "pip install" in told.problems[0]


async def test_a_missing_model_is_told_once_and_found_when_it_comes(tiny_model: Path, tmp_path: Path) -> None:
    told = Told()
    folder = tmp_path / "model"
    async with vosk_recognizer(folder, told) as recognizer:
        assert not recognizer.languages
        shutil.copytree(tiny_model, tmp_path / "copying")
        (tmp_path / "copying").rename(folder)
        await until(told, recoveries=1)
        assert recognizer.languages == {"en"}
    assert len(told.problems) == 1
    assert "there is no speech model" in told.problems[0]


async def test_a_model_that_kills_its_worker_is_not_loaded_for_ever(tiny_model: Path, tmp_path: Path) -> None:
    told = Told()
    broken = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    whole = (broken / "graph/HCLr.fst").read_bytes()
    (broken / "graph/HCLr.fst").write_bytes(whole[: len(whole) // 2])
    async with vosk_recognizer(broken, told):
        await until(told, problems=2)
    assert told.problems[1].startswith("the speech model for English is broken")


async def test_output_of_a_library_does_not_reach_the_replies(tiny_model: Path, say: Say) -> None:
    chatty = (
        "import os, sys\nfrom firmware.speech import worker, answer\n"
        "real = answer.Answer.hear\n"
        "def hear(self, s16):\n    os.write(1, b'chatter'); print('more')\n    return real(self, s16)\n"
        "answer.Answer.hear = hear\nworker.main()"
    )
    async with vosk_recognizer(tiny_model, command=(sys.executable, "-c", chatty)) as recognizer:
        utterance = recognizer.listen(WORDS)
        hear(utterance, say("operator"))
        heard = await result_of(utterance)
    assert heard is not None
    assert heard.text == "operator"


async def test_a_worker_outlives_neither_a_killed_parent_nor_its_input(tiny_model: Path) -> None:
    parent_code = (
        "import asyncio, sys\n"
        "from firmware.speech.worker_process import WorkerProcess\n"
        "async def main():\n"
        "    worker = await WorkerProcess.start()\n"
        "    print(worker.process_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent_code, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    assert parent.stdout is not None
    worker_id = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while _runs(worker_id):
            await asyncio.sleep(0.02)


def _runs(process_id: int) -> bool:
    # Init, or nobody in a container, collects an orphan: a zombie has ended, too.
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("patience", [Patience(late_seconds=-1.0, rest_seconds=0.3)])
async def test_late_results_mean_a_slow_machine(tiny_model: Path, say: Say, patience: Patience) -> None:
    # Every result counts as late with less than no time allowed.
    told = Told()
    async with vosk_recognizer(tiny_model, told, patience=patience) as recognizer:
        for _ in range(3):
            assert recognizer.languages == {"en"}
            utterance = recognizer.listen(WORDS)
            hear(utterance, say("message"))
            assert await result_of(utterance) is not None
        await until(told, problems=1)
        assert not recognizer.languages
        assert "too slow" in told.problems[0]
        assert told.recoveries == 0


async def test_sound_that_piles_up_means_a_slow_machine(tiny_model: Path, say: Say) -> None:
    told = Told()
    slow = (
        "import time\nfrom firmware.speech import worker, answer\n"
        "real = answer.Answer.hear\n"
        "def hear(self, s16):\n    time.sleep(0.1)\n    return real(self, s16)\n"
        "answer.Answer.hear = hear\nworker.main()"
    )
    patience = Patience(rest_seconds=60.0)
    async with vosk_recognizer(tiny_model, told, command=(sys.executable, "-c", slow), patience=patience) as recognizer:
        utterance = recognizer.listen(WORDS)
        hear(utterance, bytes(16000 * 4))
        await asyncio.sleep(0.3)
        hear(utterance, bytes(16000 * 4))
        assert await result_of(utterance) is None
        await until(told, problems=1)
        assert "too slow" in told.problems[0]
        assert not recognizer.languages
