"""The real package under a real systemd, in a container: start, sandbox, watchdog, restart, timers, stop.

Where something is refused, the same thing is shown to work where it is allowed: a refusal must be the sandbox's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware.storage.queries import Records
from firmware.storage.record_json import Record
from tests.systemd.machine import PYTHON, Machine

# The first run makes the Debian root: minutes.
pytestmark = pytest.mark.timeout(900)

SERVICES = ("calls", "power", "sync", "office")
_BACK_WITHIN_SECONDS = 5.0
# The machine that tests run on is shared: what takes half a second of computing may take three.
_SLACK_SECONDS = 5.0

_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
    print("connected")
except OSError as error:
    print("refused:", type(error).__name__)
"""
_OPEN = """
import os, sys
try:
    os.close(os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    print("opened")
except OSError as error:
    print("refused:", error.strerror)
"""
_WRITE = """
import sys
for name in sys.argv[1:]:
    try:
        with open(name, "w") as file:
            file.write("x")
        print("written")
    except OSError as error:
        print("refused:", error.strerror)
"""
_GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
_SPEECH = """
import random
from pathlib import Path
from firmware import wav
from firmware.pcm import SampleFormat
from firmware.simulation.voices import babble
Path("/run/bench/speech.wav").write_bytes(wav.dump(SampleFormat.S16, babble(30.0, random.Random(5))))
"""
_CONFIG = "/etc/linekeeper/linekeeper.yaml"
_READ = _WRITE.replace(', "w"', "").replace('file.write("x")', "file.read()").replace("written", "read")


def unit(service: str) -> str:
    return f"linekeeper-{service}.service"


def pids(machine: Machine) -> dict[str, int]:
    return {service: machine.main_process(service) for service in SERVICES}


def active(machine: Machine, service: str) -> bool:
    return machine.shows(unit(service), "ActiveState")["ActiveState"] == "active"


def tried(machine: Machine, service: str, script: str, *words: str) -> str:
    return machine.inside(unit(service), PYTHON, "-c", script, *words).stdout


def bench(machine: Machine, *commands: Mapping[str, object]) -> None:
    machine.run("tee", "/run/bench/commands", typed="".join(json.dumps(command) + "\n" for command in commands))


def told(machine: Machine, *command: str) -> Any:
    return json.loads(machine.run("linekeeper", "--config", _CONFIG, *command, "--json"))


def power(machine: Machine) -> Any:
    return machine.ask("power", "status")


def loads_shed(machine: Machine) -> set[str]:
    return {load["load"] for load in power(machine)["loads"] if load["shed"] and load["fault"] is None}


def page(machine: Machine) -> Any:
    return json.loads(machine.run(PYTHON, "-c", _GET, "http://127.0.0.1:8080/health"))


def open_incidents(machine: Machine, kind: str) -> int:
    found = told(machine, "incidents", "list")
    return sum(incident["kind"] == kind and incident["ended_at"] is None for incident in found)


@pytest.fixture(scope="module")
def tty(machine: Machine) -> str:
    """A device with the number and group of a USB modem. Nobody is behind it: whoever may open it learns just that."""
    machine.run("mknod", "-m", "0660", "/dev/ttyACM0", "c", "166", "0")
    machine.run("chgrp", "dialout", "/dev/ttyACM0")
    return "/dev/ttyACM0"


def test_all_services_are_active_and_ready(machine: Machine) -> None:
    for service in SERVICES:
        assert active(machine, service), machine.run("systemctl", "status", "--no-pager", unit(service), check=False)
    assert machine.run("systemctl", "is-active", "linekeeper.target").strip() == "active"
    status = machine.shows(unit("calls"), "StatusText", "NRestarts", "WatchdogUSec")
    assert status == {"StatusText": "2 of 2 lines in service", "NRestarts": "0", "WatchdogUSec": "3s"}


