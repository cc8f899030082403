"""What is known of a call in progress, kept up to date on the wire's own call stack: keys, hang-up, the open stream."""

from __future__ import annotations

import asyncio

from firmware.events import HangUpEvidence, KeyHeard, LineTone, Sound
from firmware.modem.dtmf import KeyReader
from firmware.modem.far_end import FarEndJudge
from firmware.modem.hearing import Hearing
from firmware.modem.key_merge import KeyMerge
from firmware.modem.profile import Profile
from firmware.modem.recording import Recorder
from firmware.modem.streams import Reception, StreamContext, Transmission
from firmware.ports import Take, ToneEarMaker
from firmware.units import seconds_to_samples

_MOST_KEYS = 64
_UNDERRUN, _OVERRUN = ord("u"), ord("o")
_TONE_BEGAN, _TONE_ENDED = ord("/"), ord("~")
# Every code that some chipset documents (modem-reference 7); the rest is noise, and is only counted.
_KNOWN_CODES = frozenset(b"abcdefimEhHpPlLqsrRouQStvVwJK$XTYMWFUG.\x03")
# Ringback is none: it tells of a far end that is still to come.
_HANG_UP_TONES = {
    LineTone.BUSY: HangUpEvidence.BUSY_TONE,
    LineTone.CONGESTION: HangUpEvidence.CONGESTION_TONE,
    LineTone.DIAL: HangUpEvidence.DIAL_TONE,
}
# A modem takes a moment until its first samples are those of the line; a key down by then was pressed before.
_START_SAMPLES = seconds_to_samples(0.1)


class CallState:
    """One call. Barge-in and hang-up silence the line here and now; whoever waits is woken for the rest."""

    def __init__(self, profile: Profile, context: StreamContext, make_ear: ToneEarMaker | None) -> None:
        self._profile = profile
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._key_reader = KeyReader(profile.key_form)
        self._merge = KeyMerge()
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
        self.hearing = Hearing(context.sample_format, make_ear, self._heard)
        self.unknown_codes = 0
        self.underruns = 0
        self.overruns = 0

    def off_hook(self) -> None:
        """The line is (again) off hook, as of now."""
        self._off_hook_at = self._loop.time()
        self.judge = FarEndJudge(self._profile.hang_up, self._off_hook_at)
        self.rings_on = False

    def troubles(self) -> dict[str, int]:
        """What the modem complained of, and what it said that nobody knows: how often each; nothing is left out."""
        counts = {"underruns": self.underruns, "overruns": self.overruns, "unknown_codes": self.unknown_codes}
        return {name: count for name, count in counts.items() if count}

    def something_came(self) -> bool:
        """Whether there is anything to act on."""
        return bool(self.keys or self.evidence or self.rings_on)

    def take_key(self) -> str | None:
        """The oldest waiting key."""
        if not self.keys:
            return None
        key, self.keys = self.keys[0], self.keys[1:]
        return key

    def begin_reception(self, reception: Reception, recorder: Recorder | None = None) -> None:
        """Sound is about to come: fresh ears for it."""
        self.reception, self.recorder = reception, recorder
        self.hearing.begin(recording=recorder is not None)

    def end_reception(self) -> None:
        """Command state again."""
        self.reception = self.recorder = None
        self.hearing.end()

    # --- from the modem ---

    def dle_code(self, code: int) -> None:
        """One code. What means nothing is ignored."""
        now = self._loop.time()
        key = self._key_reader.feed(code, now)
        if key is not None:
            self._key_told(key, now)
        elif code in (_TONE_BEGAN, _TONE_ENDED):
            self._key_tone(began=code == _TONE_BEGAN)
        elif code in (_UNDERRUN, _OVERRUN):
            self._count(code)
        else:
            self._weigh(code, now)

    def audio(self, data: bytes) -> None:
        """Samples."""
        data = self.hearing.whole(data)
        self._context.tap.caller_said(data, self._context.sample_format)
        if self.recorder is not None:
            self.recorder.audio(data)
        self.hearing.audio(data)

    def audio_ended(self) -> None:
        """The modem ended its audio."""
        self.hearing.audio_ended()
        if self.reception is not None:
            self.reception.audio_ended()

    def ring(self) -> None:
        """A ring, though we are off hook: the line took no notice, or has lost the call and rings with the next."""
        if self._loop.time() - self._off_hook_at < self._context.timings.off_hook_settles:
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
        self._context.bell.ring()

    # --- parts ---

    def _heard(self, sound: Sound) -> None:
        if isinstance(sound, KeyHeard):
            self._key_heard(sound)
        elif sound.tone in _HANG_UP_TONES:
            self._far_end_gone(_HANG_UP_TONES[sound.tone], sound.began_at_samples)

    def _key_told(self, key: str, now: float) -> None:
        if not self._merge.told(key, now, ear_listens=self.hearing.finds_tones):
            return
        if self.recorder is not None:
            self.recorder.key(key)
        self._key(key)

    def _key_heard(self, sound: KeyHeard) -> None:
        from_start = sound.began_at_samples <= _START_SAMPLES
        new = self._merge.heard(sound.key, self._loop.time(), from_start=from_start)
        if self.recorder is not None:
            found = self.recorder.key_heard if new else self.recorder.key_found
            found(sound.key, sound.began_at_samples)
        if new:
            self._key(sound.key)

    def _key(self, key: str) -> None:
        self.proved = True
        if self.recorder is not None:
            return
        self.keys = (self.keys + key)[:_MOST_KEYS]
        if self.barge_in and self.transmission is not None:
            self.transmission.cut()
        self._context.bell.ring()

    def _key_tone(self, *, began: bool) -> None:
        if not began:
            self._merge.released()
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
        if recorder is not None and recorder.levels.voice_lately:
            self.judge.voice_heard()
        # An ear knows tones better than the modem, and will have told soon; a modem that repeats itself is believed.
        nobody_spoke = recorder is not None and recorder.levels.nobody_spoke_lately and not self.hearing.finds_tones
        evidence = self.judge.feed(code, now, nobody_spoke=nobody_spoke)
        if evidence is not None:
            self._far_end_gone(evidence)

    def _far_end_gone(self, evidence: HangUpEvidence, tone_began_at_samples: int | None = None) -> None:
        self.evidence = self.evidence or evidence
        if self.recorder is not None:
            self.recorder.far_end_gone(evidence, tone_began_at_samples)
        self.stop_streams()
