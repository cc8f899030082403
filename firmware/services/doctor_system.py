"""The health of what Linekeeper stands on: its units, the folders' owners, devices, ModemManager, journal."""

from __future__ import annotations

import grp
from collections.abc import Iterator, Mapping
from pathlib import Path

from firmware.services.finding import Finding
from firmware.services.units import show_unit, systemd_runs
from firmware.settings import Settings

_SERVICES = ("calls", "power", "sync", "office")
_JOURNAL = Path("/var/log/journal")
_DEVICES = (("gpiochip*", "gpio", "pins"), ("i2c-*", "i2c", "fuel gauges"))


def examine_system(settings: Settings) -> Iterator[Finding]:
    """Look at everything below the services; never raises for what it finds."""
    if systemd_runs():
        for service in _SERVICES:
            yield unit_finding(service, show_unit(f"linekeeper-{service}.service", *_PROPERTIES))
        yield _timer()
        yield _modem_manager(show_unit("ModemManager.service", "ActiveState"))
        yield _journal()
    yield from _folders(settings)
    yield from _devices(settings)


_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "NRestarts", "Result", "WatchdogUSec", "StatusText")


def unit_finding(service: str, shown: Mapping[str, str]) -> Finding:
    """What systemd's properties of a service's unit mean for a person."""
    subject, unit = f"unit {service}", f"linekeeper-{service}.service"
    if not shown or shown.get("LoadState") == "not-found":
        return Finding(subject, False, f"{unit} is not installed; run: make install")
    if shown.get("ActiveState") != "active":
        state, result = shown.get("ActiveState"), shown.get("Result")
        return Finding(subject, False, f"{state} ({result}); look at: journalctl -u {unit}")
    if shown.get("WatchdogUSec") in (None, "0", "infinity"):
        return Finding(subject, False, f"active, but no watchdog looks after it; remove what overrides {unit}")
    restarts = shown.get("NRestarts", "0")
    again = f", started again {restarts} times" if restarts != "0" else ""
    return Finding(subject, True, f"active{again}, watchdog {shown['WatchdogUSec']}: {shown.get('StatusText', '')}")


def _timer() -> Finding:
    shown = show_unit("linekeeper-backup.timer", "ActiveState")
    good = shown.get("ActiveState") == "active"
    todo = "every week" if good else "not running; systemctl enable --now linekeeper-backup.timer"
    return Finding("backup timer", good, todo)


def _modem_manager(shown: Mapping[str, str]) -> Finding:
    if shown.get("ActiveState") != "active":
        return Finding("ModemManager", True, "does not run")
    kept_away = Path("/usr/lib/udev/rules.d/70-linekeeper.rules").exists()
    advice = "runs, and is kept away from known modems" if kept_away else "runs and may take the modems; make install"
    return Finding("ModemManager", kept_away, advice)


def _journal() -> Finding:
    kept = _JOURNAL.is_dir()
    sentence = "kept across restarts" if kept else "lost at each restart; create /var/log/journal and restart journald"
    return Finding("journal", kept, sentence)


def _folders(settings: Settings) -> Iterator[Finding]:
    # Others may see the sockets, but not open them; what callers said is for nobody else.
    for name, folder, closed in (("run_dir", settings.run_dir, 0o002), ("data_dir", settings.data_dir, 0o007)):
        if folder.is_dir():
            yield _folder(name, folder, closed)


def _folder(name: str, folder: Path, closed: int) -> Finding:
    status = folder.stat()
    mode = f"{status.st_mode & 0o7777:o}"
    if status.st_mode & closed:
        return Finding(name, False, f"{folder} is open to everybody (mode {mode}); run: chmod o= {folder}")
    return Finding(name, True, f"{folder}, group {_group(status.st_gid)}, mode {mode}")


def _devices(settings: Settings) -> Iterator[Finding]:
    if settings.power.profile in ("none", "bench", "nut"):
        return
    for pattern, group, purpose in _DEVICES:
        devices = sorted(Path("/dev").glob(pattern))
        closed = [str(device) for device in devices if not _open_to(device, group)]
        if closed:
            sentence = f"{', '.join(closed)} cannot be used by the group {group}; run: make install"
            yield Finding(purpose, False, sentence)
        elif devices:
            yield Finding(purpose, True, f"{len(devices)} devices for the group {group}")


def _open_to(device: Path, group: str) -> bool:
    status = device.stat()
    return _group(status.st_gid) == group and status.st_mode & 0o060 == 0o060


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
