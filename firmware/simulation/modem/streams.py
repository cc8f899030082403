"""The voice data states: `+VTX`, `+VRX`, `+VTR`, and their ends (modem-reference 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.pcm import SampleFormat
from firmware.simulation.modem.chip import Chip, Mode, Repeater
from firmware.simulation.modem.receiver import Receiver
from firmware.simulation.modem.shielding import Action, HostStream
from firmware.simulation.modem.transmitter import Transmitter

END_OF_STREAM = b"\x10\x03"
_XON, _XOFF = b"\x11", b"\x13"
# For `ModemFaults.results_withheld`: the result after a stream's end.
STREAM_END = "stream-end"


class Streams:
    """Whichever stream is open. `stray` takes bytes that reach command state by crossing a stream's end."""

    def __init__(
        self,
        chip: Chip,
        room_grew: Callable[[], None],
        stream_interval_seconds: float,
        quiet: Callable[[bool], None],
        stray: Callable[[bytes], None],
    ) -> None:
        self._chip = chip
        self._stray = stray
        self._tell_wire = room_grew
        self._host_stopped = False
        self.transmitter = Transmitter(chip, self._room_grew, self._played_out)
        self.receiver = Receiver(chip, stream_interval_seconds, quiet)
        self._actions = HostStream()
        self._idle = Repeater(self._idled)

    def begin(self, mode: Mode) -> None:
        """Enter a voice data state."""
        sample_format = self._format()
        self._chip.mode = mode
        triple = self._chip.profile.triple_dle or self._chip.faults.needs_triple_dle
        self._actions = HostStream(triple_dle=triple)
        if mode is not Mode.RECEIVE:
            self.transmitter.start(sample_format)
        if mode is not Mode.TRANSMIT:
            leak_shift = self._chip.profile.duplex_leak_shift if mode is Mode.DUPLEX else 0
            self.receiver.start(sample_format, leak_shift=leak_shift)
        self._host_is_there()

    def feed(self, data: bytes) -> None:
        """Bytes from the host while a stream is open."""
        self._host_is_there()
        if self._chip.mode is Mode.RECEIVE:
            for item in self._actions.feed(data):
                if isinstance(item, Action):
                    self._act(item)
            return
        if self._software_flow():
            data = data.replace(b"\x11", b"").replace(b"\x13", b"")
        for action in self.transmitter.feed(data):
            self._act(action)

    def room(self) -> int:
        """What the transmit buffer takes; under software flow control the host hears XOFF when that is nothing."""
        room = self.transmitter.room()
        if not room and not self._host_stopped and self._software_flow():
            self._host_stopped = True
            self._chip.outlet.send(_XOFF)
        return room

    def stop(self) -> None:
        """End at once and say nothing."""
        self._idle.stop()
        self.transmitter.stop()
        self.receiver.stop(drop=True)

    def ended_by_line(self) -> None:
        """An event that some modems end a recording for by themselves."""
        if self._chip.mode is Mode.RECEIVE and self._chip.faults.ends_recording_itself:
            self._end_recording()

    def _room_grew(self) -> None:
        if self._host_stopped:
            self._host_stopped = False
            self._chip.outlet.send(_XON)
        self._tell_wire()

    def _software_flow(self) -> bool:
        return self._chip.registers.software_flow or self._chip.faults.xon_xoff

    def _format(self) -> SampleFormat:
        codec = self._chip.codec
        assert codec is not None
        assert codec.format is not None
        return codec.format

    def _act(self, action: Action) -> None:
        mode = self._chip.mode
        if action in (Action.KEYS_ON, Action.KEYS_OFF):
            self._chip.keys_reported = action is Action.KEYS_ON
        elif (mode is Mode.TRANSMIT and action is Action.END) or (mode is Mode.DUPLEX and action is Action.END_DUPLEX):
            self._idle.stop()
            self.transmitter.end()
        elif mode is Mode.RECEIVE and action is Action.END_RECORDING:
            self._end_recording()
        elif mode is Mode.RECEIVE and action is Action.ABORT_RECORDING:
            self._abort_recording()

    def _abort_recording(self) -> None:
        crosses = self._chip.faults.record_end_crosses_abort
        self._end_recording(drop=self._chip.faults.abort_drops_audio)
        if crosses:
            self._stray(b"\x10!")

    def _end_recording(self, *, drop: bool = False) -> None:
        self.receiver.stop(drop=drop)
        self._closed(END_OF_STREAM)

    def _played_out(self) -> None:
        """All has sounded after the end of a transmit or duplex stream."""
        duplex = self._chip.mode is Mode.DUPLEX
        self.receiver.stop()
        self._closed(END_OF_STREAM if duplex or self._chip.profile.etx_after_play else b"")

    def _closed(self, mark: bytes) -> None:
        self._idle.stop()
        if self._host_stopped:
            self._room_grew()
        self._chip.outlet.send(mark)
        self._chip.mode = Mode.COMMAND
        faults = self._chip.faults
        if faults.withholds(STREAM_END):
            return
        if faults.late_result_seconds:
            asyncio.get_running_loop().call_later(faults.late_result_seconds, self._chip.result, "OK")
        else:
            self._chip.result("OK")

    def _host_is_there(self) -> None:
        """`+VIT`: seconds without a byte from the host after which voice mode is left."""
        seconds = self._chip.registers.number("+VIT")
        if seconds:
            self._idle.start(seconds)

    def _idled(self) -> None:
        self.stop()
        self._chip.put_down()
        self._chip.service_class = "0"
        self._closed(END_OF_STREAM)
