"""Watches one line's keeper, and starts it anew where it hangs: alone, so that no other line loses a call for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from firmware.errors import LineHung
from firmware.events import LineState
from firmware.journal import journal
from firmware.services.line_keeper import LineKeeper
from firmware.services.watched_line import Stage, WatchedLine

_log = journal("guard")

_CHECK_SECONDS = 2.0
# A keeper that is told to end says goodbye to its caller first, for up to 12 s, and hangs up.
_ENDING_SECONDS = 20.0
_ENDINGS = 5

LONGEST_SECONDS: Mapping[Stage, float] = {
    # Finding out what a modem is takes a dozen commands of up to 3 s each, twice where it had to be reset.
    Stage.OPENING: 180.0,
    # The idle modem is asked every 7 s and has 2 s to answer; a dead one ends the waiting by itself.
    Stage.IDLE: 60.0,
    # Nine rings of 6 s, and the gap that tells that the caller gave up.
    Stage.RINGING: 90.0,
    Stage.ANSWERING: 60.0,
    Stage.HANGING_UP: 60.0,
    Stage.RESETTING: 120.0,
    Stage.CLOSING: 30.0,
    # A commit on a slow card takes seconds. A disk that takes nothing for so long will not take it after a new start
    # either, yet the line can be answered again.
    Stage.BETWEEN: 120.0,
}
"""How long a line may be at one thing without a sign of progress. Far above the deadlines that the line itself keeps:
whoever runs into these hangs. The longest call is the keeper's setting."""

# What the keeper's own limit of a call may still take to end it in good form.
_BEYOND_THE_LONGEST_CALL_SECONDS = 60.0


class LineGuard:
    """One line's keeper under guard. `run` and `crashed` are for `supervisor.keep_alive`, in place of the keeper's."""

    def __init__(self, keeper: LineKeeper, line: WatchedLine, longest_call_seconds: float) -> None:
        self._keeper = keeper
        self._line = line
        in_call = longest_call_seconds + _BEYOND_THE_LONGEST_CALL_SECONDS
        self._longest = {**LONGEST_SECONDS, Stage.IN_CALL: in_call}

    async def run(self) -> None:
        """The keeper's `run`. Raises: LineHung where it hung and was ended, and whatever it raises itself."""
        self._line.begin(Stage.BETWEEN)
        self._keeper.hung = False
        task = asyncio.ensure_future(self._keeper.run())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_CHECK_SECONDS)
                if not task.done() and (sentence := self._hung()):
                    self._keeper.hung = True
                    raise LineHung(sentence)
            await task
        finally:
            await self._end(task)

    async def crashed(self, error: Exception) -> None:
        """Tell of it; the supervisor will start the keeper again."""
        await self._keeper.crashed(error)

    def _hung(self) -> str | None:
        if self._keeper.status.state is LineState.RESTING:
            return None
        seconds, stage = self._line.silent_seconds, self._line.stage
        if seconds <= self._longest[stage]:
            return None
        return f"line {self._keeper.status.name} hung for {seconds:.0f} s while it was {stage.value}, and was restarted"

    async def _end(self, task: asyncio.Future[None]) -> None:
        """Cancel it, and again where it hangs in its cleaning up: each time breaks one more wait."""
        for _ in range(_ENDINGS):
            if task.done():
                return
            task.cancel()
            await asyncio.wait({task}, timeout=_ENDING_SECONDS)
        if not task.done():
            _log.error("a line hangs so that it cannot be ended; restart the service", line=self._keeper.status.name)
