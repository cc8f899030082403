from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import LoadBusy, LoadError
from firmware.power_settings import LoadSettings, PowerSettings
from firmware.ups.loads.display import DisplayLoad
from firmware.ups.loads.making import opened_loads
from firmware.ups.loads.radio import RadioLoad
from firmware.ups.loads.services import SpeechLoad
from firmware.ups.loads.system import run_command
from firmware.ups.loads.uhubctl import port_has_power
from firmware.ups.loads.unit import UnitLoad
from firmware.ups.loads.usb_port import UsbPortLoad

CURRENT = "Current status for hub 1-1 [0424:9514]"
NEW = "New status for hub 1-1 [0424:9514]"
CURRENT_3 = "Current status for hub 2-1 [05e3:0626, USB 3.10, 4 ports, ppps]"


async def until_blocked(machine: Any, wanted: list[str]) -> None:
    async with asyncio.timeout(5):
        while machine.blocked() != wanted:
            await asyncio.sleep(0)


# --- radio ---


async def test_wifi_is_left_on_while_it_may_be_the_only_network(machine: Any) -> None:
    machine.network("eth0", carrier="0")
    wifi = RadioLoad("wifi", "wifi", unless_only_network=True, system=machine.system)
    await wifi.shed()
    assert machine.blocked() == ["0", "0", "0"]
    assert await wifi.check(shed=True)
    # Somebody plugs the cable in: now it can go.
    machine.network("eth0", carrier="1")
    assert not await wifi.check(shed=True)
    await wifi.shed()
    await until_blocked(machine, ["0", "1", "1"])
    # The switch in the cabinet lost its power as well: the network comes back by radio.
    machine.network("eth0", carrier="0")
    assert not await wifi.check(shed=True)
    await wifi.shed()
    await until_blocked(machine, ["0", "0", "0"])


async def test_a_link_of_a_virtual_interface_or_of_wifi_is_no_wired_network(machine: Any) -> None:
    machine.network("eth0", carrier="0")
    machine.write("sys/class/net/veth1/type", "1")
    machine.write("sys/class/net/veth1/carrier", "1")
    wifi = RadioLoad("wifi", "wifi", unless_only_network=True, system=machine.system)
    await wifi.shed()
    assert await wifi.check(shed=True)
    assert machine.blocked() == ["0", "0", "0"]


async def test_wifi_goes_without_a_cable_where_it_is_told_to(machine: Any) -> None:
    machine.network("eth0", carrier="0")
    wifi = RadioLoad("wifi", "wifi", unless_only_network=False, system=machine.system)
    await wifi.shed()
    await until_blocked(machine, ["0", "1", "1"])


async def test_bluetooth_goes_whatever_carries_the_network(machine: Any) -> None:
    machine.network("eth0", carrier="0")
    bluetooth = RadioLoad("bluetooth", "bluetooth", unless_only_network=True, system=machine.system)
    await bluetooth.shed()
    await until_blocked(machine, ["1", "0", "0"])


async def test_a_radio_that_is_not_there_is_told(machine: Any) -> None:
    with pytest.raises(LoadError, match="no radio of the kind wwan; see: rfkill list"):
        await RadioLoad("modem", "wwan", unless_only_network=True, system=machine.system).shed()


# --- units and displays ---


async def test_a_machine_without_systemd_says_so(machine: Any) -> None:
    said = "System has not been booted with systemd as init system (PID 1). Can't operate."
    machine.program("systemctl", f'#!/bin/sh\necho "{said}"\nexit 1\n')
    unit = UnitLoad("office", "linekeeper-office.service", machine.system)
    for attempt in (unit.shed(), unit.restore(), unit.check(shed=True)):
        with pytest.raises(LoadError, match=r"does not run systemd, so linekeeper-office\.service"):
            await attempt


