"""What the actions of one call share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from firmware.events import CallEnd, CallerId, MessageKept
from firmware.ivr.asking import Asker
from firmware.ivr.dialogue import Dialogue
from firmware.ivr.flow import Flow
from firmware.ivr.takes import TakeKeeper
from firmware.ports import CallStore, Clock
from firmware.settings import CallSettings


@dataclass(slots=True)
class CallbackDraft:
    """A callback while the caller gives its parts."""

    phone: str = ""
    callback_id: str = ""
    number: int = 0
    merged: bool = False


@dataclass(slots=True)
class Call:
    """One call: what it works with, and what it knows by now."""

    flow: Flow
    call_id: str
    line_name: str
    caller: CallerId
    store: CallStore
    clock: Clock
    settings: CallSettings
    languages: Sequence[str]
    talk: Dialogue
    ask: Asker
    takes: TakeKeeper
    language_remembered: bool = False
    path: list[str] = field(default_factory=list)
    message: MessageKept | None = None
    recording_again: bool = False
    callback: CallbackDraft = field(default_factory=CallbackDraft)
    left_something: bool = False

    def end_in_good_form(self) -> CallEnd:
        """How a call ended that reached its closing phrase."""
        silent = self.flow.asks and not self.talk.answers_given and not self.left_something
        return CallEnd.NO_ANSWER_FROM_CALLER if silent else CallEnd.COMPLETED
