"""The Debian root that the container starts from, and the wheels it installs: made once, then kept in `.venv`."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".venv" / "container"

_SYSTEM = ("systemd", "systemd-sysv", "libpam-systemd", "libnss-systemd", "dbus", "polkitd", "udev")
_PACKAGES = ",".join((*_SYSTEM, "python3", "python3-venv", "libspandsp2", "tzdata", "iproute2", "procps"))


def reason_to_skip() -> str | None:
    """Why no container can run here; None where one can."""
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if done.returncode:
        return "no mount namespaces: the units were NOT run; run the tests as root"
    return None


def base_root() -> Path:
    """The Debian root, of this machine's own release, so that the wheels fit."""
    codename = _release()
    key = hashlib.sha256(f"{codename} {_PACKAGES}".encode()).hexdigest()[:12]
    made = CACHE / f"{codename}-{key}"
    with _one_at_a_time():
        if not made.exists():
            unfinished = _anew(made)
            _run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", codename, str(unfinished))
            (unfinished / "etc" / "machine-id").write_text("")
            unfinished.rename(made)
    return made


def wheels() -> Path:
    """What `scripts/install` needs: the dependencies, kept, and linekeeper itself as it is now."""
    folder = CACHE / f"wheels-{_wanted()}"
    made_of, sources = folder / "made-of", _sources()
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--wheel-dir")
    with _one_at_a_time():
        if not folder.exists():
            unfinished = _anew(folder)
            _run(*pip, str(unfinished), "--constraint", "constraints.txt", ".[speech,gpio]")
            unfinished.rename(folder)
        elif not made_of.exists() or made_of.read_text() != sources:
            # setuptools leaves there what it packed before, and packs it again although it is gone from the sources.
            shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
            _run(*pip, str(folder), "--no-deps", ".")
        made_of.write_text(sources)
    return folder


def dependencies(base: Path, packages: Path) -> Path:
    """A layer above the Debian root: what linekeeper depends on, in its virtual environment."""
    layer = CACHE / f"layer-{base.name}-{_wanted()}"
    with _one_at_a_time():
        if not layer.exists():
            unfinished = _anew(layer)
            unfinished.mkdir()
            boot = str(Path(__file__).parent / "boot.sh")
            _run("unshare", "-m", boot, str(base), str(unfinished), str(ROOT), str(packages), "layer")
            (unfinished / "upper").rename(layer)
            shutil.rmtree(unfinished)
    return layer


def _sources() -> str:
    """What linekeeper's own wheel is made of, in short."""
    hashed = hashlib.sha256()
    for folder in ("firmware", "voice-prompts"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                hashed.update(str(file).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return hashed.hexdigest()


def _wanted() -> str:
    wanted = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    return hashlib.sha256(wanted).hexdigest()[:12]


def _anew(folder: Path) -> Path:
    """Where something is made before it gets its name, so that half of it is never taken for the whole."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    return unfinished


def _release() -> str:
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    words = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return words["VERSION_CODENAME"].strip('"')


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
