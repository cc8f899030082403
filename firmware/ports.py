"""The interfaces between the parts. Each has a real and a simulated implementation, held to one contract suite.

Audio that crosses these borders is `s16` (see `pcm`), except what a line records: that stays as the modem sent it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from firmware.errors import PortError
from firmware.events import (
    CallbackKept,
    CallEnd,
    CallerId,
    CallEvent,
    HangUpEvidence,
    LineChanged,
    MessageKept,
    RecordingEnd,
    Sound,
)
from firmware.pcm import SampleFormat


class Clock(Protocol):
    """Time for records. Deadlines use the event loop's time instead, which is the same scale as `monotonic`."""

    def monotonic(self) -> float:
        """Seconds that never step."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def trusted(self) -> bool:
        """Whether the time of day is known to be right."""


# --- the wire to a modem -------------------------------------------------------------------------------------------


class WireReceiver(Protocol):
    """Who reads a wire. Both methods are called from the event loop and must not block or raise."""

    def bytes_received(self, data: bytes) -> None:
        """Bytes from the modem, as they came."""

    def wire_lost(self, error: PortError) -> None:
        """The wire is gone; called at most once, and not after our own `close`."""


class ByteWire(Protocol):
    """An open pipe of bytes to one modem: a tty, or the bench's wire in memory."""

    def start(self, receiver: WireReceiver) -> None:
        """Begin to deliver. Bytes that came before are delivered first."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the modem; never blocks. After the wire is lost it does nothing."""

    def discard_output(self) -> None:
        """Throw away what was written and has not left yet: our queue and the kernel's (TCOFLUSH)."""

    def gather_input(self, gathering: bool) -> None:
        """While on, bytes may be delivered up to 0.1 s late and together, which costs fewer wake-ups. Off at first."""

    async def close(self) -> None:
        """Give the port back. Idempotent."""


class WireOpener(Protocol):
    """Opens the wire to one modem, again after every loss."""

    @property
    def place(self) -> str:
        """Where the wire leads, for messages: a device path."""

    async def __call__(self) -> ByteWire:
        """Raises: PortMissing, PortBusy, PortDenied."""


# --- a telephone line ------------------------------------------------------------------------------------------------


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


# --- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredTake:
    """A finished recording on the disk."""

    file: str
    sample_format: SampleFormat
    take: Take


class Recording(AudioSink, Protocol):
    """A recording that grows on the disk, safe against power cuts up to the last second."""

    async def finish(self, take: Take) -> StoredTake:
        """Make it durable under its final name.

        Raises: StorageError; DiskFull when samples were refused and `take.end` does not say so yet. A second `finish`
        with `end=DISK_FULL` then keeps what the disk took.
        """

    async def discard(self) -> None:
        """Remove it: nothing was said."""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a caller asked for. `phone` is data for a person, and is never dialled on the caller's word.

    `preferred` None says that the caller has not chosen a time: as soon as possible, or what an open request says.
    """

    phone: str
    preferred: str | None = None
    reason: StoredTake | None = None


class IncidentLog(Protocol):
    """Faults and what was done about them. Each method returns after its commit is on the disk.

    Raises: StorageError.
    """

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        """A fault began. One that is open already for this kind and place stays the same incident."""

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        """What was done about it."""

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        """What it cost callers and the office, in a sentence; a later one replaces it."""

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        """Somebody was told of it: who, how (by telephone, by e-mail), and what came of it."""

    async def close_incident(self, kind: str, place: str) -> None:
        """The fault is over; nothing happens where none is open."""


class CallStore(IncidentLog, Protocol):
    """Calls and what callers left. Each method returns after its commit is on the disk. Raises: StorageError."""

    def new_call_id(self) -> str:
        """An id for a call that rings now; nothing is written yet."""

    async def call_offered(self, line: str, caller: CallerId, call_id: str | None = None) -> str:
        """A call rings; returns its id, a new one unless given.

        Where this fails, the call is still written before whatever is kept of it later.
        """

    async def call_answered(self, call_id: str, caller: CallerId) -> None:
        """The line is off hook; who calls is known by now, as far as it ever will be."""

    async def call_ended(
        self, call_id: str, end: CallEnd, evidence: str | None, language: str, path: Sequence[str]
    ) -> None:
        """The call is over."""

    async def voice_room(self) -> bool:
        """Whether the disk has room for another recording."""

    async def start_recording(self, call_id: str, sample_format: SampleFormat, purpose: str = "message") -> Recording:
        """`purpose` ("message", "callback_reason") tells recovery where it belongs. Raises: DiskFull."""

    async def keep_message(self, call_id: str, stored: StoredTake, language: str) -> MessageKept:
        """Keep a message; a second one of the same call replaces nothing. Merging is `replace_message`."""

    async def replace_message(self, message_id: str, stored: StoredTake) -> MessageKept:
        """The caller recorded again: same message and number, new recording."""

    async def mark_urgent(self, message_id: str) -> None:
        """The caller called it urgent."""

    async def message_audio(self, message_id: str) -> bytes:
        """The kept part of a message as s16, to play it back."""

    async def keep_callback(self, call_id: str, request: CallbackRequest, language: str) -> CallbackKept:
        """Keep a request; an open one of the same number is updated instead."""

    async def add_callback_reason(self, callback_id: str, reason: StoredTake) -> None:
        """The spoken reason of a request that is kept already."""

    async def remembered_language(self, number: str) -> str | None:
        """The language this number chose before."""

    async def remember_language(self, number: str, language: str) -> None:
        """Remember it for the next call."""


# --- speech ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may be answered: phrases of one language, in the recogniser's spelling (small letters, no punctuation)."""

    language: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """What was heard: a phrase of the grammar, or "" for speech that is none of them. `confidence` is 0 to 1."""

    text: str
    confidence: float


