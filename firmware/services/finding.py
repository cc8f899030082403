"""What a doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, whether it is good, and what to do where it is not."""

    subject: str
    good: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'good' if self.good else 'BAD '}  {self.subject}: {self.sentence}"

    def to_json(self) -> dict[str, Any]:
        """For monitoring."""
        return {"subject": self.subject, "good": self.good, "sentence": self.sentence}
