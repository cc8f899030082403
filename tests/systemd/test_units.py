"""The units as files: what systemd's own checkers say of them, without running them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.systemd.base import ROOT

UNITS = sorted(
    path for kind in ("service", "timer", "target") for path in (ROOT / "systemd").glob(f"linekeeper*.{kind}")
)
SERVICES = [path for path in UNITS if path.suffix == ".service"]
_RUNNING = [path for path in SERVICES if path.stem != "linekeeper-backup"]
_EXPOSED_AT_MOST = 2.0


def _names(path: Path) -> str:
    return path.name


def analyze(*words: str | Path) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.fixture
def beside_their_program(tmp_path: Path) -> Path:
    """The units in a folder, with programs that exist here: all else is checked as it is."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/linekeeper/bin/linekeeper", shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_checker_is_silent(beside_their_program: Path) -> None:
    assert analyze("verify", "--man=no", *sorted(beside_their_program.iterdir())) == ""


def test_checker_would_tell_of_a_key_that_does_not_exist(beside_their_program: Path) -> None:
    unit = beside_their_program / "linekeeper-calls.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyze("verify", "--man=no", unit)


@pytest.mark.parametrize("unit", SERVICES, ids=_names)
def test_exposure_is_low(unit: Path) -> None:
    told = analyze("security", "--offline=true", "--no-pager", unit)
    [level] = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert float(level) <= _EXPOSED_AT_MOST, told


@pytest.mark.parametrize("unit", _RUNNING, ids=_names)
def test_service_comes_back_for_as_long_as_it_takes(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()
    assert {"Type=notify", "Restart=always", "StartLimitIntervalSec=0", "NotifyAccess=main"} <= set(lines)
    seconds = {key: float(value) for key, value in (line.split("=") for line in lines if line.startswith("Watchdog"))}
    assert 0 < seconds["WatchdogSec"] <= 3


def test_calls_wait_for_neither_network_nor_clock_nor_another_service() -> None:
    text = (ROOT / "systemd" / "linekeeper-calls.service").read_text(encoding="utf-8")
    waits = " ".join(line for line in text.splitlines() if line.startswith(("After=", "Requires=", "Wants=")))
    assert waits == ""


def test_users_and_folders_are_read_without_complaint(tmp_path: Path) -> None:
    for folder in ("etc", "var/lib", "run"):
        (tmp_path / folder).mkdir(parents=True)
    told = [
        subprocess.run([tool, f"--root={tmp_path}", *words], capture_output=True, text=True, check=False)
        for tool, *words in (
            ("systemd-sysusers", str(ROOT / "systemd" / "sysusers.conf")),
            ("systemd-tmpfiles", "--create", str(ROOT / "systemd" / "tmpfiles.conf")),
        )
    ]
    assert [line for done in told for line in done.stderr.splitlines() if not line.startswith("Creating")] == []
    users = (tmp_path / "etc" / "passwd").read_text(encoding="utf-8")
    assert {line.split(":")[0] for line in users.splitlines()} >= {
        "linekeeper", "linekeeper-power", "linekeeper-sync", "linekeeper-office",
    }  # fmt: skip
    assert (tmp_path / "var/lib/linekeeper").stat().st_mode & 0o7777 == 0o2770
    assert (tmp_path / "var/lib/linekeeper/recordings").stat().st_mode & 0o7777 == 0o2750
    assert (tmp_path / "var/lib/linekeeper/sync").stat().st_mode & 0o7777 == 0o700
    assert (tmp_path / "run/linekeeper").stat().st_mode & 0o7777 == 0o1770


def test_modems_are_known_by_the_ids_that_the_rules_name() -> None:
    rules = (ROOT / "systemd" / "udev.rules").read_text(encoding="utf-8")
    pairs = re.findall(r'ATTRS\{idVendor\}=="(\w+)", ATTRS\{idProduct\}=="([^"]+)"', rules)
    known = ["0572:1340", "0572:1329", "0572:1328", "0572:1348", "0572:1349", "0572:1324", "0803:3095", "0baf:0303"]
    known += ["0baf:6112", "06e0:f120", "06e0:0319", "06e0:f101", "06e0:f104", "06e0:f107", "06e0:f114"]
    for vendor, product in (name.split(":") for name in known):
        assert any(vendor == of and re.fullmatch(ids, product) for of, ids in pairs), f"{vendor}:{product}"
    soft_modem = ("0483", "7554")
    assert not any(soft_modem[0] == of and re.fullmatch(ids, soft_modem[1]) for of, ids in pairs)