def test_calls_and_power_start_before_office_and_sync(machine: Machine) -> None:
    started = {
        service: int(times["ActiveEnterTimestampMonotonic"])
        for service in SERVICES
        for times in [machine.shows(unit(service), "ActiveEnterTimestampMonotonic")]
    }
    began = {
        service: int(times["InactiveExitTimestampMonotonic"])
        for service in SERVICES
        for times in [machine.shows(unit(service), "InactiveExitTimestampMonotonic")]
    }
    assert max(started["calls"], started["power"]) <= min(began["office"], began["sync"])


def test_users_and_folders_are_as_the_files_say(machine: Machine) -> None:
    found = machine.run(
        "stat", "-c", "%n %a %U %G", "/run/linekeeper", "/var/lib/linekeeper", "/var/lib/linekeeper/recordings",
        "/var/lib/linekeeper/linekeeper.db", "/etc/linekeeper/linekeeper.yaml", "/run/linekeeper/office.sock",
    )  # fmt: skip
    assert found.splitlines() == [
        "/run/linekeeper 1770 linekeeper linekeeper",
        "/var/lib/linekeeper 2770 root linekeeper",
        "/var/lib/linekeeper/recordings 2750 linekeeper linekeeper",
        "/var/lib/linekeeper/linekeeper.db 660 linekeeper linekeeper",
        "/etc/linekeeper/linekeeper.yaml 640 root linekeeper",
        "/run/linekeeper/office.sock 660 linekeeper-office linekeeper",
    ]
    users = {machine.run("stat", "-c", "%U", f"/proc/{pid}").strip() for pid in pids(machine).values()}
    assert users == {"linekeeper", "linekeeper-power", "linekeeper-sync", "linekeeper-office"}
    groups = machine.run("id", "-nG", "linekeeper").split(), machine.run("id", "-nG", "linekeeper-power").split()
    assert set(groups[0]) == {"linekeeper", "dialout", "audio"}
    assert set(groups[1]) == {"linekeeper", "gpio", "i2c"}


def test_a_call_is_answered_and_recorded(machine: Machine) -> None:
    bench(machine, {"line": "line1", "do": "ring", "number": "13800138000"})
    machine.until(lambda: "in_call" in json.dumps(machine.ask("calls", "lines")), 20)
    bench(machine, {"line": "line1", "do": "hang_up"})
    [call] = told(machine, "calls", "list")
    assert call["caller_number"] == "13800138000"


def test_calls_reach_no_network_and_sync_does_and_office_is_reached(machine: Machine) -> None:
    assert tried(machine, "calls", _CONNECT, "127.0.0.1", "8080").startswith("refused")
    assert tried(machine, "sync", _CONNECT, "127.0.0.1", "8080").startswith("connected")
    assert machine.run(PYTHON, "-c", _CONNECT, "127.0.0.1", "8080").startswith("connected")


def test_power_reaches_this_machine_and_nothing_further(machine: Machine) -> None:
    machine.run("ip", "link", "add", "far", "type", "dummy", check=False)
    machine.run("ip", "address", "replace", "192.0.2.1/24", "dev", "lo")
    machine.run("systemd-run", "--unit=far-server", PYTHON, "-m", "http.server", "--bind", "192.0.2.1", "8099")
    machine.until(lambda: machine.run(PYTHON, "-c", _CONNECT, "192.0.2.1", "8099").startswith("connected"), 15)
    assert tried(machine, "power", _CONNECT, "127.0.0.1", "8080").startswith("connected")
    assert tried(machine, "power", _CONNECT, "192.0.2.1", "8099").startswith("refused")


def test_only_calls_open_serial_ports(machine: Machine, tty: str) -> None:
    # Nobody is behind the device, and "No such device" is the kernel's answer to whoever may open it.
    assert tried(machine, "calls", _OPEN, tty).strip() == "refused: No such device or address"
    assert tried(machine, "power", _OPEN, tty).strip() in (
        "refused: Operation not permitted",
        "refused: Permission denied",
    )
    for service in ("sync", "office", "backup"):
        assert tried(machine, service, _OPEN, tty).strip() == "refused: No such file or directory"


