"""What each command for the bench's UPS does to it."""

from __future__ import annotations

from firmware.simulation import power_commands as commands
from firmware.simulation.ups import SimulatedUps
from firmware.simulation.ups_battery import Battery


def set_power(ups: SimulatedUps, command: commands.PowerCommand) -> None:
    """Done when it returns, except a flap, which goes on."""
    match command:
        case commands.SetMains(on):
            ups.set_mains(on=on)
        case commands.SetBatteryLow(low):
            ups.set_battery_low(low=low)
        case commands.SetBattery(percent, watt_hours, load_watts):
            ups.set_battery(Battery(percent, watt_hours, load_watts))
        case commands.Flap(seconds, times):
            ups.flap(seconds, times)
        case commands.SetContact(name, active):
            ups.set_contact(name, active=active)
        case _:
            _set_fault(ups, command)


def _set_fault(
    ups: SimulatedUps, command: commands.SetReplaceBattery | commands.SetSilent | commands.SetNeverCuts
) -> None:
    match command:
        case commands.SetReplaceBattery(replace):
            ups.set_replace_battery(replace=replace)
        case commands.SetSilent(silent):
            ups.silent = silent
        case commands.SetNeverCuts(never):
            ups.set_never_cuts(never=never)
