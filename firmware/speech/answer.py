"""One utterance inside the worker: samples in, what became certain out."""

from __future__ import annotations

from firmware.speech.endpointing import Endpointer, WordsBegan
from firmware.speech.engine import Decoded, Decoder
from firmware.speech.messages import Began, Ended, Heard, Progress, Reply
from firmware.units import seconds_to_samples

# Engines want a little silence before the first word (speech-reference 2).
_LEAD_SAMPLES = seconds_to_samples(0.3)
# Told this often, the other side sees soon enough that we cannot keep up.
_PROGRESS_SAMPLES = seconds_to_samples(0.25)


class _Counting:
    """Tells from time to time how many samples are done with."""

    def __init__(self, utterance: int) -> None:
        self._utterance = utterance
        self._samples = 0
        self._told = 0

    def count(self, samples: int) -> list[Reply]:
        self._samples += samples
        if self._samples - self._told < _PROGRESS_SAMPLES:
            return []
        self._told = self._samples
        return [Progress(self._utterance, self._samples)]


class Answer:
    """A short answer: the decoder is fed from shortly before the words to the end of the silence after them."""

    def __init__(self, utterance: int, decoder: Decoder, endpointer: Endpointer) -> None:
        self._utterance = utterance
        self._decoder = decoder
        self._endpointer = endpointer
        self._counting = _Counting(utterance)
        self._lead = b""
        self._speaking = False
        self._heard_samples = 0

    def hear(self, s16: bytes) -> list[Reply]:
        """The next samples. Raises: SpeechError."""
        if self._endpointer.over:
            return []
        self._heard_samples += len(s16) // 2
        replies: list[Reply] = []
        for found in self._endpointer.hear(s16):
            if isinstance(found, WordsBegan):
                self._speaking = True
                replies.append(Began(self._utterance, found.sample))
            else:
                replies.append(Ended(self._utterance, found.sample, self._heard_samples))
        self._feed(s16)
        return [*replies, *self._counting.count(len(s16) // 2)] if not self._endpointer.over else replies

    def finish(self) -> list[Reply]:
        """The result, once the words have ended. Raises: SpeechError."""
        decoded = self.decoded()
        return [Heard(self._utterance, decoded.text, decoded.confidence)]

    def decoded(self) -> Decoded:
        """The result as the engine gives it, once. Raises: SpeechError."""
        return self._decoder.finish()

    @property
    def over(self) -> bool:
        """Whether the words have ended, so that `finish` is due."""
        return self._endpointer.over

    def _feed(self, s16: bytes) -> None:
        self._lead += s16
        if self._speaking:
            self._decoder.feed(self._lead)
            self._lead = b""
        else:
            # What the end-pointer needs to become certain has passed before the words are known to have begun.
            self._lead = self._lead[-2 * (_LEAD_SAMPLES + self._endpointer.longest_doubt_samples) :]


class Dictation:
    """Free speech: all of it is fed, and the end is told from outside."""

    over = False

    def __init__(self, utterance: int, decoder: Decoder) -> None:
        self._utterance = utterance
        self._decoder = decoder
        self._counting = _Counting(utterance)

    def hear(self, s16: bytes) -> list[Reply]:
        """The next samples. Raises: SpeechError."""
        self._decoder.feed(s16)
        return self._counting.count(len(s16) // 2)

    def finish(self) -> list[Reply]:
        """What was said. Raises: SpeechError."""
        decoded = self._decoder.finish()
        return [Heard(self._utterance, decoded.text, decoded.confidence)]
