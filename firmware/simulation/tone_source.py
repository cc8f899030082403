"""The tone that the exchange plays to one subscriber: the sound, and the signal for whoever detects tones."""

from __future__ import annotations

from firmware.simulation.loop import Loop, ToneKind
from firmware.simulation.tones import HOWLER, TonePlan, tone_cycle


class ToneSource:
    """At most one tone at a time, until the next one or `stop`."""

    def __init__(self, loop: Loop, plan: TonePlan) -> None:
        self._loop = loop
        self._plan = plan
        self._kind: ToneKind | None = None
        self._sounds = False

    @property
    def plan(self) -> TonePlan:
        """The country's tones."""
        return self._plan

    def play(self, kind: ToneKind) -> None:
        """Begin a tone."""
        self.stop()
        self._kind = kind
        self._lay(self._plan.cycle(kind))
        self._loop.socket.tone_on(kind)

    def howl(self) -> None:
        """Call to a receiver left off the hook. No modem listens for it, so there is no signal."""
        self.stop()
        self._lay(tone_cycle(HOWLER))

    def stop(self) -> None:
        """Silence."""
        if self._sounds:
            self._loop.toward_subscriber.cut(self._loop.now_sample())
        self._sounds = False
        if self._kind is not None:
            self._kind = None
            self._loop.socket.tone_off()

    def _lay(self, cycle: bytes) -> None:
        self._loop.toward_subscriber.repeat(self._loop.now_sample(), cycle)
        self._sounds = True
