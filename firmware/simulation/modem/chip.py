"""What the parts of a simulated modem share: its state, its hook, its way out to the host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from firmware.simulation.loop import Loop
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.outlet import Outlet
from firmware.simulation.modem.profile import Codec, ModemProfile
from firmware.simulation.modem.registers import Registers


class Mode(Enum):
    """What the host's bytes mean at the moment."""

    COMMAND = "command"
    DIALLING = "dialling"
    TRANSMIT = "transmit"
    RECEIVE = "receive"
    DUPLEX = "duplex"


class ModemState(Enum):
    """A modem's state as one word (modem-reference 13); ringing lies over any on-hook state."""

    OFF = "off"
    HUNG = "hung"
    ONHOOK_CMD = "onhook_cmd"
    ONHOOK_VOICE = "onhook_voice"
    OFFHOOK_CMD = "offhook_cmd"
    VTX = "vtx"
    VRX = "vrx"
    VTR = "vtr"
    DIALING = "dialing"


_STATE_OF_MODE = {
    Mode.DIALLING: ModemState.DIALING,
    Mode.TRANSMIT: ModemState.VTX,
    Mode.RECEIVE: ModemState.VRX,
    Mode.DUPLEX: ModemState.VTR,
}


class Repeater:
    """Calls back after a first delay, then at a period until stopped; without a period just once."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._period_seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether another call is to come."""
        return self._timer is not None

    def start(self, first_seconds: float, period_seconds: float = 0.0) -> None:
        """Begin, or begin anew."""
        self.stop()
        self._period_seconds = period_seconds
        self._timer = asyncio.get_running_loop().call_later(max(0.0, first_seconds), self._due)

    def stop(self) -> None:
        """No further calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._period_seconds:
            self._timer = asyncio.get_running_loop().call_later(self._period_seconds, self._due)
        self._callback()


class Chip:
    """State without behaviour of its own, apart from the hook."""

    def __init__(self, loop: Loop, profile: ModemProfile, outlet: Outlet) -> None:
        self.loop = loop
        self.profile = profile
        self.outlet = outlet
        self.stored = Registers(country=profile.country)
        self.hung = False
        self.off_hook = False
        self.reset()

    @property
    def faults(self) -> ModemFaults:
        """The faults in force."""
        return self.outlet.faults

    @property
    def state(self) -> ModemState:
        """One word for it all."""
        if not self.outlet.powered:
            return ModemState.OFF
        if self.hung:
            return ModemState.HUNG
        if self.mode is not Mode.COMMAND:
            return _STATE_OF_MODE[self.mode]
        if self.off_hook:
            return ModemState.OFFHOOK_CMD
        return ModemState.ONHOOK_VOICE if self.service_class == "8" else ModemState.ONHOOK_CMD

    @property
    def in_voice(self) -> bool:
        """Whether `+FCLASS=8` is in force."""
        return self.service_class == "8"

    @property
    def verbose(self) -> bool:
        """Whether results are words."""
        return self.registers.verbose

    def reset(self) -> None:
        """As after power-on or `ATZ`, the hook apart."""
        self.registers = self.stored.copy()
        if self.faults.numeric_results:
            self.registers.verbose = False
        self.mode = Mode.COMMAND
        self.service_class = "0"
        self.device = 0
        self.keys_reported = True
        self.reset_voice()

    def reset_voice(self) -> None:
        """`+VIP`: codec and voice parameters to their defaults."""
        profile = self.profile
        self.codec: Codec | None = profile.codecs[0] if profile.codecs else None
        preferred = next(
            (codec for codec in profile.codecs if "UNSIGNED" in codec.name or "LINEAR" in codec.name), None
        )
        self.codec = preferred or self.codec
        self.rate_hz = 8000
        for name in [name for name in self.registers.voice if name.startswith("+V") and name != "+VCID"]:
            del self.registers.voice[name]
        self.registers.voice["+VSD"] = profile.vsd_default

    def lift(self) -> None:
        """Draw loop current."""
        if self.off_hook:
            return
        self.off_hook = True
        self.loop.toward_subscriber.forget(self.loop.now_sample())
        if self.loop.exchange is not None:
            self.loop.exchange.went_off_hook()

    def put_down(self) -> None:
        """Draw none."""
        self.device = 0
        if not self.off_hook:
            return
        self.off_hook = False
        self.loop.toward_exchange.cut(self.loop.now_sample())
        if self.loop.exchange is not None:
            self.loop.exchange.went_on_hook()

    def result(self, text: str) -> None:
        """A result code, unless `Q1` silences it."""
        if self.registers.quiet:
            return
        for _ in range(2 if self.faults.doubled_results else 1):
            self.outlet.result(text, verbose=self.verbose)

    def information(self, text: str) -> None:
        """A line of information."""
        self.outlet.text(text, verbose=self.verbose)

    def unasked(self, text: str) -> None:
        """A result that answers nothing: RING, caller ID."""
        if not self.registers.quiet and self.mode is Mode.COMMAND:
            self.outlet.result(text, verbose=self.verbose)