async def test_what_systemctl_says_is_told(machine: Any) -> None:
    machine.program("systemctl", '#!/bin/sh\necho "Failed to stop x.service: Unit x.service not loaded." >&2\nexit 5\n')
    with pytest.raises(LoadError, match=r"systemctl stop x\.service says: Failed to stop .* not loaded"):
        await UnitLoad("office", "x.service", machine.system).shed()


async def test_a_unit_that_somebody_stops_is_left_alone_until_it_is_shed(machine: Any) -> None:
    unit = UnitLoad("office", "x.service", machine.system)
    assert await unit.check(shed=False)
    machine.write("unit-state", "inactive")
    assert await unit.check(shed=False)
    await unit.shed()
    assert not await unit.check(shed=False)
    await unit.restore()
    assert await unit.check(shed=False)


async def test_a_unit_that_was_never_seen_to_work_is_started(machine: Any) -> None:
    machine.write("unit-state", "inactive")
    assert not await UnitLoad("office", "x.service", machine.system).check(shed=False)


async def test_a_unit_that_failed_uses_no_power(machine: Any) -> None:
    machine.write("unit-state", "failed")
    assert await UnitLoad("office", "x.service", machine.system).check(shed=True)


async def test_one_display_of_several_is_switched(machine: Any) -> None:
    machine.write("sys/class/backlight/other/bl_power", "0")
    await DisplayLoad("panel", "panel", machine.system).shed()
    assert machine.read("sys/class/backlight/panel/bl_power") == "4"
    assert machine.read("sys/class/backlight/other/bl_power") == "0"
    with pytest.raises(LoadError, match="no backlight hdmi"):
        await DisplayLoad("hdmi", "hdmi", machine.system).shed()


# --- USB ports ---


def second_line(machine: Any, services: Any) -> UsbPortLoad:
    return UsbPortLoad("second", "1-1", 2, "back", services, machine.system)


@pytest.mark.parametrize("state", ["in_call", "ringing"])
async def test_a_line_with_a_call_on_it_keeps_its_power(machine: Any, services: Any, state: str) -> None:
    services.line_state = state
    load = second_line(machine, services)
    with pytest.raises(LoadBusy, match="a call is on line back"):
        await load.shed()
    assert machine.read("port-power") == "on"
    services.line_state = "idle"
    await load.shed()
    assert machine.read("port-power") == "off"
    assert services.line_state == "resting"


