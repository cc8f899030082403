"""Simulated lines made for measuring: any profile for each, on ptys or in memory, with an onlooker for every byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from firmware.simulation.bench import BenchLine
from firmware.simulation.exchange import Exchange
from firmware.simulation.modem.modem import SimulatedModem
from firmware.simulation.modem.outlet import Traffic
from firmware.simulation.modem.profile import ModemProfile, load_profile
from firmware.simulation.pty_wire import PtyWire
from firmware.simulation.wires import MemoryWire

_FIRST_NUMBER = 8000


def prompt_profile(name: str = "conexant") -> ModemProfile:
    """A family whose modem answers every command at once, so that all time that passes is the appliance's own."""
    return replace(load_profile(name), command_seconds=0.0, reset_seconds=0.0)


def add_line(
    exchange: Exchange,
    profile: ModemProfile | str,
    directory: Path | None = None,
    *,
    traffic: Traffic | None = None,
    stream_interval_seconds: float = 0.02,
) -> BenchLine:
    """One more line with its modem, unplugged; on a pty below `directory`, else in memory."""
    number = len(exchange.lines) + 1
    name = f"line{number}"
    card = exchange.add_line(name, str(_FIRST_NUMBER + number))
    wire = PtyWire(directory / name) if directory else MemoryWire(f"bench:{name}")
    modem = SimulatedModem(card.loop, wire, profile, traffic=traffic, stream_interval_seconds=stream_interval_seconds)
    return BenchLine(name, card.loop, card, modem, wire)


def configuration(folder: Path, lines: dict[str, str], more: str = "") -> str:
    """The text of a configuration file whose data lies below `folder`; `lines` maps names to ports."""
    told = "".join(f"  - {{name: {name}, port: '{port}'}}\n" for name, port in lines.items())
    return f"data_dir: {folder / 'data'}\nrun_dir: {folder / 'run'}\nlines:\n{told}{more}"
