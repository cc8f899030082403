"""Ring bursts and caller ID as a modem tells them (modem-reference 4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from firmware.simulation.loop import CallerIdBurst
from firmware.simulation.modem.chip import Chip, Mode, Repeater

# A pause this short is part of the cadence (Britain's double ring), not the end of a burst.
_INNER_PAUSE_SECONDS = 1.0
# A longer one means that another call began; no country's ring has it (modem-reference 4.1).
_LONGEST_PAUSE_SECONDS = 8.0
# Ring voltage must last a few cycles before it is believed.
_RING_DETECT_SECONDS = 0.1
# Bellcore FSK parameter tags of a multiple data message (GR-30).
_TAG_DATE_TIME, _TAG_NUMBER, _TAG_ABSENT, _TAG_NAME, _MESSAGE = 0x01, 0x02, 0x04, 0x07, 0x80


class Ringer:
    """Tells the host. `answer` is called when `S0` says so."""

    def __init__(self, chip: Chip, answer: Callable[[], None]) -> None:
        self._chip = chip
        self._answer = answer
        self._rings = 0
        self._began_at = 0.0
        self._ended_at = float("-inf")
        self._in_burst = False
        self._report = Repeater(self._tell)
        self._lines: deque[str] = deque()
        self._next_line = Repeater(self._tell_line)

    def reset(self) -> None:
        """As after power-on."""
        self._report.stop()
        self._next_line.stop()
        self._lines.clear()
        self._rings = 0
        self._in_burst = False

    def began(self) -> None:
        """Ring voltage is on."""
        now = asyncio.get_running_loop().time()
        pause, self._began_at = now - self._ended_at, now
        self._in_burst = True
        if self._chip.off_hook or pause < _INNER_PAUSE_SECONDS:
            return
        if self._distinctive():
            if pause < _LONGEST_PAUSE_SECONDS:
                self._chip.unasked(f"DROF={round(pause * 10)}")
            return
        self._report.start(_RING_DETECT_SECONDS)

    def ended(self) -> None:
        """Ring voltage is off. `+VDR=1,n` tells a length now and, with n, the ring n tenths later."""
        now = asyncio.get_running_loop().time()
        self._in_burst = False
        self._ended_at = now
        if self._chip.off_hook or not self._distinctive():
            return
        self._chip.unasked(f"DRON={round((now - self._began_at) * 10)}")
        delay_ticks = self._chip.registers.number("+VDR", 1)
        if delay_ticks:
            self._report.start(delay_ticks / 10)

    def caller_id(self, burst: CallerIdBurst) -> None:
        """A caller ID message came, on hook."""
        mode = self._chip.registers.number("+VCID")
        if not mode or self._chip.off_hook:
            return
        fields = list(_fields(burst, self._chip.profile.caller_id_separator))
        if self._chip.faults.caller_id_name_first:
            fields.sort(key=lambda line: line.startswith("NMBR"))
        if mode == 2:
            fields = [_packet(burst).hex().upper()]
        if self._chip.in_voice and self._chip.profile.caller_id_packet_in_voice:
            text = "\r\n".join(["CIDM", *fields, ""])
            self._chip.outlet.send(b"\x10X" + text.encode("latin-1") + b"\x10.")
            return
        self._lines.extend(fields)
        if not self._next_line.running:
            self._tell_line()

    def ring_into_result(self) -> None:
        """Fault 7: a RING in front of a command's result."""
        if self._chip.faults.ring_into_command and not self._chip.off_hook and self._is_ringing():
            self._ring_message()

    def forget(self) -> None:
        """The call is answered, or the line is ours for another reason."""
        self._report.stop()
        self._rings = 0

    def _distinctive(self) -> bool:
        return self._chip.registers.number("+VDR") == 1

    def _is_ringing(self) -> bool:
        """In a burst, or in the pause behind one."""
        return self._in_burst or asyncio.get_running_loop().time() - self._ended_at < _LONGEST_PAUSE_SECONDS

    def _tell(self) -> None:
        if self._chip.off_hook:
            return
        new_call = self._began_at - self._ended_at > _LONGEST_PAUSE_SECONDS
        self._rings = 1 if new_call else self._rings + 1
        self._chip.registers.s[1] = self._rings
        self._ring_message()
        limit = self._chip.registers.s[0]
        if limit and self._rings >= limit and self._chip.mode is Mode.COMMAND:
            self._answer()

    def _ring_message(self) -> None:
        if self._chip.in_voice and self._chip.profile.ring_code_in_voice:
            if self._chip.mode is Mode.COMMAND:
                self._chip.outlet.event("R")
        else:
            self._chip.unasked("RING")

    def _tell_line(self) -> None:
        if not self._lines:
            return
        self._chip.information(self._lines.popleft())
        if self._lines:
            self._next_line.start(self._chip.faults.caller_id_line_seconds)


def _fields(burst: CallerIdBurst, separator: str) -> list[str]:
    tagged = (("DATE", burst.date), ("TIME", burst.time), ("NMBR", burst.number), ("NAME", burst.name))
    return [f"{tag}{separator}{_text(value)}" for tag, value in tagged if value is not None]


def _text(value: str | bytes) -> str:
    """Bytes pass as they are: what a noisy line delivered reaches the host."""
    return value if isinstance(value, str) else value.decode("latin-1")


def _packet(burst: CallerIdBurst) -> bytes:
    """The raw multiple data message, checksum apart."""
    body = bytearray()
    if burst.date and burst.time:
        body += _parameter(_TAG_DATE_TIME, f"{burst.date}{burst.time}".encode())
    if burst.number is not None:
        body += _parameter(_TAG_ABSENT if burst.number in (b"P", b"O") else _TAG_NUMBER, burst.number)
    if burst.name is not None:
        body += _parameter(_TAG_NAME, burst.name)
    return bytes((_MESSAGE, len(body) & 0xFF)) + bytes(body)


def _parameter(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value) & 0xFF)) + value
