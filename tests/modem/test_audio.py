"""Codec choice, prepared prompts, pacing, and where a recording ends."""

from __future__ import annotations

import asyncio
import math
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DiskFull, StorageError
from firmware.events import HangUpEvidence, RecordingEnd
from firmware.modem.codec_choice import Codec, choose_codec, parse_codecs
from firmware.modem.dle import shield
from firmware.modem.line_tones import is_exchange_tone
from firmware.modem.pacing import Pacer
from firmware.modem.prompts import Block, PromptCache
from firmware.modem.recording import Recorder
from firmware.modem.tail import tone_blocks_at_end, voiced
from firmware.modem.tone import tone_clip
from firmware.pcm import SampleFormat, encode_s16
from firmware.ports import Clip, RecordLimits
from firmware.simulation.voices import babble

LIMITS = RecordLimits(longest_seconds=60, silence_seconds=5, silence_below_dbfs=-38)

# --- codec ---

CONEXANT = (
    '0,"SIGNED PCM",8,0,8000,0,0',
    '1,"UNSIGNED PCM",8,0,8000,0,0',
    '129,"IMA ADPCM",4,0,8000,0,0',
    '130,"UNSIGNED PCM",8,0,8000,0,0',
    '140,"2 Bit ADPCM",2,0,8000,0,0',
)
AGERE = (
    '128,"8-BIT LINEAR",8,0,7200,8000,11025,0,0',
    '129,"16-BIT LINEAR",16,0,(7200,8000,11025),0,0',
    '130,"8-BIT ALAW",8,0,8000,0,0',
    '131,"8-BIT ULAW",8,0,8000,0,0',
)


@pytest.mark.parametrize(
    ("answer", "codec"),
    [
        (CONEXANT, Codec(1, SampleFormat.U8)),
        (AGERE, Codec(128, SampleFormat.U8)),
        (AGERE[1:], Codec(129, SampleFormat.S16)),
        (AGERE[2:], Codec(131, SampleFormat.ULAW)),
        (AGERE[2:3], Codec(130, SampleFormat.ALAW)),
        (CONEXANT[:1], Codec(0, SampleFormat.S8)),
        (("+VSM: 130,UNSIGNED PCM,8,0,8000,127,0",), Codec(130, SampleFormat.U8)),
        (('1,"UNSIGNED PCM",8,0,(7200-11025),0,0',), Codec(1, SampleFormat.U8)),
        (('4,"G.711 MU-LAW",8,0,8000,0,0', '5,"G.711 A-LAW",8,0,8000,0,0'), Codec(4, SampleFormat.ULAW)),
        (('1,"UNSIGNED PCM",8,0,7200,0,0',), None),
        (("ERROR", "", '3,"G.729A",1,0,8000,0,0'), None),
    ],
)
def test_the_codec_is_chosen_by_name_and_bits(answer: tuple[str, ...], codec: Codec | None) -> None:
    assert choose_codec(answer) == codec


@given(st.lists(st.text()))
def test_an_arbitrary_answer_never_raises(answer: list[str]) -> None:
    parse_codecs(answer)


# --- prompts ---


