"""Debian's mgetty-voice, written by others and long ago, as a client of the simulated modems.

All clients run at the same time, each on a line of its own, because their waiting is real; every test then looks at
what one of them got. See vgetty-client.md for what these programs do and for the configuration that keeps /etc alone.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
from array import array
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware import wav
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16, from_array, level_dbfs
from firmware.simulation.bench_client import ServedBench

PROGRAMS = ("vm", "vgetty", "wavtopvf", "pvftormd", "rmdtopvf", "pvftowav", "unshare")
ABSENT = [name for name in PROGRAMS if shutil.which(name) is None]

pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)} (mgetty-voice, mgetty-pvftools)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="bind mounts over /etc/mgetty need root"),
]

FILES = Path(__file__).parent / "mgetty"
LINES_PER_BENCH = 2
CALLER = "13800138000"


# --- a line of a bench, and programs on it ----------------------------------------------------------------------------


@dataclass
class Line:
    """One line of a bench, and mgetty's programs on it."""

    bench: ServedBench
    name: str
    tty: Path
    directory: Path

    def do(self, what: str, **more: object) -> None:
        self.bench.send({"line": self.name, "do": what, **more})

    async def event(self, kind: str, seconds: float = 30) -> dict[str, Any]:
        return await self.bench.event(lambda one: one.get("event") == kind and one.get("line") == self.name, seconds)

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.bench.events if one.get("event") == kind and one.get("line") == self.name]

    async def ring(self, name: str = "TEST CALLER") -> None:
        self.do("ring", number=CALLER, name=name)
        await self.event("ring")

    async def heard(self) -> bytes:
        """What the caller heard, as s16, once the call is over."""
        event = await self.event("heard")
        parsed = wav.parse(Path(event["file"]).read_bytes())
        return decode_to_s16(parsed.data, parsed.sample_format)

    @property
    def device(self) -> str:
        """The name under /dev, as mgetty wants it."""
        return os.path.realpath(self.tty).removeprefix("/dev/")

    async def run(self, *command: str) -> tuple[int, str]:
        """One of mgetty's programs with our configuration; its exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *("unshare", "-m", "sh", "-e", str(FILES / "in_namespace.sh"), str(self.directory)),
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 55)
        assert process.returncode is not None
        return process.returncode, printed.decode(errors="replace")


# --- sound ------------------------------------------------------------------------------------------------------------


def sweep(seconds: float, loudness: float = 0.3) -> bytes:
    """A rising tone: every stretch of it is unlike every other."""
    count = round(seconds * 8000)
    peak = 32767 * loudness
    turns = (300 * at / 8000 + 1500 / seconds * (at / 8000) ** 2 for at in range(count))
    exact = from_array(array("h", (round(peak * math.sin(math.tau * turn)) for turn in turns)))
    # What eight bits can say, so that a comparison may be exact.
    return decode_to_s16(encode_s16(exact, SampleFormat.U8), SampleFormat.U8)


def convert(*programs: list[str]) -> None:
    for program in programs:
        subprocess.run(program, check=True, capture_output=True)


def as_rmd(s16: bytes, path: Path) -> Path:
    """A file for vm, made by mgetty's own tools."""
    source, middle = path.with_suffix(".wav"), path.with_suffix(".pvf")
    source.write_bytes(wav.dump(SampleFormat.S16, s16))
    convert(["wavtopvf", str(source), str(middle)], ["pvftormd", "V253modem", "8", str(middle), str(path)])
    return path


def from_rmd(path: Path) -> bytes:
    """What vm recorded, read by mgetty's own tools."""
    middle, target = path.with_suffix(".back.pvf"), path.with_suffix(".back.wav")
    convert(["rmdtopvf", str(path), str(middle)], ["pvftowav", str(middle), str(target)])
    parsed = wav.parse(target.read_bytes())
    return decode_to_s16(parsed.data, parsed.sample_format)


# --- what the clients do ----------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What came out of one client."""

    line: Line
    status: int
    printed: str
    heard: bytes = b""
    recorded: bytes = b""
    spoken: bytes = b""
    seconds: float = 0.0


Scenario = Callable[[Line], Awaitable[Outcome]]
GREETING = sweep(2.0)
SPEECH = sweep(1.5, 0.25)


async def diagnostics(line: Line) -> Outcome:
    return Outcome(line, *await line.run("vm", "diagnostics", line.device))


async def play(line: Line) -> Outcome:
    as_rmd(GREETING, line.directory / "greeting.rmd")
    await line.ring()
    ran = await line.run("vm", "play", "-l", line.device, "greeting.rmd")
    return Outcome(line, *ran, heard=await line.heard(), spoken=GREETING)


async def play_cut_short(line: Line) -> Outcome:
    as_rmd(sweep(30.0), line.directory / "long.rmd")
    await line.ring()
    playing = asyncio.create_task(line.run("vm", "play", "-l", line.device, "long.rmd"))
    await line.event("heard_speech_began")
    line.do("hang_up")
    began = asyncio.get_running_loop().time()
    ran = await playing
    return Outcome(line, *ran, seconds=asyncio.get_running_loop().time() - began)


