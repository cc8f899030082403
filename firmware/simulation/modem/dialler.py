"""Dialling, answering as a data modem would, and tones on demand (modem-reference 8, 9)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine

from firmware.simulation.loop import ToneKind
from firmware.simulation.modem.chip import Chip, Mode
from firmware.simulation.modem.command_line import Command, Refused
from firmware.simulation.modem.line_events import LineEvents
from firmware.simulation.modem.outcome import OK, Outcome
from firmware.simulation.synthesis import DTMF_KEYS, dtmf, tone

_TONE_SECONDS = 0.1
_DIAL_TONE_PATIENCE_SECONDS = 5.0
_BUSY_DETECT_SECONDS = 1.5
_QUIET_ANSWER_SECONDS = 5.0
_ELEMENT = re.compile(r"\[(?P<pair>[^\]]*)\]|\{(?P<long>[^}]*)\}|(?P<key>[^,\[\]{}])")
_STE_LINE_IN_USE = 1

_Step = Callable[[], Coroutine[None, None, None]]


class Dialler:
    """Runs `D`, `A` and `+VTS`; one at a time, as a modem does."""

    def __init__(self, chip: Chip, events: LineEvents, off_hook: Callable[[], None]) -> None:
        self._chip = chip
        self._events = events
        self._off_hook = off_hook

    async def dial(self, command: Command) -> Outcome:
        """`ATD`: ends with what became of the call. A key from the host ends it before (the interpreter cancels)."""
        if self._chip.registers.number("-STE") & _STE_LINE_IN_USE and self._events.extension_lifted:
            return Outcome("LINE-IN-USE")
        self._off_hook()
        self._chip.mode = Mode.DIALLING
        result = await self._dial_tone()
        string = command.value
        for sign in string if not result else "":
            await self._send(sign)
        if not result and not string.endswith(";"):
            result = await self._progress()
        self._chip.mode = Mode.COMMAND
        if result not in ("", "OK", self._chip.profile.connected):
            self._chip.put_down()
        return Outcome(result or "OK")

    async def answer(self, _: Command) -> Outcome:
        """`ATA`: the line is ours; without a data modem at the far end there is no carrier in class 0."""
        self._off_hook()
        if self._chip.in_voice:
            return Outcome(self._chip.profile.connected)
        self._chip.mode = Mode.DIALLING
        await asyncio.sleep(self._chip.registers.s[7])
        self._chip.mode = Mode.COMMAND
        self._chip.put_down()
        return Outcome("NO CARRIER")

    async def tones(self, command: Command) -> Outcome:
        """`+VTS`: sounds while it runs; the result comes after the last tone."""
        if command.action == "=?":
            rules = self._chip.profile.tones
            spans = f"({rules.lowest_hz}-{rules.highest_hz}),({rules.lowest_hz}-{rules.highest_hz})"
            return Outcome(lines=(f"{spans},(0-{rules.longest_ticks})",))
        if not self._chip.in_voice or command.action != "=" or not self._chip.device:
            raise Refused(command)
        for element in self._elements(command):
            await element()
        return OK

    # --- tones ---

    def _elements(self, command: Command) -> list[_Step]:
        if _ELEMENT.sub("", command.value).strip(","):
            raise Refused(command)
        return [self._element(match, command) for match in _ELEMENT.finditer(command.value)]

    def _element(self, match: re.Match[str], command: Command) -> _Step:
        if match["pair"] is not None:
            frequencies, seconds = self._pair(match["pair"], command)
            return lambda: self._sound(frequencies, seconds)
        key, _, ticks = (match["long"] or match["key"] or "").partition(",")
        if key not in DTMF_KEYS | {"!"} or (ticks and not ticks.isdigit()):
            raise Refused(command)
        return lambda: self._key(key, int(ticks) / 100 if ticks else 0.0)

    def _pair(self, inner: str, command: Command) -> tuple[tuple[float, ...], float]:
        """`f1,f2,duration`, nulls as the family allows."""
        rules = self._chip.profile.tones
        fields = [field.strip() for field in f"{inner},,".split(",")[:3]]
        if any(field and not field.isdigit() for field in fields) or ("" in fields and not rules.nulls):
            raise Refused(command)
        first, second, ticks = (int(field or 0) for field in fields)
        frequencies = tuple(float(hz) for hz in (first, second) if hz)
        if any(not rules.lowest_hz <= hz <= rules.highest_hz for hz in frequencies) or ticks > rules.longest_ticks:
            raise Refused(command)
        if len(frequencies) == 1 and not rules.one_frequency:
            raise Refused(command)
        return frequencies, ticks / 100 or self._default_seconds()

    def _default_seconds(self) -> float:
        ticks = self._chip.registers.number("+VTD") or self._chip.profile.default_tone_ticks
        return ticks / 100

    async def _sound(self, frequencies: tuple[float, ...], seconds: float) -> None:
        if frequencies:
            self._put(tone(frequencies, seconds))
        await asyncio.sleep(seconds)

    async def _key(self, key: str, seconds: float) -> None:
        if key == "!":
            await self._flash(seconds)
        elif self._chip.profile.tones.digits:
            await self._digit(key, seconds or self._default_seconds())

    def _put(self, s16: bytes) -> None:
        if self._chip.off_hook:
            self._chip.loop.toward_exchange.put(self._chip.loop.now_sample(), s16)

    async def _digit(self, key: str, seconds: float) -> None:
        self._put(dtmf(key, seconds))
        await asyncio.sleep(seconds)
        if self._chip.off_hook and self._chip.loop.exchange is not None:
            self._chip.loop.exchange.digit_dialled(key)
        await asyncio.sleep(self._chip.registers.s[11] / 1000)

    async def _flash(self, seconds: float = 0.0) -> None:
        if self._chip.off_hook and self._chip.loop.exchange is not None:
            self._chip.loop.exchange.hook_flash()
        await asyncio.sleep(seconds or self._chip.registers.s[29] / 100)

    # --- a call's progress ---

    async def _send(self, sign: str) -> None:
        if sign in DTMF_KEYS:
            await self._digit(sign, _TONE_SECONDS)
        elif sign == ",":
            await asyncio.sleep(self._chip.registers.s[8])
        elif sign == "!":
            await self._flash()
        elif sign == "W":
            await self._heard(ToneKind.DIAL, self._chip.registers.s[7])
        elif sign == "@":
            await asyncio.sleep(_QUIET_ANSWER_SECONDS)

    async def _dial_tone(self) -> str:
        """Wait for it, or blindly for S6 where X says so; the result that ends the attempt, or nothing."""
        if not self._chip.registers.waits_for_dial_tone:
            await asyncio.sleep(self._chip.registers.s[6])
            return ""
        heard = await self._heard(ToneKind.DIAL, _DIAL_TONE_PATIENCE_SECONDS)
        return "" if heard else self._chip.profile.no_dial_tone

    async def _heard(self, kind: ToneKind, patience_seconds: float) -> bool:
        """Whether a tone came in time."""
        try:
            async with asyncio.timeout(patience_seconds):
                while self._events.tone is not kind:
                    await self._events.tone_other_than(self._events.tone)
        except TimeoutError:
            return False
        return True

    async def _progress(self) -> str:
        """From the last digit to a result. "Answered" is inferred from ringback, as +VRA and +VRN say."""
        rang = False
        while True:
            tone_now = self._events.tone
            changed = await self._changed_within(tone_now, self._patience_seconds(tone_now, rang=rang))
            rang = rang or tone_now is ToneKind.RINGBACK
            if not changed:
                return self._verdict(tone_now)

    async def _changed_within(self, tone_now: ToneKind | None, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._events.tone_other_than(tone_now)
        except TimeoutError:
            return False
        return True

    def _patience_seconds(self, tone_now: ToneKind | None, *, rang: bool) -> float:
        """How long the line must stay as it is until that means something."""
        registers = self._chip.registers
        if tone_now in (ToneKind.BUSY, ToneKind.CONGESTION):
            return _BUSY_DETECT_SECONDS
        if tone_now is not None or not self._chip.in_voice:
            return registers.s[7]
        if rang:
            return registers.number("+VRA") / 10 if "+VRA" in registers.voice else 5.0
        never_came = registers.number("+VRN") if "+VRN" in registers.voice else 0
        return never_came or self._chip.profile.ringback_never_came_seconds or registers.s[7]

    def _verdict(self, tone_now: ToneKind | None) -> str:
        if tone_now in (ToneKind.BUSY, ToneKind.CONGESTION):
            return "BUSY"
        if tone_now is ToneKind.RINGBACK:
            return "NO ANSWER"
        if tone_now is None and self._chip.in_voice:
            return self._chip.profile.connected
        return "NO CARRIER"
