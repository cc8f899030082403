"""How far a long drain is. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Less is over before anybody reads it.
_WORTH_TELLING_RECORDS = 500
# An estimate from less would only be a guess.
_ESTIMATE_AFTER_SECONDS = 5.0


@dataclass(slots=True)
class Drain:
    """What was delivered since the queue was last empty, or the connection came back."""

    began_seconds: float
    records_done: int = 0
    bytes_done: int = 0

    def to_json(self, queued: int, audio_queued: int, now_seconds: float) -> dict[str, Any] | None:
        """For a status; None where there is nothing worth telling."""
        if queued == 0 or (self.records_done + queued < _WORTH_TELLING_RECORDS and audio_queued == 0):
            return None
        return {
            "records_done": self.records_done,
            "records_left": queued,
            "bytes_done": self.bytes_done,
            "audio_left": audio_queued,
            "seconds_left": self._estimate(queued, now_seconds),
        }

    def _estimate(self, queued: int, now_seconds: float) -> float | None:
        elapsed = now_seconds - self.began_seconds
        if elapsed < _ESTIMATE_AFTER_SECONDS or self.records_done == 0:
            return None
        return round(queued * elapsed / self.records_done, 0)
