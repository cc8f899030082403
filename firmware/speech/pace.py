"""Whether this machine decodes speech fast enough. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from firmware.units import samples_to_seconds

_JUDGED_RESULTS = 5
_LATE_RESULTS = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller, and we, wait for the worker. All in seconds."""

    late_seconds: float = 1.0
    """A result later than this after its words' end is late; several late ones mean a slow machine."""
    reply_seconds: float = 4.0
    """A worker that owes a reply and gives none for so long hangs."""
    backlog_seconds: float = 5.0
    """This much sound unread in one utterance, while replies come, means a slow machine at once."""
    prepare_seconds: float = 90.0
    """The same while it loads models; a slow SD card takes its time."""
    restart_seconds: float = 1.0
    """Wait before the first restart; it doubles with every one that follows soon."""
    longest_restart_seconds: float = 300.0
    rest_seconds: float = 300.0
    """A machine that was too slow is tried again after this; it doubles too."""
    longest_rest_seconds: float = 14400.0


class Pace:
    """Counts late results."""

    def __init__(self, late_seconds: float) -> None:
        self._late_seconds = late_seconds
        self._late: deque[bool] = deque(maxlen=_JUDGED_RESULTS)

    def result_came(self, seconds_after_end: float) -> bool:
        """Takes note of a result; whether it came in time."""
        self._late.append(seconds_after_end > self._late_seconds)
        return not self._late[-1]

    @property
    def too_slow(self) -> bool:
        """Whether most of the last results were late."""
        return sum(self._late) >= _LATE_RESULTS


class Rests:
    """How long to wait before a worker is started again."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._slow_times = 0

    def after_failure(self, alive_seconds: float) -> float:
        """A worker failed, which was well for so long. In seconds."""
        patience = self._patience
        self._failures = 0 if alive_seconds > patience.longest_restart_seconds else self._failures + 1
        return _doubled(patience.restart_seconds, self._failures - 1, patience.longest_restart_seconds)

    def after_slowness(self, alive_seconds: float) -> float:
        """The machine was too slow for a worker, after so long. In seconds."""
        patience = self._patience
        self._slow_times = 1 if alive_seconds > patience.longest_rest_seconds else self._slow_times + 1
        return _doubled(patience.rest_seconds, self._slow_times - 1, patience.longest_rest_seconds)


def _doubled(seconds: float, times: int, longest_seconds: float) -> float:
    return float(min(longest_seconds, seconds * 2 ** max(0, min(times, 32))))


class SoundSent:
    """When which samples of an utterance were sent, until the worker is done with them."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, float]] = deque()
        self._total = 0
        self._done = 0

    def sent(self, samples: int, at: float) -> None:
        """More samples were sent."""
        self._total += samples
        self._sent.append((self._total, at))

    def done(self, samples: int) -> None:
        """The worker is done with so many samples since the begin."""
        self._done = max(self._done, samples)
        while self._sent and self._sent[0][0] <= samples:
            self._sent.popleft()

    def sent_at(self, sample: int) -> float | None:
        """When the sample before this one was sent; None where that is forgotten."""
        return next((at for total, at in self._sent if total >= sample), None)

    @property
    def unread_seconds(self) -> float:
        """Sound that the worker is not done with."""
        return samples_to_seconds(self._total - self._done)
