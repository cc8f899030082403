"""What scenarios ask of a rig's records, the same on the bench and on hardware."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16, level_dbfs
from firmware.units import SAMPLE_RATE_HZ
from hil.rig import Rig

Record = dict[str, Any]

# Every look is a command on the appliance, which may be a small Pi.
_LOOK_EVERY_SECONDS = 0.5
# Lines and codecs add gain, hum and a little delay; a second of speech is longer than all of that together.
_ANALOG_SLACK_SECONDS = 1.0
_SPEECH_ABOVE_DBFS = -45.0
_LANDMARK_SAMPLES = 800


async def eventually(
    rig: Rig, kind: str, wanted: Callable[[list[Record]], bool], timeout: float = 20.0
) -> list[Record]:
    """Look at records until they are as wanted. Raises: AssertionError with the last ones after the time-out."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not wanted(records := await rig.records(kind)):
        assert asyncio.get_running_loop().time() < deadline, f"{kind} after {timeout:g} s: {records}"
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return records


async def calls_over(rig: Rig, count: int = 1, timeout: float = 30.0) -> list[Record]:
    """Every call, once so many are over."""
    return await eventually(
        rig, "calls", lambda calls: sum(call["ended_at"] is not None for call in calls) >= count, timeout
    )


async def line_becomes(rig: Rig, line: str, state: str, timeout: float = 20.0) -> Record:
    """The line's record, once it is in a state."""
    lines = await eventually(rig, "lines", lambda lines: _named(lines, line)["state"] == state, timeout)
    return _named(lines, line)


async def only(rig: Rig, kind: str) -> Record:
    """The one record there is of a kind."""
    records = await rig.records(kind)
    assert len(records) == 1, records
    return records[0]


async def all_lines_idle(rig: Rig) -> None:
    """Every line is on hook and without fault."""
    await eventually(rig, "lines", lambda lines: all(line["state"] == "idle" and not line["fault"] for line in lines))


async def assert_says(rig: Rig, message: Record, spoken: bytes, missing_seconds: float = 0.0) -> None:
    """The message holds what was spoken, but for a tail of `missing_seconds` at most.

    The bench compares samples; over analog lines only length and level can be compared.
    """
    kept = await rig.message_samples(message["id"])
    wanted = _seconds(spoken) - missing_seconds
    if rig.sample_exact:
        exact = heard_seconds(kept, spoken)
        assert exact >= wanted - 0.001, (
            f"{exact:.3f} s of {wanted:.3f} s are there, in a message of {_seconds(kept):.3f} s"
        )
        return
    assert _seconds(kept) >= wanted - _ANALOG_SLACK_SECONDS, f"{_seconds(kept):.1f} s are there of {wanted:.1f} s"
    level = level_dbfs(kept, SampleFormat.S16)
    assert level > _SPEECH_ABOVE_DBFS, f"the message is faint: {level:.0f} dBFS"


def heard_seconds(kept: bytes, spoken: bytes) -> float:
    """How much of what was spoken, from its beginning, lies sample for sample in what was kept."""
    for line_format in (SampleFormat.U8, SampleFormat.S16, SampleFormat.ULAW, SampleFormat.ALAW):
        coded = decode_to_s16(encode_s16(spoken, line_format), line_format)
        start = kept.find(coded[: 2 * _LANDMARK_SAMPLES])
        if start >= 0 and start % 2 == 0:
            return _seconds(_common(kept[start:], coded))
    return 0.0


def _common(one: bytes, other: bytes) -> bytes:
    length = min(len(one), len(other))
    differs = next((at for at in range(length) if one[at] != other[at]), length)
    return one[:differs]


def _seconds(s16: bytes) -> float:
    return len(s16) / 2 / SAMPLE_RATE_HZ


def _named(lines: list[Record], name: str) -> Record:
    return next(line for line in lines if line["name"] == name)
