"""A booted container: commands in it, and what systemd says of its units."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from firmware.services.control_client import ControlClient
from tests.systemd.base import ROOT, base_root, dependencies, wheels

BOOT = Path(__file__).parent / "boot.sh"
_BOOT_SECONDS = 120
_STEP_SECONDS = 0.05


class Machine:
    """Boots when entered, and is shut down in good order when left. `etc` is copied over /etc before the boot."""

    def __init__(self, folder: Path, etc: Path) -> None:
        self._work = folder / "machine"
        self._work.mkdir()
        shutil.copytree(etc, self._work / "etc")
        self._log = (folder / "console.log").open("wb")
        base, packages = base_root(), wheels()
        layers = f"{dependencies(base, packages)}:{base}"
        self._nspawn = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "-m", BOOT, layers, self._work, ROOT, packages],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._leader = ""

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _BOOT_SECONDS
        while not self._boots():
            assert self._nspawn.poll() is None, self._console()
            assert time.monotonic() < deadline, self._console()
            time.sleep(_STEP_SECONDS)
        self.run("systemctl", "is-system-running", "--wait", check=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.halt()

    def halt(self) -> float:
        """Shut down; returns after how many seconds it was down."""
        began = time.monotonic()
        if self._nspawn.poll() is None:
            self._nspawn.send_signal(signal.SIGTERM)
            try:
                self._nspawn.wait(60)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
        self._log.close()
        return time.monotonic() - began

    @property
    def ended(self) -> bool:
        """Whether it is down."""
        return self._nspawn.poll() is not None

    @property
    def disk(self) -> Path:
        """What the machine left on its disk, once it is down: only what it wrote itself."""
        return self._work / "upper"

    def last_words(self, unit: str) -> str:
        """What the journal on its disk says last of a unit, once it is down."""
        [journal] = (self.disk / "var/log/journal").iterdir()
        words = ("journalctl", "--directory", str(journal), "--no-pager", "-o", "cat", "-n", "40", "--unit", unit)
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout

    def run(self, *command: str, check: bool = True, typed: str | None = None) -> str:
        """A command as root; what it printed."""
        done = self.done(*command, typed=typed)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{self._console()}"
        return done.stdout + done.stderr

    def done(self, *command: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command as root, and how it ended."""
        enter = ["nsenter", "-t", self._leader, "-a", "env", "-i", _PATH, "LANG=C.UTF-8"]
        return subprocess.run([*enter, *command], input=typed, capture_output=True, text=True, timeout=90, check=False)

    def inside(self, unit: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the sandbox of a unit: its user, namespaces, system call filter and device list.

        systemd itself makes the sandbox: a unit is written that has every line of the real one, and runs this.
        """
        lines = self.run("cat", f"/usr/lib/systemd/system/{unit}").splitlines()
        kept = [line for line in lines if not line.startswith(_NOT_OF_THE_SANDBOX)]
        at = kept.index("[Service]") + 1
        works = ["Type=oneshot", f"ExecStart={' '.join(map(_quoted, command))}", f"StandardOutput=truncate:{_SAID}"]
        probe = [*kept[:at], *works, *kept[at:]]
        install = probe.index("[Install]") if "[Install]" in probe else len(probe)
        name = f"probe-{unit}"
        self.run("tee", f"/run/systemd/system/{name}", typed="\n".join(probe[:install]) + "\n")
        self.run("systemctl", "daemon-reload")
        ended = self.done("systemctl", "start", name)
        said = self.run("cat", _SAID, check=False)
        return subprocess.CompletedProcess(command, ended.returncode, said, ended.stderr)

    def shows(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        text = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def main_process(self, service: str) -> int:
        """The process id of one of our services."""
        return int(self.shows(f"linekeeper-{service}.service", "MainPID")["MainPID"])

    def ask(self, socket: str, view: str) -> Any:
        """A view of a control socket."""
        return ControlClient(Path(f"/proc/{self._leader}/root/run/linekeeper/{socket}.sock")).get(view)

    def until(self, true: Callable[[], bool], seconds: float) -> float:
        """Wait for something; returns after how many seconds it was so."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, self.run("journalctl", "--no-pager", "-n", "25")
            time.sleep(_STEP_SECONDS)
        return time.monotonic() - began

    def _boots(self) -> bool:
        pid = self._nspawn.pid
        if Path(f"/proc/{pid}/comm").read_text().strip() != "systemd-nspawn":
            return False
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
            return False
        self._leader = children[0]
        return self.done("test", "-S", "/run/systemd/private").returncode == 0

    def _console(self) -> str:
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")[-3000:]


PYTHON = "/opt/linekeeper/bin/python"
_PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SAID = "/run/probe.out"

_NOT_OF_THE_SANDBOX = (
    "Type=", "NotifyAccess=", "Exec", "Restart=", "RestartSec=", "Watchdog", "Timeout", "PartOf=", "After=", "Wants=",
    "RuntimeDirectory",
)  # fmt: skip


def _quoted(word: str) -> str:
    # systemd.service(5), "Command lines": C-style escapes inside of double quotes, % and $ doubled.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'
