"""What happens, as typed values: on the line, and in a call.

Line events come from a modem's wire and are facts. Call events tell watchers (control socket, demonstration, tests)
how a call goes; they carry what a person would want to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class NumberAbsence(Enum):
    """Why the network gave no number (V.253 +VCID: `P`, `O`)."""

    NOT_SENT = "not_sent"
    WITHHELD = "withheld"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who is calling, as far as the line tells. `number` holds digits and a leading `+` only."""

    number: str | None = None
    name: str | None = None
    absence: NumberAbsence = NumberAbsence.NOT_SENT


class HangUpEvidence(Enum):
    """What told us that the far end is gone. Values are stored with calls."""

    BUSY_TONE = "busy_tone"
    DIAL_TONE = "dial_tone"
    CONGESTION_TONE = "congestion_tone"
    LOOP_BREAK = "loop_break"
    POLARITY_REVERSAL = "polarity_reversal"
    SILENCE = "silence"
    RING_AGAIN = "ring_again"


class RecordingEnd(Enum):
    """Why a recording ended. Values are stored with messages."""

    KEY = "key"
    SILENCE = "silence"
    HANG_UP = "hang_up"
    TIME_LIMIT = "time_limit"
    DISK_FULL = "disk_full"
    FAULT = "fault"
    INTERRUPTED = "interrupted"


class CallEnd(Enum):
    """Why a call ended. Values are stored with calls and are part of the JSON."""

    COMPLETED = "completed"
    CALLER_HUNG_UP = "caller_hung_up"
    NO_ANSWER_FROM_CALLER = "no_answer_from_caller"
    TIME_LIMIT = "time_limit"
    LINE_FAULT = "line_fault"
    INTERNAL_FAULT = "internal_fault"
    SHUTDOWN = "shutdown"
    LOW_BATTERY = "low_battery"
    NOT_ANSWERED = "not_answered"
    INTERRUPTED = "interrupted"


class LineTone(Enum):
    """Tones of the exchange. Values are the words of `linekeeper listen`."""

    DIAL = "dial"
    BUSY = "busy"
    CONGESTION = "congestion"
    RINGBACK = "ringback"


@dataclass(frozen=True, slots=True)
class KeyHeard:
    """A key in the sound of a line; told once for each press, as soon as it is certain.

    `began_at_samples` counts from where the ear began to listen, and is not later than the sound of the key.
    """

    key: str
    began_at_samples: int


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A tone of the exchange in the sound of a line; told once, as soon as its cadence is certain.

    `began_at_samples` is where its first burst began, as counted by the ear.
    """

    tone: LineTone
    began_at_samples: int


Sound = KeyHeard | ToneHeard


class LineState(Enum):
    """Where a line is. Values are part of the JSON."""

    OPENING = "opening"
    IDLE = "idle"
    RINGING = "ringing"
    IN_CALL = "in_call"
    RESTING = "resting"  # its modem may be without power, to save the battery
    FAULT = "fault"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Base of what happens in calls; `line` names the line, `call_id` the call."""

    line: str
    call_id: str


@dataclass(frozen=True, slots=True)
class CallRinging(CallEvent):
    """A call is offered."""

    caller: CallerId


@dataclass(frozen=True, slots=True)
class CallAnswered(CallEvent):
    """The line is off hook."""


@dataclass(frozen=True, slots=True)
class StepEntered(CallEvent):
    """The flow reached a step."""

    step: str


@dataclass(frozen=True, slots=True)
class PromptStarted(CallEvent):
    """The caller begins to hear words."""

    prompt: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyPressed(CallEvent):
    """The caller pressed a key."""

    key: str


@dataclass(frozen=True, slots=True)
class WordsHeard(CallEvent):
    """The caller answered by voice. `key` is what the words stand for, "" where they mean nothing here."""

    text: str
    confidence: float
    key: str


@dataclass(frozen=True, slots=True)
class RecordingStarted(CallEvent):
    """The caller is being recorded."""


@dataclass(frozen=True, slots=True)
class RecordingStopped(CallEvent):
    """The recording ended."""

    end: RecordingEnd
    seconds: float


@dataclass(frozen=True, slots=True)
class MessageKept(CallEvent):
    """A message is durable; `number` is what the caller hears."""

    message_id: str
    number: int


@dataclass(frozen=True, slots=True)
class CallbackKept(CallEvent):
    """A callback request is durable; `merged` when it joined an earlier open one."""

    callback_id: str
    number: int
    merged: bool


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    """The line is on hook again, and the call's record is closed."""

    end: CallEnd
    evidence: str | None
    path: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LineChanged:
    """A line changed its state; `fault` is a sentence for people, or nothing."""

    line: str
    state: LineState
    fault: str | None = None


class PowerState(Enum):
    """Where the power policy is. Values are part of the JSON."""

    UNKNOWN = "unknown"
    ON_MAINS = "on_mains"
    ON_BATTERY = "on_battery"
    LOW_BATTERY = "low_battery"
    SHUTTING_DOWN = "shutting_down"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The power policy entered a state; `tier` tells how many tiers of loads are shed."""

    state: PowerState
    tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoadSwitched:
    """A load was shed or is back; `fault` is a sentence where that failed."""

    load: str
    shed: bool
    fault: str | None = None
