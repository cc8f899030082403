"""Events as JSON objects, for the control sockets."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from typing import Any

from firmware.services.event_hub import Event, PowerEvent

_WORD_BORDER = re.compile(r"(?<!^)(?=[A-Z])")


def event_to_json(event: Event | PowerEvent) -> dict[str, Any]:
    """`{"event": "prompt_started", ...}` with the event's own fields beside it."""
    return {"event": event_name(type(event)), **{key: _plain(value) for key, value in _fields(event).items()}}


def event_name(kind: type[Event | PowerEvent]) -> str:
    """`PromptStarted` is `prompt_started` on the wire."""
    return _WORD_BORDER.sub("_", kind.__name__).lower()


def _fields(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(inner) for key, inner in _fields(value).items()}
    return value
