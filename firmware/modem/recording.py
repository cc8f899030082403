"""Takes a recording while it grows, decides when it ends and where a clean message ends. Pure."""

from __future__ import annotations

from collections.abc import Callable

from firmware.errors import DiskFull, StorageError
from firmware.events import HangUpEvidence, RecordingEnd
from firmware.modem.sound_levels import SoundLevels, SteadySound
from firmware.pcm import SampleFormat
from firmware.ports import AudioSink, RecordLimits, Take
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

# The sink may hand each piece to another thread, which costs as much as measuring it.
_PIECE_SAMPLES = seconds_to_samples(0.2)
# A modem reports a tone once it has heard some of it (DTMF is valid after 40 ms); the finger came before.
_BEFORE_TONE_SAMPLES = seconds_to_samples(0.06)
_BEFORE_LONE_KEY_SAMPLES = seconds_to_samples(0.1)
_TONES = frozenset({HangUpEvidence.BUSY_TONE, HangUpEvidence.CONGESTION_TONE, HangUpEvidence.DIAL_TONE})


class Recorder:
    """Passes samples on to the sink. `ended` is called once, when the recording has to stop."""

    def __init__(
        self, sink: AudioSink, limits: RecordLimits, sample_format: SampleFormat, ended: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._limits = limits
        self._format = sample_format
        self._ended = ended
        self._unwritten = bytearray()
        self._received_bytes = 0
        self._refused = False
        self._tone_began_at: int | None = None
        self._kept_samples: int | None = None
        self._evidence: HangUpEvidence | None = None
        self.levels = SoundLevels(sample_format, limits.silence_below_dbfs)
        self.end: RecordingEnd | None = None

    @property
    def total_samples(self) -> int:
        """Samples taken so far."""
        return self._received_bytes // self._format.sample_bytes

    def audio(self, data: bytes) -> None:
        """Samples from the modem; after the end they still go to the sink, as the rest of its buffer."""
        if not self._refused:
            self._received_bytes += len(data)
            self._unwritten += data
            if len(self._unwritten) >= _PIECE_SAMPLES * self._format.sample_bytes:
                self.flush()
        if self.end is None:
            self.levels.audio(data)
            self._check_limits()

    def flush(self) -> None:
        """Give the sink what it was not given yet."""
        data = bytes(self._unwritten)
        self._unwritten.clear()
        try:
            if data:
                self._sink.write(data)
        except StorageError as error:
            # A disk that fails or turned read-only is no better than a full one: what was taken before counts.
            self._refused = True
            self._received_bytes -= len(data)
            self.finish(RecordingEnd.DISK_FULL if isinstance(error, DiskFull) else RecordingEnd.FAULT)

    def tone_began(self) -> None:
        """The modem hears what may become a key."""
        self._tone_began_at = self.total_samples

    def tone_ended(self) -> None:
        """It is over."""
        self._tone_began_at = None

    def key(self, key: str) -> None:
        """A key was pressed; an end key ends the recording before its own sound."""
        if key not in self._limits.end_keys:
            return
        if self._tone_began_at is not None:
            cut = self._tone_began_at - _BEFORE_TONE_SAMPLES
        else:
            cut = self.total_samples - _BEFORE_LONE_KEY_SAMPLES
        self.finish(RecordingEnd.KEY, cut_samples=max(0, cut))

    def key_heard(self, key: str, began_at_samples: int) -> None:
        """A key that the modem has not told of was found in the sound."""
        if key in self._limits.end_keys:
            self.finish(RecordingEnd.KEY, cut_samples=began_at_samples)

    def key_found(self, key: str, began_at_samples: int) -> None:
        """A key that the modem has told of was found in the sound: that place is better than a guess."""
        if self.end is RecordingEnd.KEY and key in self._limits.end_keys:
            self._keep(began_at_samples)

    def far_end_gone(self, evidence: HangUpEvidence, tone_began_at_samples: int | None = None) -> None:
        """The caller hung up. A tone that told so is cut off: from where it is known to begin, or by its level."""
        cut = self.total_samples if tone_began_at_samples is None else tone_began_at_samples
        if evidence in _TONES and tone_began_at_samples is None:
            cut = self.levels.before_tone()
        self._evidence = evidence if self.end is None else self._evidence
        self.finish(RecordingEnd.HANG_UP, cut_samples=max(0, cut))

    def finish(self, end: RecordingEnd, cut_samples: int | None = None) -> None:
        """End it, unless it has ended."""
        if self.end is not None:
            return
        self.end = end
        self._keep(self.total_samples if cut_samples is None else cut_samples)
        self._ended()

    def take(self) -> Take:
        """What came of it, once the sink has all of it."""
        self.flush()
        kept = self.total_samples if self._kept_samples is None else min(self._kept_samples, self.total_samples)
        return Take(
            end=self.end or RecordingEnd.INTERRUPTED,
            total_samples=self.total_samples,
            kept_samples=kept,
            voiced=self.levels.voiced_before(kept),
            evidence=self._evidence,
        )

    def _keep(self, cut: int) -> None:
        self._kept_samples = min(cut, self.total_samples, self.levels.before_silence(cut))

    def _check_limits(self) -> None:
        if self.total_samples >= self._limits.longest_seconds * SAMPLE_RATE_HZ:
            self.finish(RecordingEnd.TIME_LIMIT)
        elif self.levels.silent_seconds >= self._limits.silence_seconds:
            self.finish(RecordingEnd.SILENCE)
        else:
            self._judge_steady_sound()

    def _judge_steady_sound(self) -> None:
        """A tone of the exchange is a hang-up that nobody reported; steady noise is what silence is here."""
        sound = self.levels.steady_sound(self._limits.silence_seconds)
        if sound is SteadySound.BROKEN_TONE:
            self.far_end_gone(HangUpEvidence.BUSY_TONE)
        elif sound is SteadySound.UNBROKEN_TONE:
            self.far_end_gone(HangUpEvidence.DIAL_TONE)
        elif sound is SteadySound.NOISE:
            self.finish(RecordingEnd.SILENCE, cut_samples=self.levels.before_tone())
