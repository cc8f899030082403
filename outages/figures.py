"""What a run is told as: one line, or one JSON value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """`sent_bytes` crossed the wire to the collectors; `audio_bytes` are all recordings once."""

    blobs: str
    records: int
    recordings: int
    breaks: Mapping[str, int]
    moments: Mapping[str, int]
    meanwhile: Mapping[str, int]
    outcomes: Mapping[str, int]
    statuses: Mapping[str, int]
    sent_bytes: int
    audio_bytes: int
    seconds: float
    violations: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Every field."""
        return asdict(self)

    def sentence(self) -> str:
        """The violations, and a line of figures."""
        breaks = ", ".join(f"{name} {count}" for name, count in sorted(self.breaks.items()))
        line = (
            f"{self.records} records and {self.recordings} recordings (blobs in {self.blobs}),"
            f" {sum(self.breaks.values())} breaks ({breaks};"
            f" {sum(self.moments.values())} of them at their moment),"
            f" {self.sent_bytes / 1e6:.1f} MB sent, of which {self.audio_bytes / 1e6:.1f} MB audio once,"
            f" {self.seconds:.0f} s, {self.outcomes.get('duplicate', 0)} duplicates seen,"
            f" {len(self.violations)} violations"
        )
        return "\n".join([*self.violations[:_SHOWN], line])
