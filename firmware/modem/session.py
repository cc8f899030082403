"""One modem from opening its port to losing or closing it."""

from __future__ import annotations

import asyncio

from firmware.errors import NotAModem
from firmware.modem.call_state import CallState
from firmware.modem.dialogue import Dialogue
from firmware.modem.ears import LineEars
from firmware.modem.identify import Findings
from firmware.modem.monitor_tap import MonitorTap
from firmware.modem.off_hook import OffHookLine, VoiceSetup
from firmware.modem.options import LineOptions
from firmware.modem.prompts import PromptCache
from firmware.modem.streams import StreamContext
from firmware.ports import ByteWire


class ModemSession:
    """What belongs to one open port; a new one is made for every opening, so that nothing stale survives."""

    def __init__(self, wire: ByteWire, dialogue: Dialogue, ears: LineEars) -> None:
        self.wire = wire
        self.dialogue = dialogue
        self.ears = ears
        self.in_call = False
        self.on_hook_at = float("-inf")
        self.label_is_not_enough = False
        self._last_call_proved = True
        self._loop = asyncio.get_running_loop()
        self._context: StreamContext | None = None
        self._setup: VoiceSetup | None = None

    @property
    def now(self) -> float:
        """The event loop's time."""
        return self._loop.time()

    @property
    def context(self) -> StreamContext:
        """Known once the modem is identified."""
        if self._context is None:
            raise NotAModem("the modem was not identified yet; open the line first")
        return self._context

    @property
    def proved_alive_at(self) -> float | None:
        """When the modem last answered or rang."""
        signs = [at for at in (self.dialogue.proved_alive_at, self.ears.heard_at) if at is not None]
        return max(signs, default=None)

    def found(self, findings: Findings, options: LineOptions, tap: MonitorTap) -> None:
        """The modem is identified and set up."""
        profile = findings.profile
        triple = profile.triple_dle if options.triple_dle is None else options.triple_dle
        sample_format = findings.codec.sample_format
        self._context = StreamContext(self.dialogue, self.ears.bell, options.timings, triple, sample_format, tap)
        self._setup = VoiceSetup(
            profile, findings.codec, findings.codec_command, options.flash_milliseconds, options.ear
        )

    def new_call(self, prompts: PromptCache) -> OffHookLine:
        """The call that begins now; from here on events go to it."""
        context = self.context
        assert self._setup is not None
        self.in_call = True
        voice = OffHookLine(context, self._setup, prompts)
        self.ears.call = voice.state
        return voice

    def call_offered(self) -> None:
        """A call is to be answered. One that rings right behind a call from which nothing came is still that call."""
        began_at = self.ears.ringing.began_at
        if began_at is None or self._last_call_proved:
            return
        if began_at - self.on_hook_at < self.context.timings.ring_gap:
            self.label_is_not_enough = True

    def call_over(self, call: CallState | None = None) -> None:
        """On hook and idle. `call`: what the call that ended knows."""
        self.in_call = False
        self.ears.call = None
        self.on_hook_at = self.now
        self._last_call_proved = call is None or call.proved or call.evidence is not None

    def raise_if_lost(self) -> None:
        """Raises: PortError when the wire is gone."""
        if self.ears.lost is not None:
            raise self.ears.lost