def test_recordings_are_written_by_calls_alone(machine: Machine) -> None:
    file = "/var/lib/linekeeper/recordings/probe"
    assert tried(machine, "calls", _WRITE, file).strip() == "written"
    assert tried(machine, "sync", _READ, file).strip() == "read"
    assert tried(machine, "sync", _WRITE, file).startswith("refused")
    for service in ("office", "power"):
        assert tried(machine, service, _READ, file).startswith("refused")
        assert tried(machine, service, _WRITE, file).startswith("refused")
    machine.run("rm", file)


def test_key_of_the_appliance_is_for_sync_alone(machine: Machine) -> None:
    file = "/var/lib/linekeeper/sync/probe"
    assert tried(machine, "sync", _WRITE, file).strip() == "written"
    for service in ("calls", "office", "power"):
        assert tried(machine, service, _READ, file).startswith("refused")
    machine.run("rm", file)


def test_nothing_outside_is_written(machine: Machine) -> None:
    for service in SERVICES:
        files = ("/etc/linekeeper/probe", "/opt/linekeeper/probe", "/root/probe", "/usr/lib/probe")
        said = tried(machine, service, _WRITE, *files).splitlines()
        assert [line.partition(":")[0] for line in said] == ["refused"] * len(files), (service, said)


def test_loss_of_mains_is_on_the_status_page_and_sheds_the_office_until_mains_is_back(machine: Machine) -> None:
    machine.until(lambda: power(machine)["state"] == "on_mains" and len(power(machine)["loads"]) == 3, 20)
    assert [load for load in power(machine)["loads"] if load["shed"] or load["fault"]] == []
    assert open_incidents(machine, "power") == 0
    bench(machine, {"power": "mains", "on": False})
    machine.until(lambda: page(machine)["power"]["state"] == "on_battery" and page(machine)["open_incidents"] > 0, 5)
    assert page(machine)["well"] is False
    seen = machine.run(PYTHON, "-c", _GET, "http://127.0.0.1:8080/?lang=zh")
    assert "电话值守" in seen
    assert "13800138000" not in seen
    machine.until(lambda: not active(machine, "office"), 5 + _SLACK_SECONDS)
    machine.until(lambda: loads_shed(machine) == {"speech", "office", "sync"}, _SLACK_SECONDS)
    assert power(machine)["tier"] == 2
    assert open_incidents(machine, "power") == 1
    bench(machine, {"power": "mains", "on": True})
    machine.until(lambda: loads_shed(machine) == set(), 5 + 3 * _SLACK_SECONDS)
    assert active(machine, "office")
    assert page(machine)["power"] == {"state": "on_mains", "tier": 0, "battery_percent": None, "proved": False}
    assert open_incidents(machine, "power") == open_incidents(machine, "load") == 0


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("trouble", "signal"), [("killed", "KILL"), ("crashed", "SEGV"), ("hung", "STOP")])
def test_service_is_back_and_the_others_unharmed(machine: Machine, service: str, trouble: str, signal: str) -> None:
    before = pids(machine)
    machine.run("kill", f"-{signal}", str(before[service]))

    def back() -> bool:
        return machine.main_process(service) not in (0, before[service]) and active(machine, service)

    machine.until(back, _BACK_WITHIN_SECONDS + _SLACK_SECONDS)
    after = pids(machine)
    assert {name: pid for name, pid in after.items() if name != service} == {
        name: pid for name, pid in before.items() if name != service
    }
    if trouble == "hung":
        said = machine.run("journalctl", "--no-pager", "-o", "cat", "-n", "300", "-u", unit(service))
        assert "Watchdog timeout" in said
        assert "most recent call first" in said


def test_a_hung_line_does_not_trip_the_watchdog(machine: Machine) -> None:
    before = pids(machine)["calls"]
    bench = machine.shows("bench.service", "MainPID")["MainPID"]
    machine.run("kill", "-STOP", bench)
    machine.until(lambda: all(line["fault"] for line in machine.ask("calls", "lines")), 60)
    assert pids(machine)["calls"] == before
    machine.until(lambda: "0 of 2 lines" in machine.shows(unit("calls"), "StatusText")["StatusText"], 10)
    machine.run("kill", "-CONT", bench)
    machine.until(lambda: not any(line["fault"] for line in machine.ask("calls", "lines")), 60)
    assert pids(machine)["calls"] == before


