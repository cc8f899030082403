"""Judge of whether the far end hung up, from the codes of the modem (modem-reference 7 and 10). Pure.

Loop break and reversal are facts of the line. Tones are guesses of the modem: music imitates a busy tone, so a tone
counts when it is reported again, or at once when nobody spoke lately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware.events import HangUpEvidence

# Modems repeat a lasting tone every 3 to 4 s (modem-reference 7); a second report much later is a second guess.
_REPORTED_AGAIN_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HangUpCodes:
    """Which codes count on a chipset."""

    at_once: Mapping[int, HangUpEvidence] = field(default_factory=dict)
    when_repeated: Mapping[int, HangUpEvidence] = field(default_factory=dict)
    # USR reports its own off-hook as this code (modem-reference 7: `H`).
    own_off_hook: int | None = None


class FarEndJudge:
    """Weighs the codes of one call."""

    # Our own relay settles well within this; whatever a modem says of hooks and loops then is about ourselves.
    _OWN_RELAY_SECONDS = 1.0

    def __init__(self, codes: HangUpCodes, off_hook_at_seconds: float) -> None:
        self._codes = codes
        self._off_hook_at = off_hook_at_seconds
        self._suspected: dict[HangUpEvidence, float] = {}

    @property
    def suspicion(self) -> HangUpEvidence | None:
        """What was reported last without being proof."""
        return next(reversed(self._suspected), None)

    def feed(self, code: int, now_seconds: float, *, nobody_spoke: bool = False) -> HangUpEvidence | None:
        """What this code proves, if anything. `nobody_spoke`: no voice was on the line in the last seconds."""
        if code == self._codes.own_off_hook and now_seconds - self._off_hook_at < self._OWN_RELAY_SECONDS:
            return None
        fact = self._codes.at_once.get(code)
        if fact is not None:
            return fact
        guess = self._codes.when_repeated.get(code)
        return None if guess is None else self._weigh(guess, now_seconds, nobody_spoke)

    def voice_heard(self) -> None:
        """Somebody speaks: what sounded like a tone was none."""
        self._suspected.clear()

    def _weigh(self, guess: HangUpEvidence, now_seconds: float, nobody_spoke: bool) -> HangUpEvidence | None:
        before = self._suspected.pop(guess, None)
        self._suspected[guess] = now_seconds
        again = before is not None and now_seconds - before <= _REPORTED_AGAIN_WITHIN_SECONDS
        return guess if again or nobody_spoke else None
