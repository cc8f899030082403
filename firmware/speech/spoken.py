"""One answer by voice, seen from the call: sound goes to the worker, what it makes of it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.ports import Understood
from firmware.speech.messages import Sound
from firmware.speech.pace import SoundSent


class SpokenUtterance:
    """`ports.Utterance` over a worker.

    It is `speaking` until the result is there, so that nobody gives up between the last word and its meaning.
    """

    def __init__(self, number: int, send: Callable[[Sound], None], gone: Callable[[SpokenUtterance], None]) -> None:
        self.number = number
        self.sent = SoundSent()
        self.ended_at: float | None = None
        """When the sample was sent that made the end certain, in the loop's time; None before the end."""
        self._send = send
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._speaking = False
        self._result: Understood | None = None
        self._over = asyncio.Event()

    @property
    def speaking(self) -> bool:
        """Whether words have begun whose meaning is not known yet."""
        return self._speaking and not self._over.is_set()

    def hear(self, s16: bytes) -> None:
        """The next samples; after the end they are dropped."""
        if self._over.is_set() or self.ended_at is not None:
            return
        # Half a sample waits for its other half.
        samples = self._rest + s16
        whole = len(samples) & ~1
        self._rest = samples[whole:]
        if whole:
            self.sent.sent(whole // 2, self._loop.time())
            self._send(Sound(self.number, samples[:whole]))

    async def understood(self) -> Understood | None:
        """Waits for the result."""
        await self._over.wait()
        return self._result

    def close(self) -> None:
        """Nobody waits any more."""
        if not self._over.is_set():
            self.end(None)
            self._gone(self)

    # --- told by the recogniser

    def begin(self) -> None:
        """Words have begun."""
        self._speaking = True

    def words_ended(self, decided_at: int) -> None:
        """The words have ended, which the samples up to `decided_at` made certain."""
        self.ended_at = self.sent.sent_at(decided_at) or self._loop.time()

    def end(self, result: Understood | None) -> None:
        """The result; None where there is none. Idempotent."""
        if not self._over.is_set():
            self._result = result
            self._over.set()
