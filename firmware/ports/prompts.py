"""The recorded voice, and who is told what happens."""

from __future__ import annotations

from typing import Protocol

from firmware.events import CallEvent, LineChanged
from firmware.ports.line import Clip


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
