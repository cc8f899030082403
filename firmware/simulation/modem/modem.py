"""The simulated modem: puts the parts together, and stands between a line and a wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from firmware.simulation.loop import CallerIdBurst, Loop, ToneKind
from firmware.simulation.modem.basic_commands import BasicCommands
from firmware.simulation.modem.chip import Chip, Mode, ModemState
from firmware.simulation.modem.command_line import Command
from firmware.simulation.modem.dialler import Dialler
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.interpreter import Interpreter
from firmware.simulation.modem.line_events import LineEvents
from firmware.simulation.modem.outcome import Handler
from firmware.simulation.modem.outlet import Direction, Outlet, Traffic
from firmware.simulation.modem.profile import ModemProfile, load_profile
from firmware.simulation.modem.ringing import Ringer
from firmware.simulation.modem.streams import Streams
from firmware.simulation.modem.voice_commands import VoiceCommands
from firmware.simulation.wires import HostWire

_COMMAND_ROOM_BYTES = 256


class SimulatedModem:
    """Implements `loop.SubscriberEnd` and `wires.ModemEnd`. It has no power until `plug_in`.

    `stream_interval_seconds` is how much recorded audio goes to the host at a time; None: as the wire likes.
    `traffic` sees every byte that passes, with the event loop's time.
    """

    def __init__(
        self,
        loop: Loop,
        wire: HostWire,
        profile: ModemProfile | str = "conexant",
        *,
        faults: ModemFaults | None = None,
        stream_interval_seconds: float | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._wire = wire
        self._outlet = Outlet(wire, self._browned_out, traffic)
        self._outlet.faults = faults or ModemFaults()
        profile = load_profile(profile) if isinstance(profile, str) else profile
        self._chip = Chip(loop, profile, self._outlet)
        interval_seconds = stream_interval_seconds or wire.stream_interval_seconds
        self._streams = Streams(self._chip, wire.room_grew, interval_seconds, self._quiet, self._typed)
        self._events = LineEvents(self._chip, self._streams.receiver.flush, self._streams.ended_by_line)
        self._ringer = Ringer(self._chip, self._answer_by_itself)
        self._dialler = Dialler(self._chip, self._events, self._take_line)
        voice = VoiceCommands(self._chip, self._take_line, self._streams.begin)
        groups = (BasicCommands(self._chip), voice, _LineCommands(self._dialler, self._chip))
        self._interpreter = Interpreter(self._chip, groups, self._ringer.ring_into_result, self._typed)
        self._return: asyncio.TimerHandle | None = None
        loop.subscriber = self

    # --- power and faults ---

    def watch_traffic(self, traffic: Traffic | None) -> None:
        """Show every byte that passes from now on, in place of whoever watched before."""
        self._outlet.traffic = traffic

    @property
    def state(self) -> ModemState:
        """What it is doing."""
        return self._chip.state

    @property
    def off_hook(self) -> bool:
        """Whether it draws loop current."""
        return self._chip.off_hook

    @property
    def profile(self) -> ModemProfile:
        """Its family."""
        return self._chip.profile

    @property
    def faults(self) -> ModemFaults:
        """The faults in force; may be replaced at any time."""
        return self._outlet.faults

    @faults.setter
    def faults(self, faults: ModemFaults) -> None:
        self._outlet.faults = faults

    @property
    def underruns(self) -> int:
        """How often a prompt ran dry, repeats of the report included."""
        return self._streams.transmitter.underruns

    @property
    def overruns(self) -> int:
        """How often recorded audio was lost because the host did not read."""
        return self._streams.receiver.overruns

    @property
    def buffered_samples(self) -> int:
        """Samples received from the host that have not sounded yet."""
        return self._streams.transmitter.buffered_samples

    def plug_in(self) -> None:
        """Power, and a place on the host; does nothing when it is plugged in."""
        self._cancel_return()
        if self._outlet.powered:
            return
        self._outlet.power(on=True)
        self._chip.hung = False
        self._chip.reset()
        self._interpreter.lines_run = 0
        self._wire.plug_in(self)
        self._outlet.send(self.faults.garbage_after_plug_in)

    def unplug(self) -> None:
        """Gone from the host, and without power: the line is dropped."""
        self._cancel_return()
        self._outlet.power(on=False)
        self._silence_parts()
        self._chip.put_down()
        self._wire.unplug()

    def hang(self) -> None:
        """Answer nothing, tell nothing, keep the hook as it is, until the power is cycled."""
        self._chip.hung = True
        self._silence_parts()
        self._chip.mode = Mode.COMMAND

    def _silence_parts(self) -> None:
        self._interpreter.reset()
        self._streams.stop()
        self._events.reset()
        self._ringer.reset()

    def _browned_out(self) -> None:
        """At the byte that the fault names; the fault is used up."""
        back_after = self.faults.brown_out_seconds
        self.faults = replace(self.faults, brown_out_after_bytes=None)
        self.unplug()
        if back_after is not None:
            self._return = asyncio.get_running_loop().call_later(back_after, self.plug_in)

    def _cancel_return(self) -> None:
        if self._return is not None:
            self._return.cancel()
            self._return = None

    # --- the host's side (wires.ModemEnd) ---

    def room(self) -> int:
        """How many bytes it takes now."""
        if self._streaming_out():
            return self._streams.room()
        return _COMMAND_ROOM_BYTES

    def host_sent(self, data: bytes) -> None:
        """Bytes from the host."""
        data = self._outlet.arrived(data)
        if self._outlet.powered and not self._chip.hung:
            self._typed(data)

    def host_discarded_output(self, discarded_bytes: int) -> None:  # noqa: ARG002 - the port names it
        """Shown to onlookers; what has reached the modem plays on."""
        self._outlet.onlooker(Direction.DISCARDED, b"")

    def _streaming_out(self) -> bool:
        return self._chip.mode in (Mode.TRANSMIT, Mode.DUPLEX) and not self._chip.hung

    def _typed(self, data: bytes) -> None:
        if self._chip.mode in (Mode.COMMAND, Mode.DIALLING):
            self._interpreter.feed(data)
        else:
            self._streams.feed(data)

    def _take_line(self) -> None:
        self._ringer.forget()
        self._chip.lift()
        self._chip.device = self._chip.device or 1

    def _answer_by_itself(self) -> None:
        self._interpreter.run("ATA")

    # --- the line's side (loop.SubscriberEnd) ---

    def ring_began(self) -> None:
        """Ring voltage is on."""
        if self._alive():
            self._ringer.began()

    def ring_ended(self) -> None:
        """Ring voltage is off."""
        if self._alive():
            self._ringer.ended()

    def caller_id(self, burst: CallerIdBurst) -> None:
        """A caller ID message came."""
        if self._alive():
            self._ringer.caller_id(burst)

    def key_down(self, key: str) -> None:
        """A DTMF tone began."""
        if self._alive():
            self._events.key_down(key)

    def key_up(self, key: str) -> None:
        """It ended."""
        if self._alive():
            self._events.key_up(key)

    def tone_on(self, kind: ToneKind) -> None:
        """The exchange plays a tone."""
        self._events.tone_on(kind)

    def tone_off(self) -> None:
        """It stopped."""
        self._events.tone_off()

    def loop_break(self) -> None:
        """Loop current was interrupted."""
        if self._alive():
            self._events.loop_break()

    def polarity_reversed(self) -> None:
        """Tip and ring changed places."""
        if self._alive():
            self._events.polarity_reversed()

    def extension_hook(self, *, lifted: bool) -> None:
        """Another telephone on the pair."""
        self._events.extension_hook(lifted=lifted)

    def _alive(self) -> bool:
        return self._outlet.powered and not self._chip.hung

    def _quiet(self, after_voice: bool) -> None:
        self._events.quiet(after_voice)


class _LineCommands:
    """`D`, `A`, `+VTS`."""

    def __init__(self, dialler: Dialler, chip: Chip) -> None:
        self._chip = chip
        self._table: dict[str, Handler] = {"D": dialler.dial, "A": dialler.answer, "+VTS": dialler.tones}

    def find(self, command: Command) -> Handler | None:
        if command.name == "+VTS" and not self._chip.profile.voice:
            return None
        return self._table.get(command.name)
