"""Which sound devices there are, and which of our formats each takes. `port_audio` is an open pyaudio.PyAudio."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from firmware.audio.sound_faults import no_device, no_such_device
from firmware.audio.sound_streams import Direction, StreamFormat

# The telephone's own format first; a device that refuses it takes one of the others, and we convert.
_FORMATS = [StreamFormat(rate_hz, channels) for rate_hz, channels in product((8000, 16000, 48000, 44100), (1, 2))]
# portaudio.h, PaErrorCode: paInvalidSampleRate and paInvalidChannelCount. The device works, but not so.
_OTHER_FORMAT = {-9997, -9998}
_CHANNELS_KEYS = {Direction.OUT: "maxOutputChannels", Direction.IN: "maxInputChannels"}


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as PortAudio lists it."""

    number: int
    name: str
    directions: frozenset[Direction]
    default_for: frozenset[Direction]


def find_devices(port_audio: Any) -> list[Device]:
    """Every device; their numbers hold until PortAudio is closed."""
    defaults = {direction: _default_number(port_audio, direction) for direction in Direction}
    return [
        Device(
            number,
            str(info["name"]),
            frozenset(direction for direction in Direction if info[_CHANNELS_KEYS[direction]]),
            frozenset(direction for direction in Direction if defaults[direction] == number),
        )
        for number in range(port_audio.get_device_count())
        for info in [port_audio.get_device_info_by_index(number)]
    ]


def choose_device(port_audio: Any, direction: Direction, name: str | None) -> Device:
    """The device of this name, else one with this in its name; the machine's default for None. Raises: SoundError."""
    able = [device for device in find_devices(port_audio) if direction in device.directions]
    if not able:
        raise no_device(direction.value)
    if name is None:
        return next((device for device in able if direction in device.default_for), able[0])
    wanted = name.casefold()
    matching = [device for device in able if wanted in device.name.casefold()]
    if not matching:
        raise no_such_device(direction.value, name, [device.name for device in able])
    return next((device for device in matching if device.name.casefold() == wanted), matching[0])


def choose_format(port_audio: Any, direction: Direction, device: Device, sample_type: int) -> StreamFormat:
    """The first of our formats that the device takes. Raises: ValueError with PortAudio's reason."""
    refusal = ValueError("it takes none of our sample rates")
    for candidate in _FORMATS:
        try:
            port_audio.is_format_supported(candidate.rate_hz, **_query(direction, device, candidate, sample_type))
        except ValueError as error:
            refusal = error
            if not _OTHER_FORMAT.intersection(error.args):
                break
        else:
            return candidate
    raise refusal


def stream_arguments(direction: Direction, device: Device) -> dict[str, Any]:
    """What tells `PyAudio.open` which device to open, and which way."""
    if direction is Direction.OUT:
        return {"output": True, "output_device_index": device.number}
    return {"input": True, "input_device_index": device.number}


def _query(direction: Direction, device: Device, candidate: StreamFormat, sample_type: int) -> dict[str, Any]:
    way = "output" if direction is Direction.OUT else "input"
    return {f"{way}_device": device.number, f"{way}_channels": candidate.channels, f"{way}_format": sample_type}


def _default_number(port_audio: Any, direction: Direction) -> int | None:
    try:
        if direction is Direction.OUT:
            return int(port_audio.get_default_output_device_info()["index"])
        return int(port_audio.get_default_input_device_info()["index"])
    except OSError:  # there is none
        return None