async def record_until(line: Line, *options: str, then: Callable[[], None] | None = None) -> Outcome:
    speech = line.directory / "speech.wav"
    speech.write_bytes(wav.dump(SampleFormat.S16, SPEECH))
    await line.ring()
    recording = asyncio.create_task(line.run("vm", "record", "-l", line.device, *options, "caller.rmd"))
    await line.event("answered")
    await asyncio.sleep(1.5)
    line.do("speak", file=str(speech))
    if then is not None:
        await asyncio.sleep(2.0)
        then()
    began = asyncio.get_running_loop().time()
    ran = await recording
    seconds = asyncio.get_running_loop().time() - began
    return Outcome(line, *ran, recorded=from_rmd(line.directory / "caller.rmd"), spoken=SPEECH, seconds=seconds)


async def record_limited(line: Line) -> Outcome:
    return await record_until(line, "-L", "5")


async def record_busy(line: Line) -> Outcome:
    return await record_until(line, "-L", "25", then=lambda: line.do("hang_up"))


async def record_quiet(line: Line) -> Outcome:
    return await record_until(line, "-L", "25")


async def beep(line: Line) -> Outcome:
    await line.ring()
    ran = await line.run("vm", "beep", "-l", line.device, "900", "1200")
    return Outcome(line, *ran, heard=await line.heard())


async def dtmf(line: Line) -> Outcome:
    return Outcome(line, *await line.run("vm", "dtmf", "-l", line.device, "123#"))


async def dial(line: Line, answers: str) -> Outcome:
    line.bench.send({"line": line.name, "answers": answers, "rings": 0})
    return Outcome(line, *await line.run("vm", "dial", "-v", "-l", line.device, "10086"))


async def dial_answered(line: Line) -> Outcome:
    return await dial(line, "answer")


async def dial_busy(line: Line) -> Outcome:
    return await dial(line, "busy")


async def duplex(line: Line) -> Outcome:
    as_rmd(GREETING, line.directory / "out.rmd")
    speech = line.directory / "speech.wav"
    speech.write_bytes(wav.dump(SampleFormat.S16, SPEECH))
    await line.ring()
    both = asyncio.create_task(line.run("vm", "duplex", "-l", line.device, "out.rmd", "in.rmd"))
    await line.event("answered")
    ran = await both
    recorded = (line.directory / "in.rmd").read_bytes()
    return Outcome(line, *ran, heard=await line.heard(), recorded=recorded, spoken=GREETING)


async def shell(line: Line) -> Outcome:
    greeting = as_rmd(sweep(1.0), line.directory / "greeting.rmd")
    recording = line.directory / "shell.rmd"
    script = (str(FILES / "talk.sh"), str(line.directory / "talk.log"), str(greeting), str(recording))
    await line.ring()
    talking = asyncio.create_task(line.run("vm", "shell", "-S", "/bin/bash", "-l", line.device, *script))
    await line.event("heard_speech_ended")
    await asyncio.sleep(1.5)
    line.do("key", key="5")
    ran = await talking
    return Outcome(line, ran[0], (line.directory / "talk.log").read_text(), heard=await line.heard(), spoken=sweep(1.0))


async def take_message(line: Line) -> Outcome:
    messages = line.directory / "messages"
    as_rmd(GREETING, messages / "greeting.rmd")
    (messages / "Index").write_text("greeting.rmd\n")
    speech = line.directory / "speech.wav"
    speech.write_bytes(wav.dump(SampleFormat.S16, SPEECH))
    answering = asyncio.create_task(line.run("vgetty", "-x", "8", line.device))
    async with asyncio.timeout(20):
        while not any("waiting..." in log.read_text() for log in (line.directory / "log").glob("vg_*")):
            await asyncio.sleep(0.1)  # another program's log: there is nothing to wait on
    await line.ring()
    await line.event("heard_speech_ended", 40)
    await asyncio.sleep(2.0)
    line.do("speak", file=str(speech))
    await asyncio.sleep(2.5)
    line.do("hang_up")
    ran = await answering
    (message,) = (line.directory / "incoming").glob("*.rmd")
    heard = await line.heard()
    return Outcome(line, ran[0], message.name, heard=heard, recorded=from_rmd(message), spoken=SPEECH)


SCENARIOS: tuple[Scenario, ...] = (
    diagnostics, play, play_cut_short, record_limited, record_busy, record_quiet, beep, dtmf, dial_answered, dial_busy,
    duplex, shell, take_message,
)  # fmt: skip

Outcomes = dict[Scenario, Outcome | BaseException]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Everything at once; what went wrong in one scenario is told by its own test."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this container does not allow mount namespaces")
    return asyncio.run(run_all(tmp_path_factory.mktemp("mgetty")))


