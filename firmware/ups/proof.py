"""The pull-the-plug proof: a UPS profile is believed only after it told a loss of mains and its return. Pure.

Two common boards tell the same loss with opposite levels, and a missing jumper looks like good mains for ever
(power-reference 1.2), so that nothing but a pulled plug shows that the wiring and the profile belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# A technician walks to the socket and back within these.
PULL_WITHIN_SECONDS = 120.0
RETURN_WITHIN_SECONDS = 180.0
# A contact that bounces, or a plug that is only wiggled, proves nothing.
AWAY_AT_LEAST_SECONDS = 2.0
STEADY_SECONDS = 3.0


class ProofStep(Enum):
    """How far it has come. Values are part of the JSON."""

    NO_MAINS_YET = "no_mains_yet"
    PULL_THE_PLUG = "pull_the_plug"
    PUT_IT_BACK = "put_it_back"
    PROVED = "proved"
    FAILED = "failed"


_ADVICE = {
    ProofStep.NO_MAINS_YET: "the UPS never told good mains: look at the wiring, the jumper and the active level",
    ProofStep.PULL_THE_PLUG: "no loss of mains was told: look at the wiring and the jumper; a board without its jumper "
    "says good mains for ever",
    ProofStep.PUT_IT_BACK: "mains was told as lost and never as back: look at the plug, then at the active level",
}


@dataclass(slots=True)
class Proof:
    """One try. Feed it levels and time; `step` says what the technician does next."""

    began_at_seconds: float
    step: ProofStep = ProofStep.NO_MAINS_YET
    advice: str = ""
    lost_at_seconds: float | None = None
    _level: bool | None = None
    _since_seconds: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.step in (ProofStep.PROVED, ProofStep.FAILED)

    def heard(self, mains: bool | None, now_seconds: float) -> None:
        """The level now; None where the source does not know."""
        if self.over:
            return
        if mains is not self._level:
            self._level, self._since_seconds = mains, now_seconds
        self._advance(now_seconds - self._since_seconds, now_seconds)

    def passed(self, now_seconds: float) -> None:
        """Time went by; a try does not wait for ever."""
        if self.over:
            return
        began = self.lost_at_seconds if self.lost_at_seconds is not None else self.began_at_seconds
        longest = RETURN_WITHIN_SECONDS if self.step is ProofStep.PUT_IT_BACK else PULL_WITHIN_SECONDS
        if now_seconds - began >= longest:
            self.fail(_ADVICE[self.step])

    def fail(self, advice: str) -> None:
        """Nothing comes of this try; `advice` is a sentence without its full stop."""
        self.step, self.advice = ProofStep.FAILED, advice

    def _advance(self, held_seconds: float, now_seconds: float) -> None:
        match self.step, self._level:
            case ProofStep.NO_MAINS_YET, True:
                self.step = ProofStep.PULL_THE_PLUG
            case ProofStep.PULL_THE_PLUG, False if held_seconds >= AWAY_AT_LEAST_SECONDS:
                self.lost_at_seconds = now_seconds
                self.step = ProofStep.PUT_IT_BACK
            case ProofStep.PUT_IT_BACK, True if held_seconds >= STEADY_SECONDS:
                self.step = ProofStep.PROVED
