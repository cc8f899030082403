"""A telephone line, off hook and on hook. Audio here is `s16`, except what a line records: that stays as it came."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from firmware.events import CallerId, HangUpEvidence, RecordingEnd, Sound
from firmware.pcm import SampleFormat


@dataclass(frozen=True, slots=True)
class Clip:
    """Something to say: signed 16-bit samples at 8 kHz, and the words in them for whoever reads along."""

    prompt: str
    text: str
    s16: bytes
    language: str = ""


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """When a recording ends by itself."""

    longest_seconds: float
    silence_seconds: float
    silence_below_dbfs: float
    end_keys: str = "#"


@dataclass(frozen=True, slots=True)
class Take:
    """How a recording ended. `kept_samples` is where a clean message ends: before the trailing silence, tone or key."""

    end: RecordingEnd
    total_samples: int
    kept_samples: int
    voiced: bool
    evidence: HangUpEvidence | None = None


class AudioSink(Protocol):
    """Takes a recording while it grows."""

    def write(self, data: bytes) -> None:
        """Samples as the modem sent them; never blocks. Raises: StorageError, DiskFull once the disk refused some."""


class ToneEar(Protocol):
    """Listens to one stretch of sound for keys and for tones of the exchange. It has no clock: it counts samples."""

    def hear(self, s16: bytes) -> Sequence[Sound]:
        """The next samples, in pieces of any length; what became certain with them, in the order it sounded."""


class ToneEarMaker(Protocol):
    """Makes an ear for each stretch of sound: a recording, or a wait for an answer."""

    def __call__(self) -> ToneEar:
        """A fresh ear."""


class SpeechEar(Protocol):
    """Takes what a caller says while a question waits for an answer."""

    def hear(self, s16: bytes) -> None:
        """The next samples, in pieces of any length. Never blocks, never raises."""


class CallMonitor(Protocol):
    """Is given both sides of a live call, for a technician who listens in. Must not block or raise."""

    def caller_said(self, data: bytes, sample_format: SampleFormat) -> None:
        """Samples as they came from the line."""

    def caller_hears(self, data: bytes, sample_format: SampleFormat) -> None:
        """Samples as they go to the line, at most the pacing lead early."""


class VoiceLine(Protocol):
    """A line off hook, between answer and hang-up.

    Keys are kept in the order pressed, whenever they come, until somebody takes them. Every coroutine here raises
    CallerGone once the far end is known to be gone, and ModemError or PortError when the line fails under the call.
    """

    @property
    def sample_format(self) -> SampleFormat:
        """How recordings of this line are written."""

    @property
    def waiting_keys(self) -> str:
        """Keys pressed and not taken yet."""

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> bool:
        """Speak the clips without a gap. True when all was said; False when a key cut it short.

        With `barge_in`, a waiting key ends it at once, even before the first sample; the key stays waiting.
        """

    async def take_key(self, timeout_seconds: float) -> str | None:
        """The next key, waiting for one where none waits; None after the time-out."""

    def forget_keys(self) -> None:
        """Drop the waiting keys."""

    def hearing(self, ear: SpeechEar) -> AbstractContextManager[None]:
        """While inside, `take_key` gives the sound of the line to the ear as it waits. Keys come as fast as ever.

        These modems do not listen while they speak (modem-reference 6.5), so words spoken over a prompt are not heard.
        """

    async def record(self, sink: AudioSink, limits: RecordLimits) -> Take:
        """Record until a limit, an end key (which is consumed) or the far end's hang-up; the last is not raised here.

        Keys other than end keys are dropped. StorageError from the sink ends the recording, it does not raise.
        """

    async def beep(self, frequency_hz: int = 1000, seconds: float = 0.4) -> None:
        """The tone after which a caller speaks."""

    async def flash(self) -> None:
        """A hook flash, for a transfer by the PBX or Centrex."""


@dataclass(frozen=True, slots=True)
class ModemIdentity:
    """What a modem says of itself."""

    maker: str
    model: str
    firmware: str
    profile: str


class TelephoneLine(Protocol):
    """A line on hook, ready to ring."""

    @property
    def identity(self) -> ModemIdentity:
        """Known once `open` has returned."""

    @property
    def last_proved_alive(self) -> float | None:
        """When the modem last answered anything, in the event loop's time; None before `open`."""

    async def open(self) -> None:
        """Open the port, find out what the modem is, and set it up. May be called again after a failure.

        Raises: PortError, NotAModem, UnsupportedModem, other ModemError.
        """

    async def wait_for_ring(self) -> None:
        """Until the first ring. Probes the idle modem meanwhile. Raises: PortError, ModemError when it is gone."""

    async def read_caller(self, rings: int) -> CallerId | None:
        """After the first ring: who calls, at the latest on ring `rings`. None when the caller gave up first."""

    def answer(self) -> AbstractAsyncContextManager[VoiceLine]:
        """Off hook inside the context, on hook and idle after it, whatever happened inside.

        Raises: LineNotAnswered, ModemError, PortError, also when the line cannot be brought back on hook.
        """

    async def reset(self) -> None:
        """Bring the modem back to idle from whatever state it is in. Raises: PortError, ModemError."""

    async def close(self) -> None:
        """On hook where possible, then give the port back. Never raises."""