async def run_all(directory: Path) -> Outcomes:
    async with AsyncExitStack() as stack:
        lines: list[Line] = []
        while len(lines) < len(SCENARIOS):
            bench = await stack.enter_async_context(ServedBench(LINES_PER_BENCH, "conexant"))
            lines += [await prepare(bench, f"line{number}", directory) for number in range(1, LINES_PER_BENCH + 1)]
        running = (scenario(line) for scenario, line in zip(SCENARIOS, lines, strict=False))
        results = await asyncio.gather(*running, return_exceptions=True)
    return dict(zip(SCENARIOS, results, strict=True))


async def prepare(bench: ServedBench, name: str, directory: Path) -> Line:
    greeting = await bench.event(lambda one: one.get("name") == name and "tty" in one)
    tty = Path(greeting["tty"])
    own = directory / Path(os.path.realpath(tty)).name
    for folder in ("log", "lock", "incoming", "messages"):
        (own / folder).mkdir(parents=True)
    (own / "voice.conf").write_text((FILES / "voice.conf").read_text().format(spool=own))
    shutil.copy(FILES / "mgetty.config", own)
    return Line(bench, name, tty, own)


def of(outcomes: Outcomes, scenario: Scenario) -> Outcome:
    outcome = outcomes[scenario]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


# --- and what came out ------------------------------------------------------------------------------------------------


def test_diagnostics_reads_every_identity(outcomes: Outcomes) -> None:
    outcome = of(outcomes, diagnostics)
    assert outcome.status == 0
    assert "CX93001-EIS_V0.2013-V92" in outcome.printed


def test_what_vm_plays_reaches_the_caller_sample_for_sample(outcomes: Outcomes) -> None:
    outcome = of(outcomes, play)
    assert outcome.status == 0
    assert outcome.spoken in outcome.heard


def test_playing_ends_at_the_busy_tone(outcomes: Outcomes) -> None:
    outcome = of(outcomes, play_cut_short)
    assert outcome.status == 0
    assert outcome.seconds < 8


def test_what_the_caller_speaks_is_recorded_sample_for_sample(outcomes: Outcomes) -> None:
    outcome = of(outcomes, record_limited)
    assert outcome.status == 0
    assert outcome.spoken in outcome.recorded
    assert 4 <= len(outcome.recorded) / 16000 <= 8


def test_recording_ends_at_the_busy_tone(outcomes: Outcomes) -> None:
    outcome = of(outcomes, record_busy)
    assert outcome.spoken in outcome.recorded
    assert outcome.seconds < 6


def test_recording_ends_after_silence(outcomes: Outcomes) -> None:
    outcome = of(outcomes, record_quiet)
    assert outcome.spoken in outcome.recorded
    assert outcome.seconds < 12


def test_a_beep_sounds_for_its_length(outcomes: Outcomes) -> None:
    outcome = of(outcomes, beep)
    assert outcome.status == 0
    blocks = [outcome.heard[at : at + 320] for at in range(0, len(outcome.heard), 320)]
    loud = sum(level_dbfs(block, SampleFormat.S16) > -40 for block in blocks)
    assert 1.15 <= loud * 0.02 <= 1.25


def test_digits_are_sent_in_order(outcomes: Outcomes) -> None:
    outcome = of(outcomes, dtmf)
    assert outcome.status == 0
    assert [event["key"] for event in outcome.line.told("digit")] == ["1", "2", "3", "#"]


@pytest.mark.parametrize("scenario", [dial_answered, dial_busy])
def test_a_call_is_dialled_and_given_up(outcomes: Outcomes, scenario: Scenario) -> None:
    outcome = of(outcomes, scenario)
    assert outcome.status == 0
    assert [event["number"] for event in outcome.line.told("dialled")] == ["10086"]
    assert bool(outcome.line.told("connected")) is (scenario is dial_answered)
    assert outcome.line.told("on_hook")


def test_duplex_carries_both_directions(outcomes: Outcomes) -> None:
    """It sends as much as it has received, so that the buffer runs dry now and then: a gap may be between any two."""
    outcome = of(outcomes, duplex)
    pieces = [outcome.spoken[at : at + 160] for at in range(0, len(outcome.spoken), 160)]
    assert sum(piece in outcome.heard for piece in pieces) > 0.9 * len(pieces)
    assert len(outcome.recorded) > 8000


def test_a_voice_shell_plays_records_and_hears_a_key(outcomes: Outcomes) -> None:
    outcome = of(outcomes, shell)
    assert outcome.spoken in outcome.heard
    answers = outcome.printed.split()
    assert answers[:2] == ["HELLO", "SHELL"]
    assert answers[answers.index("RECEIVED_DTMF") + 1] == "5"
    assert answers[-2:] == ["GOODBYE", "SHELL"]


def test_vgetty_takes_a_message_and_knows_the_caller(outcomes: Outcomes) -> None:
    outcome = of(outcomes, take_message)
    assert outcome.status == 0
    assert GREETING in outcome.heard
    assert CALLER in outcome.printed
    assert outcome.spoken in outcome.recorded
