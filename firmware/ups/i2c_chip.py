"""A fuel gauge or UPS controller on I2C, as its profile describes it: registers in, a reading out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware.errors import PowerSourceLost
from firmware.ups.i2c_bus import I2cBus, open_bus
from firmware.ups.profile import I2cChip, MainsRegister, Register

# Gauges count somewhat beyond full. Far beyond it, nobody pulled the lines of the bus down: 0xFF.
_MOST_PERCENT = 110.0


@dataclass(frozen=True, slots=True)
class ChipReading:
    """What the chip says; None where it tells nothing of it."""

    mains: bool | None = None
    battery_low: bool | None = None
    percent: float | None = None
    runtime_seconds: float | None = None


class Chip:
    """Blocking: call it in a thread."""

    def __init__(self, facts: I2cChip, opener: Callable[[int], I2cBus] = open_bus) -> None:
        self._facts = facts
        self._opener = opener
        self._bus: I2cBus | None = None

    @property
    def place(self) -> str:
        """For messages."""
        return f"the I2C chip 0x{self._facts.address:02x} on bus {self._facts.bus}"

    def read(self) -> ChipReading:
        """Raises: PowerSourceLost where the chip does not answer; PinError where there is no bus."""
        facts = self._facts
        volts = self._number(facts.volts)
        percent = self._number(facts.percent)
        low = None if facts.low_volts is None or volts is None else volts < facts.low_volts
        plausible = percent is not None and percent <= _MOST_PERCENT
        return ChipReading(
            mains=any(map(self._tells_mains, facts.mains)) if facts.mains else None,
            battery_low=low,
            percent=min(percent, 100.0) if percent is not None and plausible else None,
            runtime_seconds=self._number(facts.runtime_seconds),
        )

    def write(self, writes: tuple[tuple[int, int], ...]) -> None:
        """Raises: PowerSourceLost, PinError."""
        try:
            for register, value in writes:
                self._opened().write_byte_data(self._facts.address, register, value)
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Give the bus back. Idempotent."""
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _opened(self) -> I2cBus:
        if self._bus is None:
            self._bus = self._opener(self._facts.bus)
        return self._bus

    def _tells_mains(self, register: MainsRegister) -> bool:
        if register.mask is not None:
            return self._raw(register) & register.mask != 0
        assert register.at_least is not None
        return self._raw(register) * register.scale >= register.at_least

    def _number(self, register: Register | None) -> float | None:
        return None if register is None else self._raw(register) * register.scale

    def _raw(self, register: Register) -> int:
        try:
            data = self._opened().read_i2c_block_data(self._facts.address, register.register_, register.bytes)
        except OSError as error:
            raise self._lost(error) from error
        return int.from_bytes(bytes(data), register.order)

    def _lost(self, error: OSError) -> PowerSourceLost:
        return PowerSourceLost(
            f"{self.place} does not answer ({error.strerror or error}); check that the board sits well on the header"
        )
