from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import gpiozero
import pytest

from firmware.errors import PinError
from firmware.ups.pins import open_input, open_output
from firmware.ups.watched_pin import WatchedPin
from tests.power_benches import WiredPin, mock_factory


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory


class DriverError(Exception):
    """Like `lgpio.error`, which is neither of gpiozero nor of the system."""


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("lgpio")
    module.error = DriverError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lgpio", module)


def busy(*_: object, **__: object) -> None:
    raise DriverError("GPIO busy")


def test_importing_loads_neither_library() -> None:
    """Off a Pi, and without the extra, every service still starts."""
    code = (
        "import sys, firmware.ups.sources, firmware.ups.contacts, firmware.ups.lamps, firmware.ups.loads.making\n"
        "assert not {'gpiozero', 'smbus2', 'lgpio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("pull", "edges"), [("up", [True, False]), ("down", [True, False]), ("none", [True, False])])
def test_an_edge_is_told_as_the_level_of_the_wire_whatever_the_pull(pins: Any, pull: Any, edges: list[bool]) -> None:
    pins.pin(5).wire(False)
    told: list[bool] = []
    pin = open_input(5, pull, told.append)
    assert pin.level() is False
    pins.pin(5).wire(True)
    assert pin.level() is True
    pins.pin(5).wire(False)
    assert told == edges
    pin.close()
    pins.pin(5).wire(True)
    assert told == edges


def test_an_output_has_its_level_from_the_first_moment_on(pins: Any) -> None:
    pin = open_output(5, "high")
    assert [state.state for state in pins.pin(5).states] == [False, True]
    assert pin.high
    pin.drive(high=False)
    assert not pin.high
    assert pins.pin(5).state is False
    pin.close()
    assert pins.pin(5).function == "input"


@pytest.mark.parametrize("opening", [lambda: open_output(5, "high"), lambda: open_input(5, "up", print)])
def test_a_pin_that_another_program_holds_is_told(
    pins: Any, lgpio: None, monkeypatch: pytest.MonkeyPatch, opening: Callable[[], object]
) -> None:
    monkeypatch.setattr(pins, "pin", busy)
    with pytest.raises(PinError, match="GPIO 5 cannot be used: GPIO busy; another program may hold it"):
        opening()


def test_a_pin_that_fails_later_is_told(pins: Any, lgpio: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read, driven = open_input(5, "up", print), open_output(6, "low")
    with monkeypatch.context() as broken:
        broken.setattr(WiredPin, "_set_state", busy)
        broken.setattr(WiredPin, "_get_state", busy)
        with pytest.raises(PinError, match="GPIO 5"):
            read.level()
        with pytest.raises(PinError, match="GPIO 6"):
            driven.drive(high=True)
    assert not driven.high


@pytest.mark.fast_time
async def test_a_watched_pin_that_cannot_be_read_for_a_while_keeps_its_level(
    pins: Any, lgpio: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[bool] = []
    pins.pin(5).wire(False)
    with WatchedPin(5, "up", 0.05, changes.append) as pin:
        with monkeypatch.context() as broken:
            broken.setattr(WiredPin, "_get_state", busy)
            await asyncio.sleep(5)
            assert pin.high is False
        pins.pin(5).wired = True
        pins.pin(5)._state = True  # without an edge
        await asyncio.sleep(2.1)
        assert changes == [True]


def test_two_users_of_one_pin_are_told(pins: Any) -> None:
    first = open_output(5, "low")
    with pytest.raises(PinError, match="GPIO 5 is used twice"):
        open_input(5, "up", print)
    first.close()
    open_input(5, "up", print).close()


def test_a_pin_that_the_machine_has_not_is_told(pins: Any) -> None:
    assert gpiozero.Device.pin_factory is pins
    with pytest.raises(PinError, match="GPIO 99 cannot be used"):
        open_input(99, "up", print)
