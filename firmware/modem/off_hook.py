"""A line off hook: `ports.VoiceLine` over one modem."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from firmware.errors import CallerGone, UnsupportedModem
from firmware.modem.answering import answer_again
from firmware.modem.call_state import CallState
from firmware.modem.codec_choice import Codec
from firmware.modem.profile import Profile
from firmware.modem.prompts import Block, PromptCache
from firmware.modem.streams import Duplex, Reception, StreamContext, Transmission
from firmware.modem.taking import Taking
from firmware.modem.tone import tone_clip
from firmware.pcm import SampleFormat
from firmware.ports import AudioSink, Clip, RecordLimits, SpeechEar, Take, ToneEarMaker
from firmware.units import samples_to_seconds

OFF_HOOK_LABEL = 1
_TICKS_PER_SECOND = 100
# +VTS takes at most 255 ticks an element on Conexant (modem-reference 8).
_LONGEST_TICKS = 255
_TONE_ANSWER_SECONDS = 2.0
# Entering and leaving voice data costs more than so short a wait is worth.
_SHORTEST_LISTENING_SECONDS = 0.3
_PLAY_SLACK_SECONDS = 5.0
_SAMPLE_BYTES_S16 = 2


@dataclass(frozen=True, slots=True)
class VoiceSetup:
    """What the modem was found to be, as far as a call needs it."""

    profile: Profile
    codec: Codec
    codec_command: str
    flash_milliseconds: int
    ear: ToneEarMaker | None


class OffHookLine:
    """One call. `state` is what the line's events change meanwhile."""

    def __init__(self, context: StreamContext, setup: VoiceSetup, prompts: PromptCache) -> None:
        self._context = context
        self._dialogue = context.dialogue
        self._bell = context.bell
        self._setup = setup
        self._profile = setup.profile
        self._prompts = prompts
        self._loop = asyncio.get_running_loop()
        self._label = OFF_HOOK_LABEL
        self._answered_again = 0
        self.state = CallState(setup.profile, context, setup.ear)

    @property
    def sample_format(self) -> SampleFormat:
        """How recordings of this line are written."""
        return self._setup.codec.sample_format

    @property
    def waiting_keys(self) -> str:
        """Keys pressed and not taken yet."""
        return self.state.keys

    def forget_keys(self) -> None:
        """Drop the waiting keys."""
        self.state.keys = ""

    # --- speaking ---

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> bool:
        """Speak the clips without a gap; see `ports.VoiceLine`."""
        while True:
            await self._ready()
            if barge_in and self.state.keys:
                return False
            if not any(clip.s16 for clip in clips):
                return True
            said = await self._transmit(clips, barge_in)
            if not self.state.rings_on:
                self._raise_if_gone()
                return said
            # Nobody heard it: the line went on ringing. Answer again, and begin again.

    async def beep(self, frequency_hz: int = 1000, seconds: float = 0.4) -> None:
        """A tone of the modem's own making, or a played one where it makes none."""
        await self._ready()
        ticks = min(_LONGEST_TICKS, round(seconds * _TICKS_PER_SECOND))
        command = "AT+VTS=" + self._profile.tone.format(hz=frequency_hz, ticks=ticks)
        if await self._dialogue.optional(command, seconds + _TONE_ANSWER_SECONDS) is None:
            await self.play([tone_clip(frequency_hz, seconds)], barge_in=False)
        self._raise_if_gone()

    async def flash(self) -> None:
        """A hook flash. Raises: UnsupportedModem where the modem makes none."""
        await self._ready()
        ticks = max(1, self._setup.flash_milliseconds // 10)
        for command in self._profile.flash:
            if await self._dialogue.optional(command.format(ticks=ticks)) is not None:
                return
        raise UnsupportedModem("this modem makes no hook flash: it refused every form of it; use another for transfers")

    # --- listening ---

    @contextmanager
    def hearing(self, ear: SpeechEar) -> Iterator[None]:
        """While inside, `take_key` gives the sound of the line to the ear; see `ports.VoiceLine`."""
        self.state.hearing.speech_ear = ear
        try:
            yield
        finally:
            self.state.hearing.speech_ear = None

    async def take_key(self, timeout_seconds: float) -> str | None:
        """The next key; see `ports.VoiceLine`."""
        deadline = self._loop.time() + timeout_seconds
        while True:
            await self._ready(listening=True)
            rest = deadline - self._loop.time()
            if self.state.keys or rest <= 0:
                return self.state.take_key()
            if self.state.reception is None and self._worth_listening(rest):
                await self._listen()
            if self.state.reception is None:
                await self._bell.wait_until(self._something_came, rest)
            else:
                await self._hear_on(self.state.reception, deadline)

    async def record(self, sink: AudioSink, limits: RecordLimits) -> Take:
        """Record; see `ports.VoiceLine`."""
        await self._ready()
        await self._use_label(self._profile.record_label)
        stream = Reception(self._context, hurried=False)
        return await Taking(self._context, self.state, stream).run(sink, limits)

    async def duplex(self, clips: Sequence[Clip], sink: AudioSink, limits: RecordLimits) -> Take:
        """Speak and record at once, until all is said, an end key is pressed or the caller hangs up.

        The take's end is TIME_LIMIT when all was said. The prompt is audible in the recording: these modems cancel no
        echo (modem-reference 6.5). Raises: UnsupportedModem where the chipset has no +VTR.
        """
        if not self._profile.duplex:
            raise UnsupportedModem(f"{self._profile.title} cannot speak and listen at once; use `play` and `record`")
        await self._ready()
        stream = Duplex(self._context, self._blocks(clips))
        return await Taking(self._context, self.state, stream).run(sink, limits)

    # --- for the line ---

    async def leave_streams(self) -> None:
        """Back to command state from whatever was going on. Raises: ModemError, PortError."""
        state = self.state
        state.recorder = None
        if state.transmission is not None:
            await state.transmission.settle()
            state.transmission = None
        if state.reception is not None:
            await state.reception.settle()
        state.end_reception()

    async def select_codec(self) -> None:
        """Raises: ModemError, PortError."""
        await self._dialogue.command(self._setup.codec_command)

    # --- parts ---

    async def _ready(self, *, listening: bool = False) -> None:
        """In command state, off hook, and with somebody at the other end.

        `listening`: an open reception may stay, so that no sound is missed from one key to the next.
        """
        if not (listening and self._listens()):
            await self.leave_streams()
        if self._dialogue.mute:
            # Whoever only waits would not notice that nobody is there any more.
            await self._dialogue.resynchronise()
        if self.state.rings_on:
            await answer_again(self._dialogue, self._answered_again)
            self._answered_again += 1
            self.state.off_hook()
        self._raise_if_gone()

    def _raise_if_gone(self) -> None:
        if self._dialogue.lost is not None:
            raise self._dialogue.lost
        if self.state.evidence is not None:
            raise CallerGone(self.state.evidence.value)

    def _blocks(self, clips: Sequence[Clip]) -> Iterator[Block]:
        return self._prompts.blocks(clips, self.sample_format)

    async def _transmit(self, clips: Sequence[Clip], barge_in: bool) -> bool:
        await self._use_label(OFF_HOOK_LABEL)
        samples = sum(len(clip.s16) for clip in clips) // _SAMPLE_BYTES_S16
        transmission = Transmission(self._context, self._blocks(clips))
        self.state.transmission, self.state.barge_in = transmission, barge_in
        await transmission.run(samples_to_seconds(samples) + _PLAY_SLACK_SECONDS)
        self.state.transmission = None
        return not transmission.was_cut

    def _listens(self) -> bool:
        """Whether a reception is open, and is of use as it is."""
        state = self.state
        return state.reception is not None and state.reception.flows and not state.rings_on and state.evidence is None

    def _worth_listening(self, rest_seconds: float) -> bool:
        if rest_seconds <= _SHORTEST_LISTENING_SECONDS:
            return False
        return self.state.hearing.speech_ear is not None or not self._profile.keys_in_command_state

    async def _listen(self) -> None:
        """Voice data without keeping the audio: there every modem reports keys and tones."""
        await self._use_label(self._profile.record_label)
        reception = Reception(self._context)
        self.state.begin_reception(reception)
        await reception.open()

    async def _hear_on(self, reception: Reception, deadline: float) -> None:
        """Until a key, a hang-up, the end of the sound, or the deadline; a sound that stalls is left."""
        received_bytes, stalled = self._dialogue.received_bytes, self._context.timings.stalled
        rest = max(0.0, deadline - self._loop.time())
        came = await self._bell.wait_until(lambda: self._something_came() or reception.over, min(rest, stalled))
        if not came and rest >= stalled and self._dialogue.received_bytes == received_bytes:
            await self.leave_streams()

    def _something_came(self) -> bool:
        return self.state.something_came() or self._dialogue.lost is not None

    async def _use_label(self, label: int) -> None:
        if label != self._label:
            # A refusal leaves the line as it is, which most modems record from as well.
            await self._dialogue.optional(f"AT+VLS={label}")
            self._label = label
