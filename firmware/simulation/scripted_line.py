"""A `ports.VoiceLine` without a modem: a caller by script, for calls in milliseconds.

Every coroutine of the line is one numbered operation (from 0), so that a test can let the caller hang up, or the line
fail, at each of them in turn. What the caller does is told by prompt: "at the second `main_menu`, press 2".
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from firmware.errors import CallerGone
from firmware.events import HangUpEvidence, RecordingEnd
from firmware.pcm import SampleFormat, encode_s16, from_array
from firmware.ports import AudioSink, Clip, RecordLimits, SpeechEar, Take
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds, seconds_to_samples

_CHUNK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Speech:
    """What a caller says into one recording, and how it ends. `seconds` 0 is silence."""

    seconds: float = 2.0
    end: RecordingEnd = RecordingEnd.KEY
    error: Exception | None = None
    """The line fails with it after the speech, instead of an end."""


@dataclass(frozen=True, slots=True)
class CallerScript:
    """What the caller does. `keys_at_prompts` has an entry per hearing; the last one is not repeated."""

    keys_at_prompts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keys_at_operations: Mapping[int, str] = field(default_factory=dict)
    speeches: Sequence[Speech] = ()
    hangs_up_at: int | None = None
    errors_at: Mapping[int, Exception] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """A clip that began to sound. `cut` when a key ended it."""

    prompt: str
    language: str
    cut: bool = False


class ScriptedLine:
    """A line off hook whose far end follows a script.

    With `timed`, speech and silence take their time on the event loop, which is best a loop whose time jumps.
    """

    def __init__(
        self, script: CallerScript, *, timed: bool = False, sample_format: SampleFormat = SampleFormat.U8
    ) -> None:
        self.heard: list[Heard] = []
        self.operations: list[str] = []
        self.spoken: list[bytes] = []
        self.gone = False
        self._script = script
        self._timed = timed
        self._format = sample_format
        self._keys = ""
        self._hearings: Counter[str] = Counter()
        self._takes = 0

    @property
    def sample_format(self) -> SampleFormat:
        """How recordings of this line are written."""
        return self._format

    @property
    def waiting_keys(self) -> str:
        """Keys pressed and not taken yet."""
        return self._keys

    @property
    def prompts_heard(self) -> list[str]:
        """The names of the clips in the order heard."""
        return [clip.prompt for clip in self.heard]

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> bool:
        """Let the caller hear the clips until the script presses a key."""
        await self._operation("play")
        for clip in clips:
            if barge_in and self._keys:
                return False
            self._keys += self._keys_at(clip.prompt)
            cut = barge_in and bool(self._keys)
            self.heard.append(Heard(clip.prompt, clip.language, cut))
            if not cut:
                await self._pass(samples_to_seconds(len(clip.s16) // 2))
        return not (barge_in and self._keys)

    async def take_key(self, timeout_seconds: float) -> str | None:
        """The next key of the script; where none waits, none will come."""
        await self._operation("take_key")
        if not self._keys:
            await self._pass(timeout_seconds)
            return None
        key, self._keys = self._keys[0], self._keys[1:]
        return key

    def forget_keys(self) -> None:
        """Drop the waiting keys."""
        self._keys = ""

    @contextmanager
    def hearing(self, ear: SpeechEar) -> Iterator[None]:
        """A caller by script says nothing to a question; a scripted recogniser answers in its place."""
        del ear
        yield

    async def record(self, sink: AudioSink, limits: RecordLimits) -> Take:
        """Speak the next speech of the script into the sink."""
        hangs_up = await self._operation("record", may_hang_up=True)
        speech = self._next_speech()
        seconds = min(speech.seconds, limits.longest_seconds)
        voice = _voice(seconds, self._takes, self._format)
        self.spoken.append(voice)
        await self._write(sink, voice)
        if speech.error is not None:
            raise speech.error
        end = RecordingEnd.TIME_LIMIT if seconds < speech.seconds else speech.end
        return self._take(RecordingEnd.HANG_UP if hangs_up else end, voice)

    async def beep(self, frequency_hz: int = 1000, seconds: float = 0.4) -> None:
        """The caller hears a tone."""
        await self._operation("beep")
        self.heard.append(Heard(f"beep {frequency_hz} Hz", ""))
        await self._pass(seconds)

    async def flash(self) -> None:
        """A hook flash."""
        await self._operation("flash")

    async def _operation(self, name: str, *, may_hang_up: bool = False) -> bool:
        """Begin an operation. True when the caller hangs up in it and the operation tells so itself."""
        number = len(self.operations)
        self.operations.append(name)
        await asyncio.sleep(0)  # whatever else is ready gets its turn, as with a real line
        self._keys += self._script.keys_at_operations.get(number, "")
        if number in self._script.errors_at:
            raise self._script.errors_at[number]
        if self.gone or (number == self._script.hangs_up_at and not may_hang_up):
            self.gone = True
            raise CallerGone(HangUpEvidence.BUSY_TONE.value)
        return number == self._script.hangs_up_at

    def _keys_at(self, prompt: str) -> str:
        hearing = self._hearings[prompt]
        self._hearings[prompt] += 1
        entries = self._script.keys_at_prompts.get(prompt, ())
        return entries[hearing] if hearing < len(entries) else ""

    def _next_speech(self) -> Speech:
        silence = Speech(0, RecordingEnd.SILENCE)
        speech = self._script.speeches[self._takes] if self._takes < len(self._script.speeches) else silence
        self._takes += 1
        return speech

    async def _write(self, sink: AudioSink, voice: bytes) -> None:
        step = seconds_to_samples(_CHUNK_SECONDS) * self._format.sample_bytes
        for at in range(0, len(voice), step):
            sink.write(voice[at : at + step])
            await self._pass(_CHUNK_SECONDS)

    def _take(self, end: RecordingEnd, voice: bytes) -> Take:
        samples = len(voice) // self._format.sample_bytes
        evidence = None
        if end is RecordingEnd.HANG_UP:
            self.gone = True
            evidence = HangUpEvidence.BUSY_TONE
        return Take(end, samples, samples, voiced=samples > 0, evidence=evidence)

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds if self._timed else 0)


@lru_cache(maxsize=64)
def _voice(seconds: float, seed: int, sample_format: SampleFormat) -> bytes:
    """A sound that differs from take to take, and in itself: a lost or doubled chunk shows."""
    count = seconds_to_samples(seconds)
    pitch = 200 + 37 * seed
    samples = array("h", ((at * pitch + at * at // SAMPLE_RATE_HZ) % 40_000 - 20_000 for at in range(count)))
    return encode_s16(from_array(samples), sample_format)