@given(st.binary(max_size=5000), st.sampled_from(SampleFormat))
def test_blocks_together_are_the_shielded_prompt(s16: bytes, sample_format: SampleFormat) -> None:
    even = s16[: len(s16) // 2 * 2]
    cache = PromptCache()
    for _ in range(2):
        blocks = list(cache.blocks([Clip("p", "", s16)], sample_format))
        assert b"".join(block.wire for block in blocks) == shield(encode_s16(even, sample_format))
        assert sum(block.seconds for block in blocks) == pytest.approx(len(even) / 16000)


def test_the_cache_prepares_once_and_stays_bounded() -> None:
    cache = PromptCache(most_bytes=20_000)
    clips = [tone_clip(400 + number, 1.0) for number in range(10)]
    first = list(cache.blocks(clips[:1], SampleFormat.U8))
    assert next(cache.blocks(clips[:1], SampleFormat.U8)) is first[0]
    list(cache.blocks(clips, SampleFormat.U8))
    assert cache._held_bytes <= 20_000
    assert len(cache._clips) == 2


@pytest.mark.fast_time
async def test_a_stall_does_not_grow_the_lead() -> None:
    loop = asyncio.get_running_loop()
    written: list[float] = []
    done = loop.create_future()
    blocks = iter([Block(b"x" * 800, 0.1)] * 50)
    pacer = Pacer(blocks, lambda _: written.append(loop.time()), lambda: done.set_result(None))
    pacer.start()
    await asyncio.sleep(1)
    pacer.stop()
    before = len(written)
    await asyncio.sleep(1)
    pacer._pump()
    assert len(written) - before == 2
    await done
    assert pacer.ahead_seconds <= 0.21


# --- where a recording ends ---


class List:
    def __init__(self, room: int = 10**9, error: StorageError | None = None) -> None:
        self.data = bytearray()
        self._room = room
        self._error = error or DiskFull()

    def write(self, data: bytes) -> None:
        if len(self.data) + len(data) > self._room:
            raise self._error
        self.data += data


def record(
    s16: bytes, sink: List | None = None, piece: int = 320, sample_format: SampleFormat = SampleFormat.U8
) -> Recorder:
    recorder = Recorder(sink or List(), LIMITS, sample_format, lambda: None)
    data = encode_s16(s16, sample_format)
    for at in range(0, len(data), piece):
        if recorder.end is None:
            recorder.audio(data[at : at + piece])
    return recorder


def sine(seconds: float, *hz: int, amplitude: int = 6000) -> bytes:
    count = round(seconds * 8000)
    total = (sum(amplitude * math.sin(2 * math.pi * f * n / 8000) for f in hz) for n in range(count))
    return array("h", (round(value) for value in total)).tobytes()


def noise(seconds: float, amplitude: int) -> bytes:
    chance = random.Random(3)
    return array("h", (chance.randrange(-amplitude, amplitude) for _ in range(round(seconds * 8000)))).tobytes()


SPEECH = babble(3.0, random.Random(11))
SILENCE = bytes(16000)


@pytest.mark.parametrize("sample_format", SampleFormat)
def test_trailing_silence_is_cut_but_for_a_breath(sample_format: SampleFormat) -> None:
    recorder = record(SPEECH + SILENCE * 8, sample_format=sample_format)
    take = recorder.take()
    assert take.end is RecordingEnd.SILENCE
    assert take.voiced
    assert take.kept_samples == pytest.approx(3.3 * 8000, abs=2000)
    assert take.total_samples == pytest.approx(8 * 8000, abs=2500)


@pytest.mark.parametrize(
    ("cadence", "hz", "evidence"),
    [
        ((0.35, 0.35), (450,), HangUpEvidence.BUSY_TONE),
        ((0.7, 0.7), (450,), HangUpEvidence.BUSY_TONE),
        ((0.5, 0.5), (480, 620), HangUpEvidence.BUSY_TONE),
        ((0.375, 0.375), (400,), HangUpEvidence.BUSY_TONE),
        ((0.24, 0.24), (425,), HangUpEvidence.BUSY_TONE),
        ((1.0, 0.0), (350, 440), HangUpEvidence.DIAL_TONE),
        ((1.0, 0.0), (450,), HangUpEvidence.DIAL_TONE),
    ],
)
def test_a_tone_of_the_exchange_is_a_hang_up_and_is_cut(
    cadence: tuple[float, float], hz: tuple[int, ...], evidence: HangUpEvidence
) -> None:
    on, off = cadence
    tone = (sine(on, *hz, amplitude=3000) + bytes(round(off * 8000) * 2)) * 30
    take = record(SPEECH + SILENCE + tone).take()
    assert (take.end, take.evidence) == (RecordingEnd.HANG_UP, evidence)
    assert take.kept_samples == pytest.approx(3.3 * 8000, abs=3000)


def test_a_steady_hiss_is_silence() -> None:
    take = record(SPEECH + noise(12, 3000)).take()
    assert take.end is RecordingEnd.SILENCE
    assert take.kept_samples == pytest.approx(3 * 8000, abs=4000)


def test_a_long_talk_is_no_tone() -> None:
    assert record(babble(40, random.Random(12))).end is None


def test_a_full_disk_ends_the_recording_and_keeps_what_was_written() -> None:
    sink = List(room=8000)
    take = record(SPEECH, sink).take()
    assert take.end is RecordingEnd.DISK_FULL
    assert take.total_samples == len(sink.data) >= take.kept_samples


def test_a_disk_that_fails_ends_the_recording_like_a_full_one() -> None:
    sink = List(room=8000, error=StorageError("read-only"))
    recorder = record(SPEECH, sink)
    assert recorder.end is RecordingEnd.FAULT
    recorder.audio(bytes(3200))  # what the modem still had
    take = recorder.take()
    assert take.total_samples == len(sink.data) >= take.kept_samples


def test_a_key_is_cut_off_before_its_tone() -> None:
    recorder = record(SPEECH)
    recorder.tone_began()
    recorder.audio(encode_s16(sine(0.2, 941, 1477), SampleFormat.U8))
    recorder.key("5")
    assert recorder.end is None
    recorder.key("#")
    take = recorder.take()
    assert take.end is RecordingEnd.KEY
    assert take.kept_samples <= 3 * 8000 - 480


def test_a_click_is_no_voice() -> None:
    assert not voiced([-60, -20, -60, -60], -38)
    assert voiced([-60, -20, -25, -60], -38)


@given(st.lists(st.floats(-120, 0)))
def test_the_steady_tail_lies_within_the_recording(levels: list[float]) -> None:
    assert 0 <= tone_blocks_at_end(levels, -38) <= len(levels)


@given(
    st.lists(st.binary(max_size=2000), max_size=20),
    st.sampled_from(SampleFormat),
    st.sampled_from(["key", "gone", "none"]),
)
def test_kept_never_exceeds_total(chunks: list[bytes], sample_format: SampleFormat, ending: str) -> None:
    sink = List()
    recorder = Recorder(sink, LIMITS, sample_format, lambda: None)
    for chunk in chunks:
        recorder.audio(chunk)
    if ending == "key":
        recorder.key("#")
    elif ending == "gone":
        recorder.far_end_gone(HangUpEvidence.BUSY_TONE)
    take = recorder.take()
    assert 0 <= take.kept_samples <= take.total_samples == len(sink.data) // sample_format.sample_bytes


def test_speech_and_keys_are_no_exchange_tones() -> None:
    for at in range(0, len(SPEECH) - 1600, 1600):
        assert not is_exchange_tone(encode_s16(SPEECH[at : at + 1600], SampleFormat.U8), SampleFormat.U8)
    assert not is_exchange_tone(encode_s16(sine(0.1, 941, 1477), SampleFormat.U8), SampleFormat.U8)
