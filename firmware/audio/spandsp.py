"""libspandsp, the C library that reads tones, through cffi: DTMF keys, and the power at chosen frequencies.

Only Debian's version 0.0.6 answers to `libspandsp.so.2`; its headers are what "spandsp dtmf.h" and the like mean here.
Nothing here calls back from C, so that an ear is plain memory, freed with its object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from cffi import FFI

from firmware.errors import SoundError

LIBRARY = "libspandsp.so.2"
# spandsp dtmf.c: DTMF_SAMPLES_PER_BLOCK. Each block is judged by itself, and a key needs two in a row.
KEY_BLOCK_SAMPLES = 102

# spandsp dtmf.h and tone_detect.h, built with floating point as Debian does. dtmf_rx_parms takes ints: as floats they
# would arrive as garbage, without a word (speech-reference 4).
_HEADER = """
typedef struct dtmf_rx_state_s dtmf_rx_state_t;
typedef void (*digits_rx_callback_t)(void *user_data, const char *digits, int len);
dtmf_rx_state_t *dtmf_rx_init(dtmf_rx_state_t *s, digits_rx_callback_t callback, void *user_data);
void dtmf_rx_parms(dtmf_rx_state_t *s, int filter_dialtone, int twist, int reverse_twist, int threshold);
int dtmf_rx(dtmf_rx_state_t *s, const int16_t amp[], int samples);
int dtmf_rx_status(dtmf_rx_state_t *s);
size_t dtmf_rx_get(dtmf_rx_state_t *s, char *digits, int max);
int dtmf_rx_free(dtmf_rx_state_t *s);

typedef struct { float fac; int samples; } goertzel_descriptor_t;
typedef struct { float v2; float v3; float fac; int samples; int current_sample; } goertzel_state_t;
void make_goertzel_descriptor(goertzel_descriptor_t *t, float freq, int samples);
goertzel_state_t *goertzel_init(goertzel_state_t *s, goertzel_descriptor_t *t);
int goertzel_update(goertzel_state_t *s, const int16_t amp[], int samples);
float goertzel_result(goertzel_state_t *s);
"""

# Telephone networks may send the column up to 8 dB above or below the row; spandsp's own 4 dB on one side is too
# little for long lines. -99 leaves the lowest level, about -45 dBFS for each frequency (speech-reference 4).
_WITH_DIAL_TONE_FILTER, _TWIST_DB, _REVERSE_TWIST_DB, _UNCHANGED_LEVEL = 0, 8, 8, -99

_FUNCTIONS = re.findall(r"(\w+)\(.*\);", _HEADER)

_ffi = FFI()
_ffi.cdef(_HEADER)


@cache
def _library() -> Any:
    """Raises: SoundError where it is not installed."""
    try:
        library = _ffi.dlopen(LIBRARY)
        # cffi looks a function up at its first use, which would be in a call.
        for function in _FUNCTIONS:
            getattr(library, function)
    except (OSError, AttributeError) as error:
        raise SoundError(
            f"keys and tones cannot be heard in the sound of a line, only as the modem reports them: {LIBRARY} is "
            f"missing or of another version ({error}); install it with: apt-get install libspandsp2"
        ) from error
    return library


def problem() -> str | None:
    """What keeps the library from being used, and what to do about it; None when it is there."""
    try:
        _library()
    except SoundError as error:
        return str(error)
    return None


class KeyReceiver:
    """spandsp's DTMF receiver, block by block. Raises: SoundError without the library."""

    def __init__(self) -> None:
        self._lib = _library()
        state = self._lib.dtmf_rx_init(_ffi.NULL, _ffi.NULL, _ffi.NULL)
        if not state:
            raise MemoryError("dtmf_rx_init")
        self._state = _ffi.gc(state, self._lib.dtmf_rx_free)
        self._lib.dtmf_rx_parms(self._state, _WITH_DIAL_TONE_FILTER, _TWIST_DB, _REVERSE_TWIST_DB, _UNCHANGED_LEVEL)
        self._digit = _ffi.new("char[2]")

    def feed(self, block: bytes) -> str:
        """Take `KEY_BLOCK_SAMPLES` as s16; the key that became certain with them, or nothing.

        Raises: ValueError for a block of another length.
        """
        self._lib.dtmf_rx(self._state, _samples(block, KEY_BLOCK_SAMPLES), KEY_BLOCK_SAMPLES)
        if not self._lib.dtmf_rx_get(self._state, self._digit, 1):
            return ""
        key: bytes = self._digit[0]
        return key.decode("ascii")

    @property
    def key_is_down(self) -> bool:
        """Whether a key that was told still sounds."""
        return self._lib.dtmf_rx_status(self._state) not in (0, ord("x"))


class ToneFilters:
    """Goertzel filters side by side. Raises: SoundError without the library."""

    def __init__(self, frequencies_hz: Sequence[float], block_samples: int) -> None:
        lib = _library()
        self._samples = block_samples
        self._update, self._result = lib.goertzel_update, lib.goertzel_result
        self._states = _ffi.new("goertzel_state_t[]", len(frequencies_hz))
        self._filters = [self._states + at for at in range(len(frequencies_hz))]
        shape = _ffi.new("goertzel_descriptor_t *")
        for frequency_hz, state in zip(frequencies_hz, self._filters, strict=True):
            lib.make_goertzel_descriptor(shape, frequency_hz, block_samples)
            lib.goertzel_init(state, shape)

    def powers(self, block: bytes) -> list[float]:
        """The mean square at each frequency in one block of s16; for a pure sine, that of the block itself.

        Raises: ValueError for a block of another length.
        """
        size = self._samples
        samples, powers = _samples(block, size), []
        for state in self._filters:
            self._update(state, samples, size)
            powers.append(self._result(state) / (size * size))
        return powers


def _samples(block: bytes, count: int) -> Any:
    # C reads so many samples, whatever there is.
    if len(block) != 2 * count:
        raise ValueError(f"a block of {count} samples was expected, not {len(block)} bytes")
    return _ffi.from_buffer("int16_t[]", block)
