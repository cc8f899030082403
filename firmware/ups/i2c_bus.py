"""The I2C bus. The only place that imports smbus2, and only once a bus is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from firmware.errors import PinError


class I2cBus(Protocol):
    """As much of a bus as is needed here. The methods block for some milliseconds; they raise OSError."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> Sequence[int]:
        """So many bytes from a register on."""

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """One byte into a register."""

    def close(self) -> None:
        """Give it back."""


def open_bus(number: int) -> I2cBus:
    """Raises: PinError."""
    try:
        from smbus2 import SMBus
    except ImportError as error:
        raise PinError(
            "the I2C bus needs the library smbus2, which is not installed; install it with: "
            "pip install 'linekeeper[gpio]', or apt-get install python3-smbus2"
        ) from error
    try:
        return SMBus(number)
    except OSError as error:
        raise PinError(
            f"the I2C bus {number} cannot be used: {error.strerror or error}; switch I2C on in config.txt "
            f"(dtparam=i2c_arm=on), and let the service open /dev/i2c-{number} (group i2c)"
        ) from error