class Utterance(SpeechEar, Protocol):
    """One answer by voice, from the first sample after the question to the end of the words."""

    @property
    def speaking(self) -> bool:
        """Whether somebody has begun to speak and has not come to an end."""

    async def understood(self) -> Understood | None:
        """Waits for the end of the words. None when nothing will come any more: the recogniser failed or stopped."""

    def close(self) -> None:
        """No answer is wanted any more. Idempotent."""


class Recognizer(Protocol):
    """Ears for speech. A failure in here never costs more than the answer by voice."""

    @property
    def languages(self) -> frozenset[str]:
        """Languages that are understood now; empty while the recogniser is missing, broken, too slow or stopped."""

    def listen(self, grammar: Grammar) -> Utterance:
        """Begin to listen for one answer. Never blocks or raises."""


# --- prompts and watchers --------------------------------------------------------------------------------------------


class PromptShelf(Protocol):
    """The recorded voice. Never raises for a missing or broken file: it falls back and reports it."""

    def clip(self, prompt: str, language: str) -> Clip:
        """One prompt: in this language, else in another, else a tone."""

    def digits(self, digits: str, language: str) -> list[Clip]:
        """Digits, `*`, `#` and `+` read one by one."""


class CallWatcher(Protocol):
    """Is told what happens; must not block or raise."""

    def __call__(self, event: CallEvent | LineChanged, /) -> None:
        """One event."""


# --- power and pins --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PowerReading:
    """What a power source says now; None where it cannot tell."""

    mains: bool | None
    battery_low: bool | None = None
    battery_percent: float | None = None
    runtime_seconds: float | None = None
    replace_battery: bool = False


class PowerSource(Protocol):
    """Watches mains and battery: pins, a UPS server, or the bench. An asynchronous context manager."""

    @property
    def place(self) -> str:
        """What is watched, for messages."""

    async def __aenter__(self) -> Self:
        """Begin to watch. Raises: PowerSourceLost, PinError."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it."""

    def readings(self) -> AsyncIterator[PowerReading]:
        """The level at once, every change as it comes, and the level again at least every second or two.

        Levels are raw apart from electrical debounce: the policy confirms. One reader at a time.
        Raises: PowerSourceLost once it is gone; a new call then looks for it again.
        """

    async def cut_power(self) -> bool:
        """Tell the UPS to cut its output once we are down, and to give it again with mains.

        False where it cannot be told. Raises: PowerSourceLost, PinError.
        """


class LoadSwitch(Protocol):
    """One load that can be done without for a while. Every method may be called again at any time."""

    @property
    def name(self) -> str:
        """How people call it."""

    async def shed(self) -> None:
        """Returns once it is off. Raises: LoadError; LoadBusy where a call must end first."""

    async def restore(self) -> None:
        """Returns once it was told to work again. Raises: LoadError."""

    async def check(self, *, shed: bool) -> bool:
        """Whether it is in this state now. Raises: LoadError where that cannot be found out."""


@dataclass(frozen=True, slots=True)
class ContactChange:
    """An alarm contact (fire, door, cooling) was closed or opened; `active` after what its settings call an alarm."""

    contact: str
    active: bool


class AlarmContacts(Protocol):
    """Watches all alarm contacts. An asynchronous context manager."""

    async def __aenter__(self) -> Self:
        """Begin to watch. Raises: PinError."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the pins."""

    def changes(self) -> AsyncIterator[ContactChange]:
        """The state of each contact at once, then every change, debounced."""


class Look(Enum):
    """What a lamp shows."""

    OFF = "off"
    ON = "on"
    SLOW = "slow"
    FAST = "fast"


class Lamps(Protocol):
    """The status lamps: `line`, `message`, `power`, `fault`. One that is not wired is ignored."""

    def show(self, lamp: str, look: Look) -> None:
        """Never blocks or raises."""

    def close(self) -> None:
        """All off, pins given back."""
