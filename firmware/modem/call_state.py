"""What is known of a call in progress, kept up to date on the wire's own call stack: keys, hang-up, the open stream."""

from __future__ import annotations

import asyncio

from firmware.events import HangUpEvidence
from firmware.modem.dtmf import KeyReader
from firmware.modem.far_end import FarEndJudge
from firmware.modem.options import Timings
from firmware.modem.profile import Profile
from firmware.modem.recording import Recorder
from firmware.modem.streams import Reception, Transmission
from firmware.modem.waking import Bell
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import SpeechEar, Take

_MOST_KEYS = 64
_UNDERRUN, _OVERRUN = ord("u"), ord("o")
_TONE_BEGAN, _TONE_ENDED = ord("/"), ord("~")
# Every code that some chipset documents (modem-reference 7); the rest is noise, and is only counted.
_KNOWN_CODES = frozenset(b"abcdefimEhHpPlLqsrRouQStvVwJK$XTYMWFUG.\x03")


class CallState:
    """One call. Barge-in and hang-up silence the line here and now; whoever waits is woken for the rest."""

    def __init__(self, profile: Profile, timings: Timings, bell: Bell, sample_format: SampleFormat) -> None:
        self._profile = profile
        self._format = sample_format
        self._timings = timings
        self._bell = bell
        self._loop = asyncio.get_running_loop()
        self._key_reader = KeyReader(profile.key_form)
        self._off_hook_at = 0.0
        self.judge = FarEndJudge(profile.hang_up, 0.0)
        self.off_hook()
        self.keys = ""
        self.evidence: HangUpEvidence | None = None
        self.rings_on = False
        # Whether anything has come from the far end yet: until then, the line may not have noticed that we answered.
        self.proved = False
        self.barge_in = False
        self.transmission: Transmission | None = None
        self.reception: Reception | None = None
        self.recorder: Recorder | None = None
        self.ear: SpeechEar | None = None
        self.unknown_codes = 0
        self.underruns = 0
        self.overruns = 0

    def off_hook(self) -> None:
        """The line is (again) off hook, as of now."""
        self._off_hook_at = self._loop.time()
        self.judge = FarEndJudge(self._profile.hang_up, self._off_hook_at)
        self.rings_on = False

    def something_came(self) -> bool:
        """Whether there is anything to act on."""
        return bool(self.keys or self.evidence or self.rings_on)

    def take_key(self) -> str | None:
        """The oldest waiting key."""
        if not self.keys:
            return None
        key, self.keys = self.keys[0], self.keys[1:]
        return key

    # --- from the modem ---

    def dle_code(self, code: int) -> None:
        """One code. What means nothing is ignored."""
        now = self._loop.time()
        key = self._key_reader.feed(code, now)
        if key is not None:
            self._key(key)
        elif code in (_TONE_BEGAN, _TONE_ENDED):
            self._key_tone(began=code == _TONE_BEGAN)
        elif code in (_UNDERRUN, _OVERRUN):
            self._count(code)
        else:
            self._weigh(code, now)

    def audio(self, data: bytes) -> None:
        """Samples."""
        if self.recorder is not None:
            self.recorder.audio(data)
        elif self.ear is not None:
            self.ear.hear(decode_to_s16(data, self._format))

    def audio_ended(self) -> None:
        """The modem ended its audio."""
        if self.reception is not None:
            self.reception.audio_ended()

    def ring(self) -> None:
        """A ring, though we are off hook: the line took no notice, or has lost the call and rings with the next."""
        if self._loop.time() - self._off_hook_at < self._timings.off_hook_settles:
            return
        if self.proved:
            self._far_end_gone(HangUpEvidence.RING_AGAIN)
        else:
            self.rings_on = True
            self.stop_streams()

    def taken(self, take: Take) -> None:
        """A recording is over."""
        self.proved = self.proved or take.voiced
        self.evidence = self.evidence or take.evidence

    def stop_streams(self) -> None:
        """End whatever streams, and wake who waits for it."""
        if self.transmission is not None:
            self.transmission.cut()
        if self.reception is not None:
            self.reception.stop()
        self._bell.ring()

    # --- parts ---

    def _key(self, key: str) -> None:
        self.proved = True
        if self.recorder is not None:
            self.recorder.key(key)
            return
        self.keys = (self.keys + key)[:_MOST_KEYS]
        if self.barge_in and self.transmission is not None:
            self.transmission.cut()
        self._bell.ring()

    def _key_tone(self, *, began: bool) -> None:
        if self.recorder is None:
            return
        if began:
            self.recorder.tone_began()
        else:
            self.recorder.tone_ended()

    def _count(self, code: int) -> None:
        if code == _OVERRUN:
            self.overruns += 1
        elif self.transmission is not None:
            self.underruns += 1

    def _weigh(self, code: int, now: float) -> None:
        if code not in _KNOWN_CODES:
            self.unknown_codes += 1
            return
        recorder = self.recorder
        if recorder is not None and recorder.voice_lately:
            self.judge.voice_heard()
        nobody_spoke = recorder is not None and recorder.nobody_spoke_lately
        evidence = self.judge.feed(code, now, nobody_spoke=nobody_spoke)
        if evidence is not None:
            self._far_end_gone(evidence)

    def _far_end_gone(self, evidence: HangUpEvidence) -> None:
        self.evidence = self.evidence or evidence
        if self.recorder is not None:
            self.recorder.far_end_gone(evidence)
        self.stop_streams()