def test_doctor_finds_the_units_and_what_they_stand_on_well(machine: Machine) -> None:
    # The lines may just be coming back from the test before.
    machine.until(lambda: "2 of 2 lines" in machine.shows(unit("calls"), "StatusText")["StatusText"], 30)
    findings = json.loads(machine.done("linekeeper", "--config", _CONFIG, "doctor", "--json").stdout)
    found = {finding["subject"]: finding for finding in findings}
    subjects = [*(f"unit {service}" for service in SERVICES), "backup timer", "ModemManager", "run_dir", "data_dir"]
    assert [found[subject]["sentence"] for subject in subjects if not found[subject]["good"]] == []
    assert "watchdog 3s: 2 of 2 lines in service" in found["unit calls"]["sentence"]


def test_backup_timer_is_set_and_starts_its_service(machine: Machine) -> None:
    listed = machine.run("systemctl", "list-timers", "--no-pager", "--all")
    assert "linekeeper-backup.timer" in listed
    assert machine.shows("linekeeper-backup.timer", "Persistent")["Persistent"] == "yes"
    machine.run("mkdir", "-p", "/run/systemd/system/linekeeper-backup.timer.d")
    machine.run(
        "tee", "/run/systemd/system/linekeeper-backup.timer.d/now.conf",
        typed="[Timer]\nOnCalendar=\nOnActiveSec=1s\nAccuracySec=1ms\nRandomizedDelaySec=0\n",
    )  # fmt: skip
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "linekeeper-backup.timer")
    machine.until(lambda: machine.shows("linekeeper-backup.service", *_ENDED) == {
        "ActiveState": "inactive", "Result": "success", "ExecMainCode": "1",
    }, 15 + _SLACK_SECONDS)  # fmt: skip
    [file] = machine.run("sh", "-c", "ls /var/backups/linekeeper/*").split()
    assert machine.run("stat", "-c", "%a %U %G", file).strip() == "640 linekeeper linekeeper"
    assert open_incidents(machine, "backup") == 0
    _restore_elsewhere(machine, file)


# Of a unit that never ran the code is 0; 1 is CLD_EXITED.
_ENDED = ("ActiveState", "Result", "ExecMainCode")


def _restore_elsewhere(machine: Machine, file: str) -> None:
    """As root, with a careless umask: what comes back must still be the services' own."""
    restored = "/var/lib/restored"
    machine.run("install", "-d", "-m", "2770", "-g", "linekeeper", restored)
    machine.run("sh", "-c", f"sed 's|^data_dir: .*|data_dir: {restored}|' {_CONFIG} >/run/restored.yaml")
    words = ("linekeeper", "--config", "/run/restored.yaml")
    assert "restored what was saved" in machine.run("sh", "-c", 'umask 0027; exec "$@"', "sh", *words, "restore", file)
    calls = json.loads(machine.run(*words, "calls", "list", "--json"))
    assert [(call["caller_number"], call["end_reason"]) for call in calls] == [("13800138000", "caller_hung_up")]
    assert machine.run("stat", "-c", "%a %G", f"{restored}/linekeeper.db").strip() == "660 linekeeper"


def test_power_may_switch_its_loads_and_nothing_else(machine: Machine) -> None:
    before = pids(machine)
    for verb in ("stop", "start"):
        done = machine.inside(unit("power"), "/usr/bin/systemctl", verb, unit("sync"))
        assert done.returncode == 0, done.stdout
        assert active(machine, "sync") is (verb == "start")
    assert machine.inside(unit("power"), "/usr/bin/systemctl", "stop", unit("calls")).returncode != 0
    assert machine.inside(unit("calls"), "/usr/bin/systemctl", "stop", unit("sync")).returncode != 0
    assert machine.inside(unit("office"), "/usr/bin/systemctl", "poweroff").returncode != 0
    assert {**pids(machine), "sync": 0} == {**before, "sync": 0}


