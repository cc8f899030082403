"""What is wrong with this machine's sound, and what to do about it, in sentences for people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from firmware.errors import SoundError

_DEVICE_NODES = Path("/dev/snd")
# portaudio.h: PaErrorCode.
_UNAVAILABLE = -9985


def not_installed(error: ImportError) -> SoundError:
    """The library is missing, or does not fit."""
    return SoundError(
        f"local sound needs PyAudio ({error}); install it with: "
        "apt-get install portaudio19-dev python3-dev gcc && pip install 'linekeeper[sound]'"
    )


def does_not_start(error: OSError) -> SoundError:
    """PortAudio itself failed."""
    return SoundError(f"the sound library does not start ({error}); restart the machine's sound server, or the machine")


def needs_conversion(error: ImportError) -> SoundError:
    """A device of another rate, and nothing to convert with."""
    return SoundError(f"this device does not take 8000 samples/s, and to convert them numpy is needed ({error})")


def no_device(what: str, nodes: Path = _DEVICE_NODES) -> SoundError:
    """There is nothing to speak or listen with: `what` names which."""
    cards = sorted(nodes.glob("controlC*"))
    if cards and not any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return SoundError(f"no {what}: you may not open {cards[0]}; add yourself to its group: adduser $USER audio")
    return SoundError(f"this machine has no {what}; plug one in, and see it with: linekeeper sound devices")


def no_such_device(what: str, name: str, there_are: Sequence[str]) -> SoundError:
    """No device goes by this name."""
    return SoundError(f'no {what} is called "{name}"; there is: {", ".join(there_are)}')


def cannot_open(what: str, name: str, error: OSError | ValueError) -> SoundError:
    """PortAudio refused a device."""
    if _UNAVAILABLE in error.args:
        return SoundError(f'the {what} "{name}" is in use or gone; end the other program, or choose another device')
    reason = next((word for word in error.args if isinstance(word, str)), error)
    return SoundError(f'the {what} "{name}" cannot be opened ({reason}); choose another with: linekeeper sound devices')


def stopped(what: str) -> SoundError:
    """A device went away while we used it."""
    return SoundError(f"the {what} stopped; look whether it is still plugged in, and begin again")
