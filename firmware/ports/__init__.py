"""The interfaces between the parts. Each has a real and a simulated implementation, held to one contract suite.

Audio that crosses these borders is `s16` (see `pcm`), except what a line records: that stays as the modem sent it.
"""

from firmware.ports.alerts import AlertChannel, Telling, Told, What
from firmware.ports.clock import Clock
from firmware.ports.delivery import (
    Acknowledgement,
    Answer,
    BatchTaker,
    Blob,
    Change,
    ChangeTaker,
    DownChannel,
    DownProgress,
    Entry,
    News,
    Outbox,
    Outcome,
    QueueState,
    Route,
    Uplink,
)
from firmware.ports.line import (
    AudioSink,
    CallMonitor,
    Clip,
    ModemIdentity,
    RecordLimits,
    SpeechEar,
    Take,
    TelephoneLine,
    ToneEar,
    ToneEarMaker,
    VoiceLine,
)
from firmware.ports.power import AlarmContacts, ContactChange, Lamps, LoadSwitch, Look, PowerReading, PowerSource
from firmware.ports.prompts import CallWatcher, PromptShelf
from firmware.ports.records import CallbackRequest, CallStore, IncidentLog, Recording, StoredTake
from firmware.ports.speech import Grammar, Recognizer, Understood, Utterance
from firmware.ports.wire import ByteWire, WireOpener, WireReceiver

__all__ = [
    "Acknowledgement",
    "AlarmContacts",
    "AlertChannel",
    "Answer",
    "AudioSink",
    "BatchTaker",
    "Blob",
    "ByteWire",
    "CallMonitor",
    "CallStore",
    "CallWatcher",
    "CallbackRequest",
    "Change",
    "ChangeTaker",
    "Clip",
    "Clock",
    "ContactChange",
    "DownChannel",
    "DownProgress",
    "Entry",
    "Grammar",
    "IncidentLog",
    "Lamps",
    "LoadSwitch",
    "Look",
    "ModemIdentity",
    "News",
    "Outbox",
    "Outcome",
    "PowerReading",
    "PowerSource",
    "PromptShelf",
    "QueueState",
    "Recognizer",
    "RecordLimits",
    "Recording",
    "Route",
    "SpeechEar",
    "StoredTake",
    "Take",
    "TelephoneLine",
    "Telling",
    "Told",
    "ToneEar",
    "ToneEarMaker",
    "Understood",
    "Uplink",
    "Utterance",
    "VoiceLine",
    "What",
    "WireOpener",
    "WireReceiver",
]
