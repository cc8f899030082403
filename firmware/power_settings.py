"""The power section of the configuration: what watches mains and battery, what is shed, and when.

Every figure is a default of the requirements (C1 to C4) or of power-reference 1.3.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from firmware.settings_section import Folder, Section

Pin = Annotated[int, Field(ge=0, le=27)]
"""A GPIO of the 40-pin header, by Broadcom number."""

Command = Annotated[tuple[str, ...], Field(min_length=1)]
"""A program by name or whole path, and its arguments."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class LoadSettings(Section):
    """One load: what it is, and in which tier it is shed."""

    name: Name
    kind: Literal["speech", "sync", "relay", "unit", "radio", "display", "usb_port"]
    tier: Annotated[int, Field(ge=1, le=2)] = 1
    """1: at once. 2: after `second_tier_after_seconds` without mains."""
    pin: Pin | None = None
    """relay: the pin that switches it."""
    active: Literal["high", "low"] = "high"
    """relay: the level at which the load has power."""
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9@_.:-]{1,128}\.(service|timer|socket|target)$")] | None = None
    """unit: the systemd unit that is stopped."""
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    """radio: rfkill's word for it (wifi, bluetooth); display: a backlight below /sys/class/backlight."""
    unless_only_network: bool = True
    """radio: left on where no wired interface has a link."""
    hub: Annotated[str, Field(pattern=r"^\d+(-\d+(\.\d+)*)?$")] | None = None
    """usb_port: the hub's location as uhubctl tells it."""
    port: Annotated[int, Field(ge=1, le=16)] | None = None
    """usb_port: the port of that hub."""
    line: Name | None = None
    """usb_port: the telephone line whose modem is there; it is never switched off with a call on it."""
    every_seconds: Annotated[float, Field(ge=60, le=86_400)] = 900.0
    """sync: how often records are delivered while it is shed."""

    @model_validator(mode="after")
    def _whole(self) -> LoadSettings:
        needed = {"relay": ("pin",), "unit": ("unit",), "radio": ("device",), "usb_port": ("hub", "port")}
        missing = [field for field in needed.get(self.kind, ()) if getattr(self, field) is None]
        if missing:
            raise ValueError(f"load {self.name}: a load of the kind {self.kind} needs {' and '.join(missing)}")
        return self


class ContactSettings(Section):
    """An alarm contact on a pin: fire, door, cooling."""

    name: Name
    pin: Pin
    active: Literal["high", "low"] = "high"
    """The level that means alarm. A contact that opens in alarm (NC to ground, with a pull-up) is `high`, and a broken
    wire is then an alarm as well."""
    pull: Literal["up", "down", "none"] = "up"
    debounce_seconds: Annotated[float, Field(ge=0, le=10)] = 0.2
    summary: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The sentence of the incident."""


class LampSettings(Section):
    """Pins of the status lamps; one that is not wired is left out."""

    line: Pin | None = None
    message: Pin | None = None
    power: Pin | None = None
    fault: Pin | None = None


_DEFAULT_LOADS = (
    LoadSettings(name="speech", kind="speech", tier=1),
    LoadSettings(name="sync", kind="sync", tier=2),
)


class PowerSettings(Section):
    """What watches mains and battery, and what is done."""

    profile: Annotated[str, Field(pattern=r"^(/.+\.toml|[a-z0-9_-]{1,40})$")] = "none"
    """none, bench (with `socket`), nut (with `server` and `ups`), a UPS profile by name, or the path of your own."""
    socket: Folder | None = None
    """bench: where the simulated UPS listens."""
    server: Annotated[str, Field(pattern=r"^[^\s:]+(:\d{1,5})?$")] = "127.0.0.1:3493"
    """nut: host and port of upsd."""
    ups: Name = "ups"
    """nut: the name that upsd gives the UPS."""
    user: str | None = None
    """nut: who may tell the UPS to cut its output."""
    password_file: Folder | None = None

    confirm_loss_seconds: Annotated[float, Field(ge=0.05, le=10)] = 0.3
    """Mains must be away so long before anything is done; shorter cuts are noise. C1 wants loss seen within 1 s."""
    mains_steady_seconds: Annotated[float, Field(ge=1, le=300)] = 15.0
    """Mains must be there so long before the outage counts as over."""
    restore_after_seconds: Annotated[float, Field(ge=1, le=3600)] = 120.0
    """Mains must be there so long before loads come back (C4)."""
    between_loads_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0
    """From a load that came back to the next one, so that their inrush does not add up."""
    second_tier_after_seconds: Annotated[float, Field(ge=5, le=86_400)] = 600.0
    """Seconds without mains after which the second tier is shed (C2)."""
    battery_budget_seconds: Annotated[float, Field(ge=30)] | None = None
    """Seconds on battery that count as low battery, for a UPS that tells nothing of its battery."""
    low_battery_percent: Annotated[float, Field(ge=1, le=90)] = 10.0
    low_runtime_seconds: Annotated[float, Field(ge=0)] = 180.0
    """Below either of these the battery counts as low, where the UPS tells them."""
    confirm_low_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0
    low_battery_hold_seconds: Annotated[float, Field(ge=1, le=600)] = 20.0
    """From low battery to the shutdown that nothing stops any more: callers are told and released meanwhile."""
    quiet_seconds: Annotated[float, Field(ge=1, le=300)] = 30.0
    """The longest wait for recordings and the database before power is cut."""
    dead_after_seconds: Annotated[float, Field(ge=2, le=300)] = 15.0
    """A source that is silent so long is dead; dead while on battery counts as low battery (NUT's DEADTIME)."""
    shut_down_unproved: bool = False
    """Shut down also on the word of pins that no pull-the-plug test proved. Wrong wiring may say "low" for ever, and
    records survive a battery that simply ends; so an unproved board sheds loads and no more."""
    power_race_seconds: Annotated[float, Field(ge=1, le=3600)] = 300.0
    """Still running so long after the shutdown, with mains back: start anew, as the UPS never cut."""
    charge_gate_percent: Annotated[float, Field(ge=0, le=100)] = 25.0
    charge_gate_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    """After a start from an empty battery loads stay shed until it holds so much, or mains was there so long; each
    outage that follows at once doubles the time."""
    battery_reminder_seconds: Annotated[float, Field(ge=60)] = 43_200.0
    """A battery that should be replaced is told again so often (NUT's RBWARNTIME)."""

    off_command: Command = ("systemctl", "poweroff")
    reboot_command: Command = ("systemctl", "reboot")
    loads: tuple[LoadSettings, ...] = _DEFAULT_LOADS
    contacts: tuple[ContactSettings, ...] = ()
    lamps: LampSettings = LampSettings()
    too_hot_celsius: Annotated[float, Field(ge=30, le=120)] = 80.0
    """The processor's temperature from which on it is an incident. A Pi slows itself down at 80."""

    @model_validator(mode="after")
    def _whole(self) -> PowerSettings:
        if self.profile == "bench" and self.socket is None:
            raise ValueError("the profile bench needs the socket of a simulated UPS: socket: /...")
        if self.restore_after_seconds < self.mains_steady_seconds:
            raise ValueError("restore_after_seconds is shorter than mains_steady_seconds")
        for what, named in (("load", self.loads), ("contact", self.contacts)):
            names = [item.name for item in named]
            if len(set(names)) < len(names):
                raise ValueError(f"two {what}s have the same name")
        return self
