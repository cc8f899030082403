"""`python -m benchmarks.power_budget` prints what each tier saves and how long the reference battery lasts.

Nothing here was measured by us. Each figure says where it comes from; docs/power.md holds what this prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from firmware.power_settings import PowerSettings

VOLTS = 5.0
SETTINGS = PowerSettings()
GOAL_HOURS = 2.0  # requirement C2


@dataclass(frozen=True, slots=True)
class Part:
    """Current at 5 V while it works and while it is shed; `tier` 0 is never shed."""

    name: str
    tier: int
    on_ma: float
    shed_ma: float
    basis: str
    count: int = 1

    def watts(self, shed_tiers: int) -> float:
        shed = 0 < self.tier <= shed_tiers
        return self.count * (self.shed_ma if shed else self.on_ma) / 1000 * VOLTS


@dataclass(frozen=True, slots=True)
class Battery:
    """Cells in parallel behind a converter to 5 V."""

    cells: int = 2
    amp_hours: float = 3.35  # published: Panasonic NCR18650B, nominal
    volts: float = 3.6  # published, the same
    converter: float = 0.85  # assumed
    worn: float = 0.8  # assumed: what is left where cells are commonly called worn out

    def watt_hours(self, *, worn: bool) -> float:
        """At 5 V, down to the charge at which the policy ends the service."""
        above_low = 1 - SETTINGS.low_battery_percent / 100
        return self.cells * self.amp_hours * self.volts * self.converter * above_low * (self.worn if worn else 1.0)


PI_4 = Part("Raspberry Pi 4B", 0, 600, 600, "published: Raspberry Pi documentation, typical bare-board active current")
PI_5 = Part("Raspberry Pi 5", 0, 800, 800, "published: the same table")
FIRST_MODEM = Part("USB modem, first line", 0, 240, 240, "published: USR5637, typical current from USB (most: 360)")
SECOND_MODEM = Part("USB modem, second-rank line", 2, 240, 0, "published: the same; its hub port is switched off")
HUB = Part("USB hub with switched ports", 0, 50, 50, "assumed")
DISPLAY = Part(
    'display 7", brightness 125 of 255', 1, 250, 65, "measured by a user (Raspberry Pi forum, topic 216821); dark: 65"
)
FAN = Part("cooling fan", 1, 90, 0, "measured by others: chipwired.com, 0.45 W")
WIFI = Part("Wi-Fi, idle (contained in the board's figure)", 1, 0, -60, "assumed")
SPEECH = Part(
    "speech worker, one core busy", 1, 170, 0, "derived: geerlingguy/sbc-reviews issue 4, (5.0 - 1.6 W) for four cores"
)
WEB = Part("office pages and full sync", 2, 20, 0, "assumed")

REFERENCE = (PI_4, FIRST_MODEM, SECOND_MODEM, HUB, DISPLAY, FAN, WIFI, SPEECH, WEB)
FOUR_LINES = tuple(replace(part, count=3) if part is SECOND_MODEM else part for part in REFERENCE)
WITH_PI_5 = (PI_5, *REFERENCE[1:])
PLAIN = (PI_4, FIRST_MODEM)

INSTALLATIONS: dict[str, Sequence[Part]] = {
    "reference: Pi 4B, two lines, display, fan": REFERENCE,
    "the same with four lines": FOUR_LINES,
    "the same with a Pi 5, two lines": WITH_PI_5,
    "Pi 4B, one line, nothing else": PLAIN,
}


def watts(parts: Sequence[Part], shed_tiers: int) -> float:
    """What an installation draws with so many tiers shed."""
    return sum(part.watts(shed_tiers) for part in parts)


def hours(parts: Sequence[Part], watt_hours: float, *, shedding: bool = True) -> float:
    """From the loss of mains to low battery, as the policy sheds: tier 1 at once, tier 2 after its time."""
    if not shedding:
        return watt_hours / watts(parts, 0)
    first_hours = SETTINGS.second_tier_after_seconds / 3600
    left = watt_hours - first_hours * watts(parts, 1)
    return first_hours + left / watts(parts, 2) if left > 0 else watt_hours / watts(parts, 1)


def parts_table() -> str:
    """Markdown: each part of the reference installation."""
    rows = [
        f"| {part.name} | {part.tier or 'never'} | {part.on_ma:.0f} | {part.on_ma - part.shed_ma:.0f} | {part.basis} |"
        for part in (*REFERENCE[:1], PI_5, *REFERENCE[1:])
    ]
    head = (
        "| Part | shed in tier | mA at 5 V | saved when shed | where the figure comes from |\n"
        "| --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def runtime_table(battery: Battery) -> str:
    """Markdown: each installation's draw in every tier, and its time on battery."""
    head = (
        "| Installation | W, all on | W, tier 1 shed | W, tier 2 shed | h without shedding | h new | h worn |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    new, worn = battery.watt_hours(worn=False), battery.watt_hours(worn=True)
    rows = [
        f"| {name} | {watts(parts, 0):.1f} | {watts(parts, 1):.1f} | {watts(parts, 2):.1f}"
        f" | {hours(parts, new, shedding=False):.1f} | {hours(parts, new):.1f} | {hours(parts, worn):.1f} |"
        for name, parts in INSTALLATIONS.items()
    ]
    return "\n".join([head, *rows])


def battery_sentence(battery: Battery) -> str:
    """What the reference battery is."""
    nominal = battery.cells * battery.amp_hours * battery.volts
    return (
        f"Reference battery: {battery.cells} cells 18650 of {battery.amp_hours:g} Ah and {battery.volts:g} V"
        f" (published: Panasonic NCR18650B), {nominal:.1f} Wh; converter {battery.converter:.0%} (assumed), used down"
        f" to {SETTINGS.low_battery_percent:g} %: {battery.watt_hours(worn=False):.1f} Wh at 5 V when new,"
        f" {battery.watt_hours(worn=True):.1f} Wh with {battery.worn:.0%} of its capacity left (assumed)."
    )


def report() -> str:
    """All of it."""
    battery = Battery()
    return "\n\n".join([parts_table(), battery_sentence(battery), runtime_table(battery)])


if __name__ == "__main__":
    print(report())
