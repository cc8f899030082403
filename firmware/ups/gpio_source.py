"""`PowerSource` over pins and the I2C chip of a UPS board or contact card, as its profile describes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.errors import PinError, PowerSourceLost
from firmware.journal import journal
from firmware.ports import PowerReading
from firmware.ups.board_off import BoardOff
from firmware.ups.i2c_bus import I2cBus, open_bus
from firmware.ups.i2c_chip import Chip, ChipReading
from firmware.ups.profile import BatteryPin, MainsPin, UpsProfile
from firmware.ups.reading_feed import ReadingFeed
from firmware.ups.watched_pin import WatchedPin

_log = journal("ups")

_READ_SECONDS = 1.0
# A single failure on I2C is noise: the bus is shared, and its wires are long on some boards.
_FAILURES_THAT_COUNT = 3
# A chip answers within milliseconds. A bus that something holds down takes the kernel a second for each try, or longer:
# pins that tell of mains do not wait for that.
_PATIENCE_SECONDS = 0.1
_HANGS_AFTER_SECONDS = 5.0


class GpioSource:
    """Watches inside the context. One reader at a time."""

    def __init__(
        self, profile: UpsProfile, opener: Callable[[int], I2cBus] = open_bus, device_tree: Path | None = None
    ) -> None:
        self._profile = profile
        self._chip = None if profile.i2c is None else Chip(profile.i2c, opener)
        self._off = BoardOff(profile.off, self._chip, *([] if device_tree is None else [device_tree]))
        self._feed = ReadingFeed()
        self._opened = ExitStack()
        self._mains_pin: WatchedPin | None = None
        self._battery_pin: WatchedPin | None = None
        self._chip_reading = ChipReading()
        self._failures = 0
        self._reading: asyncio.Task[None] | None = None
        self._reading_since = 0.0

    @property
    def place(self) -> str:
        """What is watched."""
        mains = self._profile.mains
        where = f"GPIO {mains.pin}" if mains is not None else self._chip.place if self._chip is not None else "nothing"
        return f"{self._profile.title} ({where})"

    async def __aenter__(self) -> Self:
        with ExitStack() as opening:
            opening.callback(self._off.close)
            if self._chip is not None:
                opening.callback(self._chip.close)
                opening.callback(self._stop_reading)
                await self._refresh(self._chip)
            if self._profile.mains is not None:
                self._mains_pin = opening.enter_context(self._watch(self._profile.mains))
            if self._profile.battery is not None:
                self._battery_pin = opening.enter_context(self._watch(self._profile.battery))
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    async def readings(self) -> AsyncIterator[PowerReading]:
        """See `ports.PowerSource`. After PowerSourceLost, a new call looks anew."""
        loop = asyncio.get_running_loop()
        if self._chip is not None:
            await self._refresh(self._chip)
        self._feed.begin(self._now())
        due_seconds = loop.time() + _READ_SECONDS
        while True:
            reading = await self._feed.next(due_seconds)
            if reading is None:
                due_seconds = loop.time() + _READ_SECONDS
                if self._chip is not None:
                    await self._refresh(self._chip)
                self._feed.begin(self._now())
            else:
                yield reading

    async def cut_power(self) -> bool:
        """See `ports.PowerSource`; done once, whatever is asked later."""
        return await self._off.cut()

    def _watch(self, facts: MainsPin | BatteryPin) -> WatchedPin:
        return WatchedPin(facts.pin, facts.pull, facts.debounce_seconds, lambda _: self._feed.tell(self._now()))

    def _now(self) -> PowerReading:
        profile, chip = self._profile, self._chip_reading
        mains, low = chip.mains, chip.battery_low
        if self._mains_pin is not None and profile.mains is not None:
            mains = self._mains_pin.high != (profile.mains.lost == "high")
        if self._battery_pin is not None and profile.battery is not None:
            low = self._battery_pin.high == (profile.battery.low == "high") or bool(low)
        return PowerReading(mains, low, chip.percent, chip.runtime_seconds)

    async def _refresh(self, chip: Chip) -> None:
        """Raises: PowerSourceLost, PinError as `_read_chip`."""
        if self._profile.mains is None:
            await self._read_chip(chip)
            return
        now_seconds = asyncio.get_running_loop().time()
        if self._reading is None:
            self._reading, self._reading_since = asyncio.create_task(self._read_chip(chip)), now_seconds
        await asyncio.wait([self._reading], timeout=_PATIENCE_SECONDS)
        if self._reading.done():
            done, self._reading = self._reading, None
            done.result()
        elif now_seconds - self._reading_since >= _HANGS_AFTER_SECONDS:
            self._chip_reading = ChipReading()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read_chip(self, chip: Chip) -> None:
        """Raises: PowerSourceLost, PinError where only this chip tells of mains, and it never did, or fails again."""
        try:
            self._chip_reading = await asyncio.to_thread(chip.read)
            self._failures = 0
        except (PowerSourceLost, PinError) as error:
            self._failures += 1
            if self._failures == _FAILURES_THAT_COUNT:
                _log.warning("the battery of the UPS cannot be read", error=str(error))
            if self._failures >= _FAILURES_THAT_COUNT:
                self._chip_reading = ChipReading()
            if self._profile.mains is None and self._chip_reading.mains is None:
                raise
