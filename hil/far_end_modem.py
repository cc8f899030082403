"""A far end that is a voice modem of the rig host, driven by our own driver: it dials the line under test.

Half duplex: while it plays it hears nothing, and it listens only while it is asked to. So wait for one thing at a
time, and do not expect it to have noticed what was said while it keyed or spoke. "Answered" is the modem's guess from
the end of the ringback, about 5 s late (modem-reference 9: +VRA).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from firmware.errors import CallerGone, DiskFull, LinekeeperError, ModemError, PortError
from firmware.events import RecordingEnd
from firmware.modem.dialling import DialResult
from firmware.modem.line import ModemLine
from firmware.modem.options import LineOptions
from firmware.modem.port import TtyOpener
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import Clip, RecordLimits, VoiceLine, WireOpener
from firmware.simulation.hearing import BLOCK_SAMPLES, is_beep, voiced
from firmware.simulation.synthesis import dtmf
from firmware.units import seconds_to_samples
from hil.rig import RigAbsent
from hil.rig_file import FarEndEntry

T = TypeVar("T")

_KEY_SECONDS = _PAUSE_SECONDS = 0.1
_BLOCK_SECONDS = 0.1
_BLOCKS_OF_SPEECH = _BLOCKS_OF_BEEP = 2
_SILENCE_BELOW_DBFS = -45.0
# Some exchanges tell of a hang-up by silence alone. The appliance itself is never quiet for so long.
_SILENCE_THAT_IS_THE_END_SECONDS = 15.0
_LONGEST_LISTENING_SECONDS = 600.0


class FarEndOver(LinekeeperError):
    """The call is over, or never came about."""


class Ear:
    """An `AudioSink` that has heard enough as soon as `enough` says so of a tenth of a second; then it is full."""

    def __init__(self, sample_format: SampleFormat, enough: Callable[[bytes], bool]) -> None:
        self._format = sample_format
        self._enough = enough
        self._pending = b""
        self.satisfied = False

    def write(self, data: bytes) -> None:
        """Raises: DiskFull, which ends a recording without a fuss (ports.AudioSink)."""
        if self.satisfied:
            raise DiskFull("the ear has heard enough")
        self._pending += decode_to_s16(data, self._format)
        while len(self._pending) >= 2 * BLOCK_SAMPLES:
            block, self._pending = self._pending[: 2 * BLOCK_SAMPLES], self._pending[2 * BLOCK_SAMPLES :]
            if self._enough(block):
                self.satisfied = True
                raise DiskFull("the ear has heard enough")


class InARow:
    """Whether a judgement was true of so many blocks in a row."""

    def __init__(self, judge: Callable[[bytes], bool], blocks: int) -> None:
        self._judge = judge
        self._wanted = max(1, blocks)
        self._found = 0

    def __call__(self, block: bytes) -> bool:
        self._found = self._found + 1 if self._judge(block) else 0
        return self._found >= self._wanted


class FarEndModem:
    """The modem; one call at a time. `opener` replaces the tty."""

    def __init__(self, line: str, entry: FarEndEntry, opener: WireOpener | None = None) -> None:
        options = LineOptions(country=entry.country, profile=entry.profile)
        self._modem = ModemLine(f"far end of {line}", opener or TtyOpener(entry.port), options)
        self._call: ModemCall | None = None

    async def open(self) -> None:
        """Raises: RigAbsent where the modem cannot be used."""
        try:
            await self._modem.open()
        except (PortError, ModemError) as error:
            raise RigAbsent(f"the far-end modem cannot be used: {error}") from error

    async def call(self, number: str) -> ModemCall:
        """Dial; returns at once."""
        await self._end_call()
        self._call = ModemCall(self._modem, number)
        return self._call

    async def close(self) -> None:
        """Hang up and give the port back."""
        await self._end_call()
        await self._modem.close()

    async def _end_call(self) -> None:
        if self._call is not None:
            self._call.hang_up()
            await self._call.line_is_free()


class ModemCall:
    """One dialled call: `rig.FarEnd`."""

    def __init__(self, modem: ModemLine, number: str) -> None:
        self._modem = modem
        self._voice: asyncio.Future[VoiceLine] = asyncio.get_running_loop().create_future()
        self._holding = asyncio.create_task(self._hold(number))
        self._doing: asyncio.Task[Any] | None = None

    async def answered(self, timeout: float = 30.0) -> None:
        """Wait for the answer; see `rig.FarEnd`. Dialling and the modem's hesitation count as well."""
        await self._voice_or_end(timeout)
        if not self._voice.done():
            raise FarEndOver(f"nobody answered within {timeout:g} s")
        self._voice.result()

    async def heard_speech(self, timeout: float = 30.0) -> bool:
        """Wait for a voice; see `rig.FarEnd`."""
        return await self._heard(InARow(lambda block: voiced(block) and not is_beep(block), _BLOCKS_OF_SPEECH), timeout)

    async def heard_silence(self, seconds: float, timeout: float = 60.0) -> bool:
        """Wait for silence; see `rig.FarEnd`."""
        return await self._heard(_silence(seconds), timeout)

    async def heard_beep(self, timeout: float = 60.0) -> bool:
        """Wait for the tone; see `rig.FarEnd`."""
        return await self._heard(InARow(is_beep, _BLOCKS_OF_BEEP), timeout)

    async def keys(self, keys: str) -> None:
        """Play the keys' tones down the line; see `rig.FarEnd`."""
        pause = bytes(2 * seconds_to_samples(_PAUSE_SECONDS))
        await self._say(b"".join(dtmf(key, _KEY_SECONDS) + pause for key in keys))

    async def speak(self, s16: bytes) -> None:
        """Say samples; see `rig.FarEnd`."""
        await self._say(s16)

    async def ended(self) -> None:
        """Listen for the hang-up: what the modem reports, or a long silence; then hang up too."""
        with suppress(FarEndOver, CallerGone):
            await self._heard(_silence(_SILENCE_THAT_IS_THE_END_SECONDS), _LONGEST_LISTENING_SECONDS)
        self.hang_up()
        await self.line_is_free()

    def hang_up(self) -> None:
        """End the call, also while it still rings. What is going on in it ends with FarEndOver."""
        if self._doing is not None:
            self._doing.cancel()
        self._holding.cancel()

    async def line_is_free(self) -> None:
        """Wait until the modem is on hook."""
        await asyncio.wait({self._holding})

    async def _hold(self, number: str) -> None:
        """Keep the line off hook until cancelled."""
        try:
            async with self._modem.dial(number) as dialled:
                if dialled.voice is None or dialled.result is not DialResult.ANSWERED:
                    self._fail(f"calling {number} gave {dialled.result.value}")
                    return
                self._voice.set_result(dialled.voice)
                await asyncio.Event().wait()
        except (ModemError, PortError) as error:
            self._fail(f"the far-end modem failed: {error}")
        finally:
            self._fail("the call is over")

    def _fail(self, sentence: str) -> None:
        if not self._voice.done():
            self._voice.set_exception(FarEndOver(sentence))
            self._voice.exception()  # somebody may never ask for the answer

    async def _say(self, s16: bytes) -> None:
        voice = await self._connected()
        await self._act(voice.play([Clip("far_end", "", s16)], barge_in=False))

    async def _heard(self, enough: Callable[[bytes], bool], timeout: float) -> bool:
        voice = await self._connected()
        ear = Ear(voice.sample_format, enough)
        # The silence limit lies behind the time limit: only the ear decides.
        limits = RecordLimits(timeout, timeout + 1.0, _SILENCE_BELOW_DBFS, end_keys="")
        take = await self._act(voice.record(ear, limits))
        if take.end is RecordingEnd.HANG_UP:
            raise FarEndOver(f"the appliance hung up ({take.evidence})")
        return ear.satisfied

    async def _connected(self) -> VoiceLine:
        await self._voice_or_end(None)
        if self._holding.done():
            raise FarEndOver("the call is over")
        return self._voice.result()

    async def _voice_or_end(self, timeout: float | None) -> None:
        await _first_of(self._voice, self._holding, timeout=timeout)

    async def _act(self, doing: Coroutine[object, object, T]) -> T:
        """Do something on the line, until it is done or the call is over."""
        task = asyncio.create_task(doing)
        self._doing = task
        try:
            await _first_of(task, self._holding)
        finally:
            self._doing = None
            task.cancel()
        await asyncio.wait({task})
        if task.cancelled():
            raise FarEndOver("the call ended under it")
        return task.result()


async def _first_of(*waited: asyncio.Future[Any], timeout: float | None = None) -> None:
    await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


def _silence(seconds: float) -> InARow:
    return InARow(lambda block: not voiced(block), round(seconds / _BLOCK_SECONDS))
