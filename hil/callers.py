"""What callers of several scenarios do."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from firmware.errors import LinekeeperError
from hil.rig import FarEnd, Rig

CALLER = "13912345678"
OTHER_CALLER = "01065550123"
ENGLISH_MESSAGE = "21"
SKIP = "5"
"""Any key that a recording's introduction does not know: it only ends the words."""
# Nobody speaks into the beep, or keys into their own last word.
_BREATH_SECONDS = 0.3


async def at_the_beep(rig: Rig, line: str, number: str = CALLER, keys: str = ENGLISH_MESSAGE + SKIP) -> FarEnd:
    """A call at the place where a message is recorded, by a number that has not called before."""
    call = await rig.ring(line, number)
    await call.answered()
    await call.keys(keys)
    await after_the_beep(call)
    return call


async def after_the_beep(call: FarEnd) -> None:
    """Wait for the beep and for its end."""
    assert await call.heard_beep()
    assert await call.heard_silence(_BREATH_SECONDS)


async def say(call: FarEnd, words: bytes) -> None:
    """Speak, and breathe."""
    await call.speak(words)
    await call.heard_silence(_BREATH_SECONDS)


async def begin_to_speak(call: FarEnd, words: bytes, seconds: float) -> asyncio.Task[None]:
    """Speak on in a task, whatever happens to the line; returns after `seconds` of it."""
    speaking = asyncio.create_task(_speak_into_the_void(call, words))
    await asyncio.sleep(seconds)
    return speaking


async def look_in(rig: Rig, line: str, number: str = CALLER) -> None:
    """Call, hear that somebody answers, and hang up."""
    call = await rig.ring(line, number)
    await call.answered()
    assert await call.heard_speech()
    call.hang_up()


async def _speak_into_the_void(call: FarEnd, words: bytes) -> None:
    with suppress(LinekeeperError):
        await call.speak(words)
