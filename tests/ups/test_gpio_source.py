from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import gpiozero
import pytest

from firmware.errors import PinError, PowerSourceLost
from firmware.ports import PowerReading
from firmware.ups.gpio_source import GpioSource
from firmware.ups.i2c_chip import Chip
from firmware.ups.profile import UpsProfile
from firmware.ups.profile_reader import find_profile, parse_profile
from tests.power_benches import MockPins, mock_factory, mock_pins

pytestmark = pytest.mark.fast_time

OWN = """
name = "own"
title = "Own board"
source = "me"
[mains]
pin = 5
lost = "low"
pull = "up"
[off]
method = "{method}"
pin = 20
level = "high"
seconds = 3.0
"""


class FakeBus:
    """The chips of a bus as bytes by address and register; an address that is not there is an input/output error."""

    def __init__(self, memory: dict[int, dict[int, int]]) -> None:
        self.memory = memory
        self.closed = False

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> Sequence[int]:
        chip = self._chip(i2c_addr)
        return [chip.get(register + offset, 0) for offset in range(length)]

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._chip(i2c_addr)[register] = value

    def close(self) -> None:
        self.closed = True

    def _chip(self, address: int) -> dict[int, int]:
        if address not in self.memory:
            raise OSError(121, "Remote I/O error")
        return self.memory[address]


def no_bus(number: int) -> FakeBus:
    raise PinError(f"no bus {number}")


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory


def watched(source: GpioSource) -> Any:
    return aclosing(cast(Any, source.readings()))


async def changes(source: GpioSource, seconds: float) -> list[bool | None]:
    """How mains changed within this time, the first level included."""
    heard: list[bool | None] = []
    async with watched(source) as readings:
        try:
            async with asyncio.timeout(seconds):
                async for reading in readings:
                    if not heard or heard[-1] != reading.mains:
                        heard.append(reading.mains)
        except TimeoutError:
            return heard
    raise AssertionError("the readings ended")


@pytest.mark.parametrize("profile", ["x728", "contact-no", "contact-nc", "ups-18650", "buyapi"])
async def test_a_loss_is_seen_within_a_fraction_of_a_second(profile: str) -> None:
    async with (
        mock_pins(profile) as world,
        GpioSource(find_profile(profile), no_bus) as source,
        watched(source) as readings,
    ):
        assert (await anext(readings)).mains is True
        began_seconds = asyncio.get_running_loop().time()
        await world.mains(on=False)
        assert (await anext(readings)).mains is False
        assert asyncio.get_running_loop().time() - began_seconds < 0.3


@pytest.mark.parametrize("profile", ["contact-no", "contact-nc"])
async def test_glitches_of_three_milliseconds_are_not_told_and_three_tenths_are(profile: str) -> None:
    async def glitches(world: MockPins) -> None:
        for seconds in [0.003] * 10 + [0.3]:
            await asyncio.sleep(0.1)
            await world.mains(on=False)
            await asyncio.sleep(seconds)
            await world.mains(on=True)

    async with mock_pins(profile) as world, GpioSource(find_profile(profile)) as source:
        work = asyncio.create_task(glitches(world))
        assert await changes(source, 5) == [True, False, True]
        await work


async def test_a_level_whose_edge_was_lost_is_seen_within_two_seconds() -> None:
    async with mock_pins("contact-nc") as world, GpioSource(find_profile("contact-nc")) as source:
        pin = world.pin(17)
        pin._when_changed = None  # the library's thread is deaf
        await world.mains(on=False)
        began_seconds = asyncio.get_running_loop().time()
        async with watched(source) as readings:
            while (await anext(readings)).mains:
                pass
        assert asyncio.get_running_loop().time() - began_seconds < 2


async def test_mains_that_was_lost_before_the_start_is_told_first() -> None:
    async with mock_pins("contact-nc") as world:
        await world.mains(on=False)
        async with GpioSource(find_profile("contact-nc")) as source:
            assert await changes(source, 3) == [False]


async def test_a_wire_that_broke_is_mains_lost_with_a_contact_that_opens(pins: Any) -> None:
    async with GpioSource(find_profile("contact-nc")) as source:
        assert await changes(source, 1) == [False]


