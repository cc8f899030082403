"""The last things before power goes, with real commands and a UPS that is only asked."""

from __future__ import annotations

import asyncio
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

    def __init__(self, *, can_cut: bool = True, error: Exception | None = None, hangs: bool = False) -> None:
        self._can_cut = can_cut
        self._error = error
        self._hangs = hangs
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
        if self._error is not None:
            raise self._error
        if self._hangs:
            await asyncio.Event().wait()
        self.cuts += 1
        return self._can_cut


class Machine:
    """Counts in files how often it was told to go down and to start anew."""

    def __init__(self, folder: Path, ups: Ups | None, command: str = "true") -> None:
        self._folder = folder
        self.told: list[str] = []
        off, anew = (["sh", "-c", f"{command}; echo >> {folder}/{what}"] for what in ("off", "anew"))
        self.off = PowerOff(off, anew, ups, self.told.append)

    def times(self, what: str) -> int:
        file = self._folder / what
        return len(file.read_text().splitlines()) if file.exists() else 0


async def test_ups_is_told_before_the_machine_goes_down(tmp_path: Path) -> None:
    ups = Ups()
    machine = Machine(tmp_path, ups)
    await machine.off.go_down(mains_there=False)
    assert ups.cuts == 1
    assert machine.times("off") == 1
    assert machine.told == ["the UPS was told to cut its output", "the machine was told to go down"]


@pytest.mark.parametrize("mains_there", [False, True])
@pytest.mark.parametrize(
    ("ups", "said"),
    [
        (None, "no UPS"),
        (Ups(can_cut=False), "cannot be told"),
        (Ups(error=PowerSourceLost("upsd does not answer")), "upsd does not answer"),
        (Ups(error=ZeroDivisionError("a bug in the source")), "a bug in the source"),
    ],
)
async def test_machine_never_halts_under_a_ups_that_goes_on_giving_power(
    tmp_path: Path, ups: Ups | None, said: str, mains_there: bool
) -> None:
    machine = Machine(tmp_path, ups)
    await machine.off.go_down(mains_there=mains_there)
    assert said in machine.told[0]
    assert (machine.times("off"), machine.times("anew")) == (0, int(mains_there))


async def test_a_ups_that_never_answers_delays_the_new_start_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.services.power_off._TELLING_SECONDS", 0.1)
    machine = Machine(tmp_path, Ups(hangs=True))
    await machine.off.go_down(mains_there=True)
    assert "does not answer" in machine.told[0]
    assert machine.times("anew") == 1


@pytest.mark.parametrize("what", ["off", "anew"])
async def test_a_command_that_fails_is_told_once_and_tried_until_it_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("firmware.services.power_off._AGAIN_SECONDS", 0.01)
    ups = Ups()
    machine = Machine(tmp_path, ups, f"echo >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 4 || exit 3")
    await (machine.off.go_down(mains_there=False) if what == "off" else machine.off.start_anew())
    assert [sentence for sentence in machine.told if "status 3" in sentence] == [machine.told[-2]]
    assert (machine.times("tries"), machine.times(what)) == (4, 1)
    assert ups.cuts == (1 if what == "off" else 0)


async def test_a_command_that_hangs_is_ended_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.services.power_off._AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("firmware.services.power_off._COMMAND_SECONDS", 0.5)
    machine = Machine(tmp_path, None, f"test -e {tmp_path}/hung || {{ touch {tmp_path}/hung; exec sleep 600; }}")
    await machine.off.start_anew()
    assert "did not end" in machine.told[0]
    assert machine.times("anew") == 1


async def test_a_missing_command_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    missing = PowerOff(["/no/such/command"], ["/no/such/command"], Ups(), told.append)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await missing.go_down(mains_there=False)
    assert "No such file" in told[1]
