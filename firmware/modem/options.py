"""How one line is driven: what the configuration says, and the times everything is allowed to take."""

from __future__ import annotations

from dataclasses import dataclass

from firmware.modem.profile import AUTO
from firmware.ports import ToneEarMaker


@dataclass(frozen=True, slots=True)
class Timings:
    """All in seconds. Defaults come from the modem reference; tests may shorten them."""

    idle_probe: float = 7.0
    """An idle modem is asked this often; with `probe_answer` a dead one is noticed within 10 s."""
    probe_answer: float = 2.0
    ring_gap: float = 8.0
    """No RING for this long: the caller gave up. Above the 6 s of a US cadence (modem-reference 4.1)."""
    first_caller_id: float = 3.5
    """FSK caller ID comes behind ring 1; answering on ring 1 waits this long for it (modem-reference 4.3)."""
    caller_id_quiet: float = 0.3
    """A number without a name counts as all after this pause."""
    caller_id_before_ring: float = 6.0
    """DTMF caller ID precedes the first ring; older lines belong to another call."""
    off_hook_settles: float = 1.0
    """A ring this soon after off hook was under way already."""
    stream_answer: float = 2.0
    """How long a modem may take to end a stream, beyond the audio it holds."""
    stalled: float = 2.0
    """A recording without a single byte for this long is at fault."""
    between_dials: float = 2.0
    """On hook before the next dialling (modem-reference 10, China)."""
    dial_result: float = 90.0


@dataclass(frozen=True, slots=True)
class LineOptions:
    """Settings of one line."""

    country: str = "CN"
    profile: str = AUTO
    triple_dle: bool | None = None
    flash_milliseconds: int = 100
    timings: Timings = Timings()
    ear: ToneEarMaker | None = None
    """Listens for keys and tones in what is received; without it, what the modem reports is all there is."""
