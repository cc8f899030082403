"""Where a technician listens in to the calls of a line, also from the middle of one on."""

from __future__ import annotations

from firmware.modem.dle import unshield
from firmware.pcm import SampleFormat
from firmware.ports import CallMonitor


class MonitorTap:
    """Belongs to a line and outlives its calls. Without a monitor, a look at `monitor` is all that it costs."""

    def __init__(self) -> None:
        self.monitor: CallMonitor | None = None

    def caller_said(self, data: bytes, sample_format: SampleFormat) -> None:
        """Whole samples from the line."""
        if self.monitor is not None:
            self.monitor.caller_said(data, sample_format)

    def caller_hears(self, wire: bytes, sample_format: SampleFormat) -> None:
        """A block as it goes to the modem: shielded."""
        if self.monitor is not None:
            self.monitor.caller_hears(unshield(wire), sample_format)
