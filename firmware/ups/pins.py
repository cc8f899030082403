"""Pins of the 40-pin header. The only place that imports gpiozero, and only once a pin is opened.

Off a Pi, and without the library, everything imports; opening a pin then says what is missing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from firmware.errors import PinError
from firmware.ups.profile import Level, Pull

_PULL_UP = {"up": True, "down": False, "none": None}


class InputPin:
    """A pin that listens; levels are those of the wire, True for high."""

    def __init__(self, number: int, device: Any) -> None:
        self._number = number
        self._device = device

    def level(self) -> bool:
        """The level now. Raises: PinError."""
        with _plain_errors(self._number):
            return bool(self._device.pin.state)

    def close(self) -> None:
        """Give the pin back. Idempotent."""
        self._device.close()


class OutputPin:
    """A pin that drives."""

    def __init__(self, number: int, device: Any, *, high: bool) -> None:
        self._number = number
        self._device = device
        self.high = high
        """The level that it drives."""

    def drive(self, *, high: bool) -> None:
        """Set its level. Raises: PinError."""
        with _plain_errors(self._number):
            self._device.value = int(high)
        self.high = high

    def close(self) -> None:
        """Give the pin back: it drives nothing any more. Idempotent."""
        self._device.close()


def open_input(pin: int, pull: Pull, edge: Callable[[bool], None]) -> InputPin:
    """Listen on a pin; `edge` is called with each new level, in a thread of the library. Raises: PinError."""
    with _plain_errors(pin):
        pull_up = _PULL_UP[pull]
        device = _library().DigitalInputDevice(pin, pull_up=pull_up, active_state=True if pull_up is None else None)
    # gpiozero calls a pulled-up pin active while it is low.
    device.when_activated = lambda: edge(pull_up is not True)
    device.when_deactivated = lambda: edge(pull_up is True)
    return InputPin(pin, device)


def open_output(pin: int, level: Level) -> OutputPin:
    """Drive a pin, with this level from the first moment on. Raises: PinError."""
    high = level == "high"
    with _plain_errors(pin):
        return OutputPin(pin, _library().DigitalOutputDevice(pin, initial_value=high), high=high)


def _library() -> Any:
    try:
        import gpiozero
    except ImportError as error:
        raise PinError(
            "pins need the library gpiozero, which is not installed; install it with: pip install 'linekeeper[gpio]', "
            "or apt-get install python3-gpiozero python3-lgpio"
        ) from error
    return gpiozero


@contextmanager
def _plain_errors(pin: int) -> Iterator[None]:
    library = _library()
    with warnings.catch_warnings():
        # It warns of each driver that it tries in vain; what counts is that none was left.
        warnings.simplefilter("ignore", library.PinFactoryFallback)
        try:
            yield
        except library.BadPinFactory as error:
            raise PinError(
                f"GPIO {pin} cannot be used: this machine has no pins, or no driver for them; "
                "on a Raspberry Pi install one with: apt-get install python3-lgpio"
            ) from error
        except library.GPIOPinInUse as error:
            raise PinError(f"GPIO {pin} is used twice; give each contact, lamp and relay a pin of its own") from error
        except _driver_errors(library) as error:
            raise PinError(
                f"GPIO {pin} cannot be used: {error}; another program may hold it, or the service may not open "
                "/dev/gpiochip0 (group gpio)"
            ) from error


def _driver_errors(library: Any) -> tuple[type[Exception], ...]:
    """What gpiozero and the drivers below it raise. lgpio has an error of its own, which gpiozero passes on."""
    own = getattr(sys.modules.get("lgpio"), "error", None)
    return (library.GPIOZeroError, OSError, RuntimeError, *([own] if isinstance(own, type) else []))
