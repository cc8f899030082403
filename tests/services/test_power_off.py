"""The last things before power goes, with real commands and a UPS that is only asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from firmware.errors import PowerSourceLost
from firmware.ports import PowerReading
from firmware.services.power_off import PowerOff


class Ups:
    place = "a UPS"

    def __init__(self, *, can_cut: bool = True, lost: bool = False) -> None:
        self._can_cut = can_cut
        self._lost = lost
        self.cuts = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def readings(self) -> AsyncIterator[PowerReading]:
        yield PowerReading(mains=False)

    async def cut_power(self) -> bool:
        if self._lost:
            raise PowerSourceLost("upsd does not answer")
        self.cuts += 1
        return self._can_cut


def power_off(folder: Path, ups: Ups | None, command: str = "true") -> PowerOff:
    return PowerOff(["sh", "-c", f"{command}; touch {folder}/off"], ["touch", f"{folder}/anew"], ups)


async def test_ups_is_told_before_the_machine_goes_down(tmp_path: Path) -> None:
    ups = Ups()
    told = await power_off(tmp_path, ups).go_down(mains_there=False)
    assert ups.cuts == 1
    assert (tmp_path / "off").exists()
    assert told == ["the UPS was told to cut its output", "the machine was told to go down"]


@pytest.mark.parametrize("mains_there", [False, True])
@pytest.mark.parametrize(
    ("ups", "said"),
    [
        (None, "no UPS"),
        (Ups(can_cut=False), "cannot be told"),
        (Ups(lost=True), "upsd does not answer"),
    ],
)
async def test_machine_never_halts_under_a_ups_that_goes_on_giving_power(
    tmp_path: Path, ups: Ups | None, said: str, mains_there: bool
) -> None:
    told = await power_off(tmp_path, ups).go_down(mains_there=mains_there)
    assert said in told[0]
    assert not (tmp_path / "off").exists()
    assert (tmp_path / "anew").exists() is mains_there


async def test_a_command_that_fails_or_is_missing_is_told(tmp_path: Path) -> None:
    assert "status 3" in (await power_off(tmp_path, Ups(), "exit 3").go_down(mains_there=False))[1]
    missing = PowerOff(["/no/such/command"], ["/no/such/command"], Ups())
    assert "No such file" in (await missing.go_down(mains_there=False))[1]
    assert "No such file" in await missing.start_anew()
