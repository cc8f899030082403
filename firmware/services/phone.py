"""`linekeeper phone`: a telephone in the terminal that calls a line of the bench."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from firmware.errors import ServiceError
from firmware.services.bench_appliance import SPEECH_FOLDER, bench_appliance, demo_folder
from firmware.services.control_client import ControlClient
from firmware.services.paths import control_socket
from firmware.services.transcript import sentence
from firmware.services.typed_input import typed_keys
from firmware.settings import load_settings
from firmware.simulation.bench_serve import BENCH_SOCKET, steered

Say = Callable[[str], None]

_KEYS = "0123456789*#"
_SPEAK, _HANG_UP = "s", ("q", "\x04")
_HELP = "Keys 0-9 * # go to the line, s speaks a sentence, q hangs up."


async def run_phone(say: Say, line: str, number: str) -> None:
    """Call a line of the running demonstration, or of a bench of our own where none runs, until the call is over.

    Raises: ServiceError where the bench refuses the call.
    """
    folder = demo_folder()
    async with contextlib.AsyncExitStack() as stack:
        if not (folder / BENCH_SOCKET).is_socket():
            say("No demonstration runs, so the phone brings its own bench.")
            appliance = await stack.enter_async_context(bench_appliance(folder))
            await stack.enter_async_context(steered(appliance.bench, folder, lambda _: None))
        phone = await stack.enter_async_context(_connected(say, folder, line))
        await phone.call(number)


@contextlib.asynccontextmanager
async def _connected(say: Say, folder: Path, line: str) -> AsyncIterator[_Phone]:
    reader, writer = await asyncio.open_unix_connection(folder / BENCH_SOCKET)
    service = ControlClient(control_socket(load_settings(folder / "linekeeper.yaml"), "calls"))
    try:
        yield _Phone(say, line, reader, writer, service)
    finally:
        writer.close()


class _Phone:
    """One call: what happens on the line goes to the terminal, what is keyed there goes to the line."""

    def __init__(
        self, say: Say, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: ControlClient
    ) -> None:
        self._say = say
        self._line = line
        self._bench = reader
        self._writer = writer
        self._service = service
        self._answered = asyncio.Event()

    async def call(self, number: str) -> None:
        """Ring, and stay until either side hangs up."""
        self._say(f"Calling {self._line} from {number}. {_HELP}")
        events = aiter(self._service.events())
        watching = asyncio.create_task(self._watch(events))
        telling = asyncio.create_task(self._tell_errors())
        keying = asyncio.create_task(self._take_keys())
        self._command("ring", number=number)
        try:
            await asyncio.wait({watching, telling}, return_when=asyncio.FIRST_COMPLETED)
            for task in (telling, watching):
                if task.done():
                    task.result()
        finally:
            await _cancel(watching, telling, keying)

    async def _watch(self, events: AsyncIterator[dict[str, Any]]) -> None:
        """Tell what the caller hears; returns when the call is over."""
        async for event in events:
            if event["line"] != self._line:
                continue
            told = sentence(event)
            if told is not None:
                self._say(f"{told[0]:>8}  {told[1]}")
            if event["event"] == "call_answered":
                self._answered.set()
            if event["event"] == "call_ended":
                return

    async def _tell_errors(self) -> None:
        """Raise what the bench refuses."""
        while text := await self._bench.readline():
            event = json.loads(text)
            if event.get("event") in ("error", "busy"):
                raise ServiceError(event.get("error", "the line is busy"))

    async def _take_keys(self) -> None:
        """Send what is typed; keys typed while it rings wait for the answer."""
        with _single_keys():
            async for key in typed_keys():
                await self._answered.wait()
                if key in _KEYS:
                    self._command("key", key=key)
                elif key == _SPEAK:
                    self._command("speak", file=str(SPEECH_FOLDER / "invoice-en.wav"))
                elif key in _HANG_UP:
                    self._command("hang_up")

    def _command(self, do: str, **details: str) -> None:
        self._writer.write(json.dumps({"line": self._line, "do": do, **details}).encode() + b"\n")


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """Every key at once, without return, where the input is a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
