"""The dialogue of `linekeeper prompts record`: read it out, hear it as callers will, keep it or try again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from firmware.audio.acceptance import LONGEST_TAKE_SECONDS, accept_s16
from firmware.audio.catalogue import Catalogue
from firmware.audio.files import RECORDED, FileId, expected_text
from firmware.audio.own_prompts import keep_version
from firmware.audio.sound import LocalSound
from firmware.audio.sound_level_meter import LevelMeter, loudness_range_db
from firmware.audio.sound_streams import Microphone
from firmware.cli.meter import meter_line
from firmware.cli.typed_lines import GIVE_UP, TypedLines, typed_lines
from firmware.errors import PromptError
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds

# Speech has pauses: the quietest tenth of it lies far below the loudest. A fan, a hum or a hiss has none.
_LEAST_RANGE_DB = 8.0
# The key that ends the take is heard in its last instant.
_KEY_CLICK_SAMPLES = SAMPLE_RATE_HZ // 10
_HEAR, _KEEP, _AGAIN = "", "k", "a"


@dataclass(frozen=True, slots=True)
class Booth:
    """What is recorded, and with what. `own` is the office's prompts folder."""

    own: Path
    catalogue: Catalogue
    file: FileId
    microphone: str | None = None
    speaker: str | None = None


async def record_prompt(booth: Booth) -> int | None:
    """Record until a take is kept, and return its version; None when the person gives up.

    Raises: SoundError; StorageError when it cannot be kept.
    """
    with typed_lines() as typed:
        async with LocalSound() as sound:
            while await _begins(booth, typed):
                async with sound.microphone(booth.microphone) as microphone:
                    take = await _take(microphone, typed)
                try:
                    fit = _fit_for_callers(take)
                except PromptError as error:
                    print(f"This take cannot be used: {error}.", flush=True)
                    continue
                answer = await _judged(sound, booth, fit, typed)
                if answer == _KEEP:
                    text = expected_text(booth.catalogue, booth.file, RECORDED)
                    return keep_version(booth.own, booth.file, fit, RECORDED, "microphone", text)
                if answer == GIVE_UP:
                    break
    return None


async def _begins(booth: Booth, typed: TypedLines) -> bool:
    language, prompt = booth.file
    print(f"\n    {booth.catalogue.prompts[prompt].texts[language]}\n")
    print("Press Enter, read it out, and press Enter again.   g: give up", flush=True)
    return await typed.next() != GIVE_UP


async def _take(microphone: Microphone, typed: TypedLines) -> bytes:
    """What is said until the next line is typed, with a level meter meanwhile. Raises: SoundError."""
    meter, take = LevelMeter(), bytearray()
    ended = asyncio.create_task(typed.next())
    try:
        with Live(console=Console(), auto_refresh=False) as display:
            async for s16 in microphone.blocks():
                take += s16
                seconds = samples_to_seconds(len(take) // 2)
                display.update(meter_line(meter.feed(s16), seconds), refresh=True)
                if ended.done() or seconds >= LONGEST_TAKE_SECONDS:
                    break
    finally:
        ended.cancel()
    return bytes(take[: -2 * _KEY_CLICK_SAMPLES])


def _fit_for_callers(take: bytes) -> bytes:
    """The take at our level and in our band. Raises: PromptError with what is wrong, as the end of a sentence."""
    fit = accept_s16(take, SAMPLE_RATE_HZ)
    if loudness_range_db(take) < _LEAST_RANGE_DB:
        raise PromptError("it is an even noise without speech; see that the right microphone is on, or name another")
    return fit


async def _judged(sound: LocalSound, booth: Booth, fit: bytes, typed: TypedLines) -> str:
    """Play it back until the person decides."""
    answer = _HEAR
    while answer not in (_KEEP, _AGAIN, GIVE_UP):
        print("This is how callers will hear it.", flush=True)
        async with sound.speaker(booth.speaker) as speaker:
            await speaker.play(fit)
        print("k: keep it   a: record it again   Enter: hear it again   g: give up", flush=True)
        answer = await typed.next()
    return answer