async def test_a_line_that_does_not_rest_in_time_keeps_its_power(
    machine: Any, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.ups.loads.usb_port._REST_SECONDS", 0.5)
    services.line_state = "opening"
    with pytest.raises(LoadBusy, match="does not rest yet"):
        await second_line(machine, services).shed()
    assert machine.read("port-power") == "on"


async def test_a_line_gives_its_port_back_before_power_goes_and_takes_it_after_it_came(
    machine: Any, services: Any
) -> None:
    load = second_line(machine, services)
    order: list[str] = []
    ask, run = services.ask, machine.system.run

    async def asking(service: str, action: str, **details: Any) -> Any:
        order.append(f"rest {details['resting']}")
        return await ask(service, action, **details)

    async def running(*command: str) -> Any:
        order.append(" ".join(command[-2:]))
        return await run(*command)

    services.ask = asking
    load._system = type(machine.system)(machine.system.sys, machine.system.dev, running)
    await load.shed()
    await load.restore()
    assert order == ["rest True", "-a off", "-a on", "rest False"]


async def test_a_hub_that_cannot_switch_leaves_the_line_at_work(machine: Any, services: Any) -> None:
    load = UsbPortLoad("second", "1-9", 2, "back", services, machine.system)
    with pytest.raises(LoadError, match="No compatible devices detected at location 1-9!"):
        await load.shed()
    assert services.line_state == "idle"


async def test_a_hub_that_only_says_it_switches_is_found_out(machine: Any, services: Any) -> None:
    program = machine.folder / "bin/uhubctl"
    machine.program("uhubctl", program.read_text().replace('echo "$6" > $state', "true"))
    with pytest.raises(LoadError, match="few hubs can do it"):
        await second_line(machine, services).shed()
    assert services.line_state == "idle"


async def test_a_line_that_forgot_to_rest_is_found(machine: Any, services: Any) -> None:
    """The calls service was started anew while the port was off."""
    load = second_line(machine, services)
    await load.shed()
    services.line_state = "fault"
    assert not await load.check(shed=True)
    services.line_state = "idle"
    await load.shed()
    assert await load.check(shed=True)


async def test_without_the_calls_service_power_stays(machine: Any, services: Any) -> None:
    services.down = {"calls"}
    with pytest.raises(LoadError, match="load second: no service answers"):
        await second_line(machine, services).shed()
    assert machine.read("port-power") == "on"


async def test_a_calls_service_that_starts_later_is_no_fault_of_the_load(machine: Any, services: Any) -> None:
    """At every boot `power` may be there first; and `calls` may be started again at any time."""
    services.absent = {"calls"}
    load = second_line(machine, services)
    assert await load.check(shed=False)
    await load.restore()
    assert await load.check(shed=False)
    with pytest.raises(LoadBusy):
        await load.shed()
    assert machine.read("port-power") == "on"
    services.absent = set()
    await load.shed()
    services.absent = {"calls"}
    assert await load.check(shed=True)


async def test_a_line_of_another_name_is_told(machine: Any, services: Any) -> None:
    load = UsbPortLoad("second", "1-1", 2, "rear", services, machine.system)
    with pytest.raises(LoadError, match="has no line rear"):
        await load.check(shed=False)


@pytest.mark.parametrize(
    ("output", "powered"),
    [
        (f"{CURRENT}\n  Port 2: 0100 power\n", True),
        (f"{CURRENT}\n  Port 2: 0000 off\n", False),
        (f"{CURRENT}\n  Port 2: 0503 power connect [1:2]\nSent power off request\n{NEW}\n  Port 2: 0000 off\n", False),
        (f"{CURRENT_3}\n  Port 2: 02a0 power 5gbps Rx.Detect\n{CURRENT}\n  Port 2: 0000 off\n", True),
        (f"{CURRENT}\n  Port 12: 0100 power\n", None),
        ("No compatible devices detected!\n", None),
    ],
)
def test_the_last_word_of_uhubctl_on_a_port_counts(output: str, powered: bool | None) -> None:
    assert port_has_power(output, 2) is powered


@given(
    st.text()
    | st.lists(st.sampled_from(["  Port 2: 0100 power", "  Port 2:", "New status for hub", "x"])).map("\n".join)
)
def test_no_output_of_uhubctl_does_harm(output: str) -> None:
    assert port_has_power(output, 2) in (True, False, None)


# --- pins and programs ---


async def test_a_relay_is_driven_from_its_first_use_to_the_end(pins: Any, services: Any) -> None:
    settings = PowerSettings(loads=(LoadSettings(name="fan", kind="relay", pin=20, active="low"),))
    with opened_loads(settings, services) as [(fan, _)]:
        assert pins.pin(20).function == "input"
        await fan.shed()
        assert (pins.pin(20).function, pins.pin(20).state) == ("output", True)
        await fan.restore()
        assert pins.pin(20).state is False
    assert pins.pin(20).function == "input"


async def test_a_service_of_another_version_is_told(services: Any) -> None:
    async def view(*_: str) -> Any:
        return ["old"]

    services.view = view
    with pytest.raises(LoadError, match="bring all services to the same version"):
        await SpeechLoad("speech", services).check(shed=True)


async def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.ups.loads.system._LONGEST_RUN_SECONDS", 0.2)
    with pytest.raises(LoadError, match=r"sleep 60 did not end within 0\.2 s"):
        await run_command("sleep", "60")
    with pytest.raises(LoadError, match="is it installed"):
        await run_command("no-such-program-at-all")
