"""However a message ends, the right reason is stored, its tail is clean, and the original is whole (A3)."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from benchmarks.many_calls.office import Office, OfficeMaker
from benchmarks.many_calls.speech import unique_speech
from firmware import wav
from firmware.audio.listening import listen_for_tones
from firmware.events import CallEnded, MessageKept, RecordingEnd, RecordingStopped
from firmware.pcm import decode_to_s16
from firmware.simulation.line_options import AfterHangUp
from firmware.units import samples_to_seconds

pytestmark = pytest.mark.fast_time

SPEECH = unique_speech(4.0, random.Random(7))
_SPEECH_SECONDS = samples_to_seconds(len(SPEECH) // 2)
_LEAD_SECONDS = 0.5  # between the beep and the first word
_BREATH_SECONDS = 0.6  # what may stay behind the last word


@dataclass(frozen=True)
class Ending:
    country: str
    way: AfterHangUp | None
    end: RecordingEnd
    evidence: str | None
    profile: str = "conexant"


ENDINGS = {
    "china_busy_tone": Ending("CN", AfterHangUp.BUSY_TONE, RecordingEnd.HANG_UP, "busy_tone"),
    # This family reports no busy tone: the appliance's own ear has to hear it.
    "china_busy_tone_unreported": Ending("CN", AfterHangUp.BUSY_TONE, RecordingEnd.HANG_UP, "busy_tone", "silabs"),
    "us_dial_tone": Ending("US", AfterHangUp.DIAL_TONE, RecordingEnd.HANG_UP, "dial_tone"),
    "us_dial_tone_unreported": Ending("US", AfterHangUp.DIAL_TONE, RecordingEnd.HANG_UP, "dial_tone", "silabs"),
    "loop_break": Ending("CN", AfterHangUp.LOOP_BREAK, RecordingEnd.HANG_UP, "loop_break"),
    "silence": Ending("CN", None, RecordingEnd.SILENCE, None),
    "hash_key": Ending("CN", None, RecordingEnd.KEY, None),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_message_ends_with_the_right_reason_and_a_clean_tail(name: str, open_office: OfficeMaker) -> None:
    ending = ENDINGS[name]
    async with open_office(country=ending.country, profile=ending.profile) as office:
        line = office.lines[0]
        if ending.way is not None:
            line.card.set_options(after_hang_up=ending.way)
        call = await office.to_the_beep(line)
        await call.speak(SPEECH)
        if ending.way is not None:
            call.hang_up()
        elif ending.end is RecordingEnd.KEY:
            await call.wait(0.4)
            await call.key("#")
        await office.until(lambda: bool(office.all(RecordingStopped)), 60)
        if ending.way is None:
            await call.wait(1.0)
            await call.key("1")
        await office.until_ended(line)
        (stopped,), (ended,) = office.all(RecordingStopped), office.all(CallEnded)
        assert (stopped.end, ended.evidence) == (ending.end, ending.evidence)
        (message,) = office.all(MessageKept)
        assert office.found(message, SPEECH) == len(SPEECH) // 2
        _assert_clean_tail(office, message, ending.country)


def _assert_clean_tail(office: Office, message: MessageKept, country: str) -> None:
    exported = office.folder / f"{message.number}.wav"
    parsed = wav.parse(exported.read_bytes())
    s16 = decode_to_s16(parsed.data, parsed.sample_format)
    assert samples_to_seconds(len(s16) // 2) <= _LEAD_SECONDS + _SPEECH_SECONDS + _BREATH_SECONDS
    assert listen_for_tones(s16, country) == ("", [])
    (original,) = (office.folder / "data" / "recordings").glob("*.wav")
    kept = wav.parse(original.read_bytes())
    assert len(kept.data) > len(parsed.data)
