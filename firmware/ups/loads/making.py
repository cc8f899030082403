"""The one place that knows which load is switched how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from firmware.ports import LoadSwitch
from firmware.power_settings import LoadSettings, PowerSettings
from firmware.ups.loads.asking import Asker
from firmware.ups.loads.display import DisplayLoad
from firmware.ups.loads.radio import RadioLoad
from firmware.ups.loads.relay import RelayLoad
from firmware.ups.loads.services import SpeechLoad, SyncLoad
from firmware.ups.loads.system import System
from firmware.ups.loads.unit import UnitLoad
from firmware.ups.loads.usb_port import UsbPortLoad


@contextmanager
def opened_loads(
    settings: PowerSettings, asker: Asker, system: System | None = None
) -> Iterator[list[tuple[LoadSwitch, int]]]:
    """Every load with the tier in which it is shed. Nothing is switched by making them; pins are given back at the end.

    A relay whose pin is given back rests: wire it so that the load then has power.
    """
    machine = system or System()
    with ExitStack() as opened:
        yield [(_make(load, asker, machine, opened), load.tier) for load in settings.loads]


def _make(load: LoadSettings, asker: Asker, system: System, opened: ExitStack) -> LoadSwitch:
    makers: dict[str, Callable[[], LoadSwitch]] = {
        "speech": lambda: SpeechLoad(load.name, asker),
        "sync": lambda: SyncLoad(load.name, load.every_seconds, asker),
        "relay": lambda: _relay(load, opened),
        "unit": lambda: UnitLoad(load.name, _given(load.unit), system),
        "radio": lambda: RadioLoad(load.name, _given(load.device), load.unless_only_network, system),
        "display": lambda: DisplayLoad(load.name, load.device, system),
        "usb_port": lambda: _usb_port(load, asker, system),
    }
    return makers[load.kind]()


def _relay(load: LoadSettings, opened: ExitStack) -> LoadSwitch:
    assert load.pin is not None
    relay = RelayLoad(load.name, load.pin, load.active)
    opened.callback(relay.close)
    return relay


def _usb_port(load: LoadSettings, asker: Asker, system: System) -> LoadSwitch:
    assert load.port is not None
    return UsbPortLoad(load.name, _given(load.hub), load.port, load.line, asker, system)


def _given(value: str | None) -> str:
    # The settings refuse a load that lacks it.
    assert value is not None
    return value
