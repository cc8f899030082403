"""One thing that can be chosen by voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """One thing to choose. `name` ends the name of the prompt that says it: `choice_message`."""

    name: str
    words: Mapping[str, tuple[str, ...]]

    @property
    def prompt(self) -> str:
        """Says what was chosen."""
        return f"choice_{self.name}"