async def test_edges_from_a_thread_of_the_library_reach_the_loop() -> None:
    async with (
        mock_pins("contact-nc") as world,
        GpioSource(find_profile("contact-nc")) as source,
        watched(source) as readings,
    ):
        await anext(readings)
        thread = threading.Thread(target=world.pin(17).wire, args=(True,))
        thread.start()
        thread.join()
        assert (await anext(readings)).mains is False


async def test_pins_are_given_back() -> None:
    async with mock_pins("contact-nc"):
        for _ in range(2):
            async with GpioSource(find_profile("contact-nc")):
                with pytest.raises(PinError, match="used twice"):
                    async with GpioSource(find_profile("contact-nc")):
                        pass


async def test_a_gauge_tells_charge_and_a_low_battery() -> None:
    # 0xC800 of VCELL are 4.0 V, 0x5580 of SOC are 85.5 % (MAX17040: 1.25 mV in 12 bits, 1/256 %).
    bus = FakeBus({0x36: {0x02: 0xC8, 0x03: 0x00, 0x04: 0x55, 0x05: 0x80}})
    async with (
        mock_pins("x728"),
        GpioSource(find_profile("x728"), lambda _: bus) as source,
        watched(source) as readings,
    ):
        assert await anext(readings) == PowerReading(True, False, 85.5)
        bus.memory[0x36][0x02] = 0x95
        while not (await anext(readings)).battery_low:
            pass
    assert bus.closed


async def test_a_board_whose_gauge_is_silent_still_tells_of_mains() -> None:
    async with (
        mock_pins("x728") as world,
        GpioSource(find_profile("x728"), lambda _: FakeBus({})) as source,
        watched(source) as readings,
    ):
        assert await anext(readings) == PowerReading(True)
        await world.mains(on=False)
        assert await anext(readings) == PowerReading(False)


async def test_a_gauge_that_hangs_delays_no_loss_of_mains_and_its_last_charge_is_not_believed_for_ever() -> None:
    class Stuck(GpioSource):
        stuck = False

        async def _read_chip(self, chip: Chip) -> None:
            if self.stuck:
                await asyncio.Event().wait()
            await super()._read_chip(chip)

    bus = FakeBus({0x36: {0x04: 80, 0x02: 0xC0}})
    async with (
        mock_pins("x1200") as world,
        Stuck(find_profile("x1200"), lambda _: bus) as source,
        watched(source) as readings,
    ):
        assert (await anext(readings)).battery_percent == 80.0
        source.stuck = True
        loop = asyncio.get_running_loop()
        for on in (False, True, False):
            await anext(readings)
            await world.mains(on=on)
            changed_at = loop.time()
            while (await anext(readings)).mains is not on:
                pass
            assert loop.time() - changed_at < 0.3
        for _ in range(8):
            reading = await anext(readings)
        assert (reading.mains, reading.battery_percent) == (False, None)


async def test_a_charge_that_cannot_be_is_not_told() -> None:
    bus = FakeBus({0x36: {0x02: 0xC8, 0x04: 0xFF, 0x05: 0xFF}})
    async with (
        mock_pins("x728"),
        GpioSource(find_profile("x728"), lambda _: bus) as source,
        watched(source) as readings,
    ):
        assert (await anext(readings)).battery_percent is None


WAVESHARE = {0x02: 0xA0, 0x24: 77, 0x25: 0, 0x28: 0x2C, 0x29: 0x01}


async def test_a_board_on_i2c_alone_tells_mains_charge_and_time() -> None:
    bus = FakeBus({0x2D: dict(WAVESHARE)})
    async with GpioSource(find_profile("waveshare-ups-hat-e"), lambda _: bus) as source, watched(source) as readings:
        assert await anext(readings) == PowerReading(True, None, 77.0, 300 * 60.0)
        bus.memory[0x2D][0x02] = 0x80
        assert (await anext(readings)).mains is False
        assert await source.cut_power()
        assert bus.memory[0x2D][0x01] == 0x55


