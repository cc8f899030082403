"""One call from the far party's side: listening, keying, speaking, hanging up.

Every wait ends with CallOver once the subscriber, or the far party at a moment of its own, has hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware import wav
from firmware.errors import LinekeeperError
from firmware.pcm import decode_to_s16
from firmware.simulation.hearing import BLOCK_SAMPLES, is_beep, voiced
from firmware.simulation.line_card import LineCard
from firmware.simulation.pauses import Pauses
from firmware.simulation.synthesis import dtmf
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

# Whoever records the line reads it long before this.
_FORGET_AFTER_SAMPLES = 10 * SAMPLE_RATE_HZ
# One voiced block may be a click; every prompt and every beep is longer.
_BLOCKS_OF_SPEECH = 2
_BLOCKS_OF_BEEP = 2
_LONGEST_BEEP_SECONDS = 5.0


class CallOver(LinekeeperError):
    """The call has ended while, or before, something was done in it."""


class NotConnected(LinekeeperError):
    """The line was busy, or nobody answered in time."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something the caller said: samples, and where they began, counted from the answer."""

    at_sample: int
    s16: bytes


class Call:
    """One call from the far party's side; implements `far_end.FarParty`.

    With `keep_heard` off, nothing is kept of what the caller heard.
    """

    def __init__(self, card: LineCard, *, keep_heard: bool = True) -> None:
        self.card = card
        self.busy = False
        self.over = False
        self.subscriber_hung_up = False
        self.keyed: list[tuple[int, str]] = []
        self._loop = card.loop
        self._keep_heard = keep_heard
        self._connected_at: int | None = None
        self._heard = b""
        self._spoken: list[Spoken] = []
        self._pauses = Pauses()

    # --- told by the line card ---

    def connected(self) -> None:
        """The subscriber answered, or a dialled far end did."""
        self._connected_at = self._loop.now_sample()
        self._pauses.wake()

    def released(self) -> None:
        """The subscriber hung up."""
        self.subscriber_hung_up = True
        self._end()

    # --- progress ---

    @property
    def is_connected(self) -> bool:
        """Whether both can hear each other."""
        return self._connected_at is not None and not self.over

    @property
    def spoken(self) -> list[Spoken]:
        """What was said so far; what a hang-up cut off is not in it."""
        return list(self._spoken)

    async def answered(self, timeout: float = 60.0) -> None:
        """Wait for the answer. Raises: NotConnected."""
        deadline = asyncio.get_running_loop().time() + timeout
        while self._connected_at is None:
            remaining = deadline - asyncio.get_running_loop().time()
            if self.busy or self.over or remaining <= 0:
                raise NotConnected("the line is busy" if self.busy else "nobody answered")
            await self._pauses.pause(remaining)

    async def ended(self) -> None:
        """Wait until the call is over, whoever ends it."""
        while not self.over:
            await self._pauses.pause(None)

    def hang_up(self) -> None:
        """End the call now, whatever else is going on in it. Idempotent."""
        if not self.over:
            self._end()
            self.card.release(self)

    async def wait(self, seconds: float) -> None:
        """Do nothing. Raises: CallOver."""
        self._check()
        await self._pauses.pause(seconds)
        self._check()

    # --- listening ---

    def heard(self) -> bytes:
        """Everything heard since the answer, sample for sample, as s16."""
        if self.over or self._connected_at is None:
            return self._heard
        return self._loop.toward_exchange.read(self._connected_at, self._loop.now_sample())

    async def heard_silence(self, seconds: float, timeout: float = 60.0) -> bool:
        """Wait for this much silence, counted from now; False when it did not come in time. Raises: CallOver."""
        quiet_since = self._loop.now_sample()
        deadline = quiet_since + seconds_to_samples(timeout)
        wanted = seconds_to_samples(seconds)
        while quiet_since + wanted <= deadline:
            await self._until(quiet_since + wanted)
            sound_end = self._last_sound(quiet_since, quiet_since + wanted)
            if sound_end is None:
                return True
            quiet_since = sound_end
        await self._until(deadline)
        return False

    async def heard_speech(self, timeout: float = 60.0) -> bool:
        """Wait for a voice; beeps are none. False when it did not come in time. Raises: CallOver."""
        return await self._heard_blocks(lambda block: voiced(block) and not is_beep(block), _BLOCKS_OF_SPEECH, timeout)

    async def heard_beep(self, timeout: float = 60.0) -> bool:
        """Wait for the end of a tone of about 1 kHz, 0.3 s or longer. False when none came. Raises: CallOver."""
        if not await self._heard_blocks(is_beep, _BLOCKS_OF_BEEP, timeout):
            return False
        return await self._heard_blocks(lambda block: not is_beep(block), 1, _LONGEST_BEEP_SECONDS)

    # --- making itself heard ---

    async def key(self, key: str, seconds: float = 0.1) -> None:
        """Press a key for a while. Raises: CallOver; KeyError for what is no key."""
        self._check()
        assert self._connected_at is not None
        now = self._loop.now_sample()
        self._loop.toward_subscriber.put(now, dtmf(key, seconds))
        self.keyed.append((now - self._connected_at, key))
        self._loop.socket.key_down(key)
        try:
            await self._pauses.pause(seconds)
        finally:
            self._loop.socket.key_up(key)
        self._check()

    async def keys(self, keys: str, seconds: float = 0.1, pause_seconds: float = 0.1) -> None:
        """Press keys one after another. Raises: as `key`."""
        for key in keys:
            await self.key(key, seconds)
            await self.wait(pause_seconds)

    async def speak(self, s16: bytes) -> None:
        """Say something, to its end. Raises: CallOver when the call ended before."""
        self._check()
        assert self._connected_at is not None
        start = self._loop.now_sample()
        end = self._loop.toward_subscriber.put(start, s16)
        self._spoken.append(Spoken(start - self._connected_at, s16))
        await self._until(end)

    async def speak_wav(self, path: Path) -> None:
        """Say what is in a WAV file of the line's rate. Raises: NotAWav, OSError, CallOver."""
        await self.speak(read_speech(await asyncio.to_thread(path.read_bytes)))

    def fall_silent(self) -> None:
        """Stop talking now, in the middle of a word."""
        now = self._loop.now_sample()
        self._loop.toward_subscriber.cut(now)
        self._cut_spoken(now)

    # --- helpers ---

    def _check(self) -> None:
        if not self.is_connected:
            raise CallOver("the subscriber hung up" if self.subscriber_hung_up else "there is no call")

    async def _heard_blocks(self, judge: Callable[[bytes], bool], blocks: int, timeout: float) -> bool:
        at = self._loop.now_sample()
        deadline = at + seconds_to_samples(timeout)
        found = 0
        while found < blocks and at < deadline:
            at += BLOCK_SAMPLES
            await self._until(at)
            found = found + 1 if judge(self._block(at)) else 0
        return found >= blocks

    def _last_sound(self, start: int, end: int) -> int | None:
        """Where the newest voiced block of a span ends. Looks backwards: while somebody talks, one block tells."""
        for at in range(end, start, -BLOCK_SAMPLES):
            if voiced(self._block(at)):
                return at
        return None

    def _block(self, end: int) -> bytes:
        timeline = self._loop.toward_exchange
        if not timeline.sounds(end - BLOCK_SAMPLES, end):
            return b""
        return timeline.read(end - BLOCK_SAMPLES, end)

    async def _until(self, sample: int) -> None:
        self._check()
        remaining = sample / SAMPLE_RATE_HZ - asyncio.get_running_loop().time()
        if remaining > 0:
            await self._pauses.pause(remaining)
        self._check()
        if not self._keep_heard:
            self._loop.toward_exchange.forget(sample - _FORGET_AFTER_SAMPLES)
        self._loop.toward_subscriber.forget(sample - _FORGET_AFTER_SAMPLES)

    def _end(self) -> None:
        now = self._loop.now_sample()
        if self._connected_at is not None and self._keep_heard:
            self._heard = self._loop.toward_exchange.read(self._connected_at, now)
        self._cut_spoken(now)
        self.over = True
        self._pauses.wake()

    def _cut_spoken(self, now: int) -> None:
        if self._connected_at is not None:
            self._spoken = [_cut(spoken, now - self._connected_at) for spoken in self._spoken]


def _cut(spoken: Spoken, end_sample: int) -> Spoken:
    return Spoken(spoken.at_sample, spoken.s16[: 2 * max(0, end_sample - spoken.at_sample)])


def read_speech(content: bytes) -> bytes:
    """The samples of a WAV file as s16. Raises: NotAWav for anything that is not mono at the line's rate."""
    parsed = wav.parse(content)
    if parsed.rate_hz != SAMPLE_RATE_HZ:
        raise wav.NotAWav(f"{parsed.rate_hz} samples a second; the line carries {SAMPLE_RATE_HZ}")
    return decode_to_s16(parsed.data, parsed.sample_format)
