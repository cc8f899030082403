"""What a modem hears on the line besides speech, and the codes by which it tells (modem-reference 7, 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.simulation.loop import ToneKind
from firmware.simulation.modem.chip import Chip, Mode, Repeater

# ITU-T Q.24: a key shorter than this need not be recognised.
_KEY_DETECT_SECONDS = 0.04
# The digit's code is repeated about this often while the key is down (V.253; modem-reference 7).
_KEY_REPEAT_SECONDS = 0.07
# Time to be sure: two cycles of a cadence, or a long enough steady tone.
_DETECT_SECONDS = {ToneKind.BUSY: 1.5, ToneKind.CONGESTION: 1.5, ToneKind.DIAL: 2.0, ToneKind.RINGBACK: 1.0}
_BUSY_REPEAT_SECONDS = 4.0
_RINGBACK_REPEAT_SECONDS = 5.0

# -STE bits (modem-reference 10).
_STE_EXTENSION = 2
_STE_LOOP = 4


class LineEvents:
    """Turns signals of the line into codes. `ended` is told of those that a modem may end a recording for."""

    def __init__(self, chip: Chip, before_tone_code: Callable[[], None], ended: Callable[[], None]) -> None:
        self.tone: ToneKind | None = None
        self.extension_lifted = False
        self._tone_changed = asyncio.Event()
        self._chip = chip
        self._before_tone_code = before_tone_code
        self._ended = ended
        self._key = ""
        self._key_told = False
        self._key_repeat = Repeater(self._tell_key)
        self._tone_repeat = Repeater(self._tell_tone)

    def reset(self) -> None:
        """As after power-on, on hook, or in another class: nothing is being heard."""
        self._key = ""
        self._key_repeat.stop()
        self._tone_repeat.stop()

    def key_down(self, key: str) -> None:
        """A DTMF tone began."""
        self._key, self._key_told = key, False
        single = self._chip.faults.single_code_dtmf or not self._chip.profile.dtmf_span
        self._key_repeat.start(_KEY_DETECT_SECONDS, 0.0 if single else _KEY_REPEAT_SECONDS)

    def key_up(self, key: str) -> None:
        """It ended; one too short was never told."""
        if key != self._key:
            return
        span_open = self._key_told and self._key_repeat.running
        self._key_repeat.stop()
        self._key = ""
        if span_open:
            self._event("~")

    def tone_on(self, kind: ToneKind) -> None:
        """A tone of the exchange, cadence and all."""
        self._change_tone(kind)
        period = _RINGBACK_REPEAT_SECONDS if kind is ToneKind.RINGBACK else _BUSY_REPEAT_SECONDS
        if kind is ToneKind.DIAL:
            period = self._chip.profile.dial_repeat_seconds
        self._tone_repeat.start(_DETECT_SECONDS[kind], period)

    def tone_off(self) -> None:
        """It ended."""
        self._change_tone(None)
        self._tone_repeat.stop()

    async def tone_other_than(self, kind: ToneKind | None) -> None:
        """Wait until the line carries another tone, or none, than this."""
        while self.tone is kind:
            self._tone_changed.clear()
            await self._tone_changed.wait()

    def loop_break(self) -> None:
        """Loop current was interrupted."""
        self._hang_up_sign(self._chip.profile.codes.loop_break)

    def polarity_reversed(self) -> None:
        """Tip and ring changed places."""
        self._hang_up_sign(self._chip.profile.codes.polarity)

    def extension_hook(self, *, lifted: bool) -> None:
        """Another telephone on the pair."""
        self.extension_lifted = lifted
        codes = self._chip.profile.codes
        if self._ste(_STE_EXTENSION):
            self._event(codes.extension_lifted if lifted else codes.extension_down)

    def quiet(self, after_voice: bool) -> None:
        """Silence of the length that `+VSD` set."""
        codes = self._chip.profile.codes
        self._event(codes.quiet if after_voice else codes.silence)
        self._ended()

    def _hang_up_sign(self, code: str) -> None:
        if code and self._ste(_STE_LOOP):
            self._event(code)
            self._ended()

    def _ste(self, bit: int) -> bool:
        return not self._chip.profile.ste_gates_events or bool(self._chip.registers.number("-STE") & bit)

    def _change_tone(self, kind: ToneKind | None) -> None:
        self.tone = kind
        self._tone_changed.set()

    def _tell_key(self) -> None:
        if not self._key_told:
            single = self._chip.faults.single_code_dtmf or not self._chip.profile.dtmf_span
            self._event(self._key if single else "/" + self._key)
            self._key_told = True
        else:
            self._event(self._key)

    def _tell_tone(self) -> None:
        code = self._tone_code()
        if not code or not self._reports():
            return
        if self._chip.profile.codes_after_audio:
            self._before_tone_code()
        self._event(code)
        if self.tone is not ToneKind.RINGBACK:
            self._ended()

    def _tone_code(self) -> str:
        codes = self._chip.profile.codes
        by_tone = {
            ToneKind.BUSY: codes.busy,
            ToneKind.CONGESTION: codes.congestion,
            ToneKind.DIAL: codes.dial,
            ToneKind.RINGBACK: codes.ringback,
        }
        return by_tone[self.tone] if self.tone is not None else ""

    def _reports(self) -> bool:
        """Codes exist in class 8 and off hook only; while dialling they become a result instead."""
        chip = self._chip
        return chip.in_voice and chip.off_hook and chip.mode is not Mode.DIALLING and not chip.hung

    def _event(self, code: str) -> None:
        key_code = code[:1] in "/~0123456789*#ABCD"
        if code and self._reports() and (self._chip.keys_reported or not key_code):
            self._chip.outlet.event(code)
