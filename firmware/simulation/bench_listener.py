"""Listens in on one call of a bench: tells when the subscriber talks, and keeps what the far party heard."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from firmware import wav
from firmware.pcm import SampleFormat
from firmware.simulation.call import Call, CallOver, NotConnected

# A pause of this length ends what a listener takes for one stretch of speech.
_SPEECH_PAUSE_SECONDS = 0.7
# Longer than any bench lives: the call's end ends the waiting.
_FOR_EVER_SECONDS = 1e9


class Tell(Protocol):
    """Takes one event of a line."""

    def __call__(self, event: str, **more: object) -> None:
        """The event's name, and its fields."""


async def follow_call(call: Call, directory: Path, tell: Tell) -> None:
    """Until the call is over. Raises: OSError when the recording cannot be written."""
    try:
        await call.answered(_FOR_EVER_SECONDS)
    except NotConnected:
        return  # the caller gave up
    await _tell_speech(call, tell)
    heard = call.heard()
    file = await asyncio.to_thread(_write, directory, call.card.name, heard)
    tell("heard", file=str(file), seconds=len(heard) / 2 / 8000)


async def _tell_speech(call: Call, tell: Tell) -> None:
    speaking = False
    try:
        while True:
            await call.heard_speech(_FOR_EVER_SECONDS)
            speaking = True
            tell("heard_speech_began")
            await call.heard_silence(_SPEECH_PAUSE_SECONDS, _FOR_EVER_SECONDS)
            speaking = False
            tell("heard_speech_ended")
    except CallOver:
        if speaking:
            tell("heard_speech_ended")


def _write(directory: Path, line: str, s16: bytes) -> Path:
    """The next free name: a bench that starts again keeps what an earlier one heard."""
    number = 1 + len(list(directory.glob(f"{line}-heard-*.wav")))
    file = directory / f"{line}-heard-{number:04}.wav"
    file.write_bytes(wav.dump(SampleFormat.S16, s16))
    return file