def test_udev_reads_the_rules_without_complaint(machine: Machine) -> None:
    said = machine.run("udevadm", "test", "--action=add", "/sys/devices/virtual/tty/ptmx", check=False)
    assert "70-linekeeper.rules" in said
    assert re.findall(r"70-linekeeper\.rules:\d+.*", said) == []


_STOPPING = ("ActiveExitTimestampMonotonic", "InactiveEnterTimestampMonotonic")


def test_stop_is_clean_and_in_order(machine: Machine) -> None:
    machine.run("systemctl", "stop", "linekeeper.target")
    machine.until(lambda: not any(active(machine, service) for service in SERVICES), 45)
    machine.until(lambda: all(machine.main_process(service) == 0 for service in SERVICES), 45)
    for service in SERVICES:
        shown = machine.shows(unit(service), "ActiveState", "Result", "ExecMainStatus")
        assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}, service
    times = {service: machine.shows(unit(service), *_STOPPING) for service in SERVICES}
    for later in ("calls", "power"):
        for earlier in ("office", "sync"):
            assert int(times[earlier][_STOPPING[1]]) <= int(times[later][_STOPPING[0]])
    left = machine.run("sh", "-c", "ls /run/linekeeper/*.sock /var/lib/linekeeper/*-wal 2>/dev/null", check=False)
    assert left == ""
    machine.run("systemctl", "start", "linekeeper.target")
    machine.until(lambda: all(active(machine, service) for service in SERVICES), 30)


def test_low_battery_with_a_caller_on_the_line_ends_everything_in_good_order(machine: Machine) -> None:
    """The last one: afterwards the machine is down, and what it left on its disk is looked at."""
    machine.until(lambda: power(machine)["state"] == "on_mains" and loads_shed(machine) == set(), 20)
    machine.run(PYTHON, "-c", _SPEECH)
    caller = {"line": "line1", "do": "ring", "number": "13900139000"}
    bench(machine, caller, {"line": "line1", "do": "key", "keys": "21"})
    machine.until(lambda: machine.done("sh", "-c", "ls /var/lib/linekeeper/recordings/*.partial").returncode == 0, 60)
    bench(machine, {"line": "line1", "do": "speak", "file": "/run/bench/speech.wav"})
    time.sleep(2.0)  # what the caller says until then
    bench(machine, {"power": "mains", "on": False}, {"power": "battery_low"})
    machine.until(lambda: machine.ended, 90)
    for service in SERVICES:
        last = machine.last_words(unit(service))
        assert f"{unit(service)}: Deactivated successfully." in last, last
    assert "The system will power off now!" in machine.last_words("systemd-logind.service")
    data = machine.disk / "var/lib/linekeeper"
    assert sorted(file.name for file in data.glob("linekeeper.db*")) == ["linekeeper.db"]
    assert list(data.glob("recordings/*.partial")) == []
    remembered = json.loads((data / "power.json").read_text())
    assert remembered["low_battery_shutdown"] is remembered["ended_cleanly"] is True
    assert "battery" in remembered["shutdown_reason"]
    with Records(data, ZoneInfo("Asia/Shanghai")) as records:
        call, message, outage = records.calls(1)[0], records.messages()[-1], _last_outage(records)
    assert (call["caller_number"], call["end_reason"]) == ("13900139000", "low_battery")
    assert call["ended_at"] is not None
    assert (message["call_id"], message["interrupted"]) == (call["id"], True)
    assert message["duration_seconds"] > 1.0
    assert [notice["who"] for notice in outage["notices"]] == ["callers on the lines"]
    done = [action["action"] for action in outage["actions"]]
    assert done[-2:] == ["the UPS was told to cut its output", "the machine was told to go down"]


def _last_outage(records: Records) -> Record:
    return [incident for incident in records.incidents() if incident["kind"] == "power"][-1]
