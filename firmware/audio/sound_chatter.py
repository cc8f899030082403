"""Keeps the sound libraries' own talk off standard error while PortAudio looks for devices and plays.

ALSA and JACK print a page of lines about every device that a machine does not have. What matters of it comes back
as PortAudio's error. Standard error itself is left alone: the journal writes there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# alsa-lib error.h: snd_lib_error_handler_t(file, line, function, err, format, ...); NULL sets the default back.
# What is passed beyond a function's own parameters does no harm in the C calling conventions of Linux.
_AlsaHandler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
# jack.h: jack_set_error_function and jack_set_info_function take void (*)(const char *); NULL sets the default back.
_JackHandler = ctypes.CFUNCTYPE(None, ctypes.c_char_p)

# Kept for the life of the process: a library may still call one from a thread of its own.
_say_nothing_alsa = _AlsaHandler(lambda *_: None)
_say_nothing_jack = _JackHandler(lambda *_: None)


@contextmanager
def silenced() -> Iterator[None]:
    """Inside, the libraries say nothing; not for use from several threads at a time."""
    _set_handlers(_say_nothing_alsa, _say_nothing_jack)
    try:
        yield
    finally:
        _set_handlers(None, None)


def _set_handlers(alsa: object, jack: object) -> None:
    _call("libasound.so.2", "snd_lib_error_set_handler", alsa)
    _call("libjack.so.0", "jack_set_error_function", jack)
    _call("libjack.so.0", "jack_set_info_function", jack)


def _call(library: str, function: str, handler: object) -> None:
    try:
        set_handler = getattr(ctypes.CDLL(library), function)
    except (OSError, AttributeError):
        return  # not on this machine, so it says nothing
    set_handler(handler)
