"""Keeps the power history, and the proof of the UPS profile, in `data_dir`. Blocking: call it in a thread.

Two files, as they have two writers: the service writes its history, the pull-the-plug test writes the proof.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from firmware.durable_files import plain_errors, write_durably
from firmware.journal import journal
from firmware.ups.history import MOST_STARTS_COUNTED, MOST_TIERS, PowerHistory

T = TypeVar("T")

HISTORY_FILE = "power.json"
PROOF_FILE = "power-proof.json"
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
"""The kernel names each boot anew (random(4))."""

_LARGEST_BYTES = 65_536
_log = journal("power")


@dataclass(frozen=True, slots=True)
class Proof:
    """A pull-the-plug test was passed with this profile, as its file was then."""

    profile: str
    fingerprint: str
    proved_at: datetime

    def holds_for(self, profile: str, fingerprint: str) -> bool:
        """Whether it says anything of the profile as it is now."""
        return (self.profile, self.fingerprint) == (profile, fingerprint)


def fingerprint(content: bytes) -> str:
    """Of a profile file: another content is another profile, and has to be proved again."""
    return hashlib.sha256(content).hexdigest()


def read_boot_id(file: Path = BOOT_ID_FILE) -> str:
    """The name of this boot; "" where the system tells none."""
    try:
        return file.read_text(encoding="ascii").strip()[:100]
    except (OSError, UnicodeDecodeError):
        return ""


def load_history(data_dir: Path) -> PowerHistory:
    """What the last run left; the defaults where that is missing or damaged, and the journal says so."""
    return _read(data_dir / HISTORY_FILE, read_history) or PowerHistory()


def save_history(data_dir: Path, history: PowerHistory) -> None:
    """Returns once it is on the disk. Raises: StorageError, DiskFull."""
    _write(data_dir / HISTORY_FILE, asdict(history))


def load_proof(data_dir: Path) -> Proof | None:
    """The last pull-the-plug test that was passed; None where there was none, or its record is damaged."""
    return _read(data_dir / PROOF_FILE, read_proof)


def save_proof(data_dir: Path, proof: Proof) -> None:
    """Returns once it is on the disk. Raises: StorageError, DiskFull."""
    _write(data_dir / PROOF_FILE, {**asdict(proof), "proved_at": proof.proved_at.isoformat()})


def read_history(content: bytes) -> PowerHistory:
    """Fields that a later version may have added are left out. Raises: ValueError where it is damaged."""
    defaults = asdict(PowerHistory())
    found = {name: value for name, value in _object(content).items() if name in defaults}
    if wrong := sorted(name for name, value in found.items() if type(value) is not type(defaults[name])):
        raise ValueError(f"{', '.join(wrong)} cannot be so")
    history = PowerHistory(**found)
    if not (0 <= history.tier <= MOST_TIERS and 0 <= history.consecutive_outage_starts <= MOST_STARTS_COUNTED):
        raise ValueError("a number is out of its range")
    if not 0.0 <= history.outage_began_seconds < math.inf:
        raise ValueError("a time is out of its range")
    return history


def read_proof(content: bytes) -> Proof:
    """Raises: ValueError where it is damaged."""
    found = _object(content)
    proved_at = datetime.fromisoformat(_text(found, "proved_at"))
    if proved_at.tzinfo is None:
        raise ValueError("its time has no offset")
    return Proof(_text(found, "profile"), _text(found, "fingerprint"), proved_at)


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if value and isinstance(value, str):
        return value
    raise ValueError(f"it has no {name}")


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if isinstance(value, dict):
        return value
    raise ValueError("it is no JSON object")


def _read(file: Path, parse: Callable[[bytes], T]) -> T | None:
    try:
        with file.open("rb") as opened:
            return parse(opened.read(_LARGEST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.error("a record of power is damaged and counts as missing", file=file.name, error=str(error))
        return None


def _write(file: Path, value: dict[str, Any]) -> None:
    with plain_errors(file):
        write_durably(file, json.dumps(value).encode())