async def test_mains_of_either_socket_counts() -> None:
    bus = FakeBus({0x17: {0x07: 0, 0x08: 0, 0x09: 0x88, 0x0A: 0x13, 0x13: 50}})
    async with GpioSource(find_profile("ep0136"), lambda _: bus) as source, watched(source) as readings:
        assert (await anext(readings)).mains is True
        bus.memory[0x17][0x0A] = 0
        assert (await anext(readings)).mains is False
        assert await source.cut_power()
        assert (bus.memory[0x17][0x19], bus.memory[0x17][0x18]) == (1, 60)


async def test_one_failure_on_the_bus_is_noise_and_three_are_a_dead_source() -> None:
    chips = {0x2D: dict(WAVESHARE)}
    bus = FakeBus(chips)
    async with GpioSource(find_profile("waveshare-ups-hat-e"), lambda _: bus) as source, watched(source) as readings:
        await anext(readings)
        board = chips.pop(0x2D)
        assert (await anext(readings)).mains is True
        chips[0x2D] = board
        assert (await anext(readings)).mains is True
        del chips[0x2D]
        assert [(await anext(readings)).mains for _ in range(2)] == [True, True]
        with pytest.raises(PowerSourceLost, match="check that the board sits well"):
            await anext(readings)


async def test_a_board_that_comes_back_is_found_by_reading_anew() -> None:
    chips = {0x2D: dict(WAVESHARE)}
    bus = FakeBus(chips)
    async with GpioSource(find_profile("waveshare-ups-hat-e"), lambda _: bus) as source:
        board = chips.pop(0x2D)
        for _ in range(3):
            assert await _first_or_lost(source) in (True, "lost")
        assert await _first_or_lost(source) == "lost"
        chips[0x2D] = board
        assert await _first_or_lost(source) is True


async def _first_or_lost(source: GpioSource) -> bool | str | None:
    async with watched(source) as readings:
        try:
            return cast(PowerReading, await anext(readings)).mains
        except PowerSourceLost:
            return "lost"


async def test_a_board_on_i2c_alone_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(PowerSourceLost, match="0x2d"):
        async with GpioSource(find_profile("waveshare-ups-hat-e"), lambda _: FakeBus({})):
            pass
    with pytest.raises(PinError, match="no bus 1"):
        async with GpioSource(find_profile("waveshare-ups-hat-e"), no_bus):
            pass


def board(method: str) -> UpsProfile:
    return parse_profile("own.toml", OWN.format(method=method))


async def test_a_pulse_is_given_once_and_the_pin_is_not_driven_before(pins: Any) -> None:
    loop = asyncio.get_running_loop()
    async with GpioSource(board("pulse")) as source:
        assert pins.pin(20).function == "input"
        began_seconds = loop.time()
        assert await source.cut_power()
        assert loop.time() - began_seconds == 3.0
        assert pins.pin(20).state is False
        began_seconds = loop.time()
        assert await source.cut_power()
        assert loop.time() == began_seconds
    assert pins.pin(20).function == "input"


async def test_a_level_stays_even_when_the_source_is_left(pins: Any) -> None:
    async with GpioSource(board("level")) as source:
        assert await source.cut_power()
    assert pins.pin(20).function == "output"
    assert pins.pin(20).state is True


async def test_a_board_that_cuts_at_once_needs_the_overlay_of_the_kernel(pins: Any, tmp_path: Path) -> None:
    async with GpioSource(board("kernel"), device_tree=tmp_path) as source:
        assert not await source.cut_power()
        node = tmp_path / "power_ctrl"
        node.mkdir()
        (node / "compatible").write_bytes(b"gpio-poweroff\0")
        assert await source.cut_power()
    assert pins.pin(20).function == "input"


async def test_without_pins_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    with pytest.raises(PinError, match="apt-get install python3-lgpio"):
        async with GpioSource(find_profile("contact-nc")):
            pass


@pytest.mark.parametrize(("module", "profile"), [("gpiozero", "contact-nc"), ("smbus2", "waveshare-ups-hat-e")])
async def test_without_the_library_the_error_says_what_to_do(
    module: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(PinError, match=r"linekeeper\[gpio\]"):
        async with GpioSource(find_profile(profile)):
            pass


async def test_without_an_i2c_bus_the_error_says_what_to_do() -> None:
    with pytest.raises(PinError, match="dtparam=i2c_arm=on"):
        async with GpioSource(find_profile("waveshare-ups-hat-e")):
            pass
