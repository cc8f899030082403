"""The ears of one call: whoever listens to what is received, for tones and keys, or for words."""

from __future__ import annotations

from collections.abc import Callable

from firmware.events import Sound
from firmware.modem.received_sound import PATIENT_PIECE_SECONDS, PROMPT_PIECE_SECONDS, ReceivedSound, WholeSamples
from firmware.pcm import SampleFormat
from firmware.ports import SpeechEar, ToneEar, ToneEarMaker


class Hearing:
    """Fresh for every reception. `heard` is told what a tone ear finds; the speech ear is of whoever asks for words."""

    def __init__(
        self, sample_format: SampleFormat, make_ear: ToneEarMaker | None, heard: Callable[[Sound], None]
    ) -> None:
        self._format = sample_format
        self._make_ear = make_ear
        self._heard = heard
        self._tone_ear: ToneEar | None = None
        self._words_wanted = False
        self._samples = WholeSamples(sample_format)
        self._sound = ReceivedSound(sample_format, self._hear, PROMPT_PIECE_SECONDS)
        self.speech_ear: SpeechEar | None = None

    @property
    def finds_tones(self) -> bool:
        """Whether an ear listens for keys and tones now."""
        return self._tone_ear is not None

    def begin(self, *, recording: bool) -> None:
        """Sound is about to come. A recording is not for the speech ear, and its ear may take its time."""
        self._words_wanted = not recording
        self._samples = WholeSamples(self._format)
        self._sound = ReceivedSound(
            self._format, self._hear, PATIENT_PIECE_SECONDS if recording else PROMPT_PIECE_SECONDS
        )
        self._tone_ear = None if self._make_ear is None else self._make_ear()

    def end(self) -> None:
        """No more sound."""
        self._tone_ear = None

    def whole(self, data: bytes) -> bytes:
        """Bytes of the line as whole samples; half of one waits for its other half."""
        return self._samples.feed(data)

    def audio(self, data: bytes) -> None:
        """Whole samples for whoever listens."""
        if self._tone_ear is not None or (self.speech_ear is not None and self._words_wanted):
            self._sound.audio(data)

    def audio_ended(self) -> None:
        """What was collected is all there is."""
        self._sound.pass_on()

    def _hear(self, s16: bytes) -> None:
        if self.speech_ear is not None and self._words_wanted:
            self.speech_ear.hear(s16)
        for sound in self._tone_ear.hear(s16) if self._tone_ear is not None else ():
            self._heard(sound)
