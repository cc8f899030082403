"""The shim from Python: compiled once, armed in the process that is to be cut short."""

from __future__ import annotations

import ctypes
import subprocess
from enum import IntEnum
from pathlib import Path

_SOURCE = Path(__file__).with_name("shim.c")


class Kind(IntEnum):
    """How work is cut short; the numbers are those of shim.c."""

    POWER = 1
    """Power fails: whatever was not synced is gone."""
    JOURNAL = 2
    """Power fails just after the file system wrote its journal by itself: unsynced names may be there, data may not."""
    KILL = 3
    """The process dies between two calls; what was written stays, synced or not."""
    TORN = 4
    """The process dies in a call: half of a write has reached the file."""
    SCATTERED = 5
    """Power fails after the kernel wrote some pages by itself, later ones before earlier ones."""


def compile_shim(folder: Path) -> Path:
    """Build it; returns the library for LD_PRELOAD."""
    library = folder / "shim.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(_SOURCE)]
    subprocess.run([*command, "-ldl"], check=True)
    return library


class Shim:
    """The preloaded library of this process. Raises: OSError where it is not loaded."""

    def __init__(self) -> None:
        process = ctypes.CDLL(None)
        try:
            self._arm, self._now, self._passed = process.cut_arm, process.cut_now, process.cut_passed
        except AttributeError as error:
            raise OSError("the shim is not preloaded; start `python -m cuts`") from error
        self._arm.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
        self._passed.restype = ctypes.c_long

    def arm(self, folder_handle: int, tell_handle: int, kind: Kind, point: int) -> None:
        """Count from now on, and cut at the call `point` (from 1; 0 never cuts)."""
        self._arm(folder_handle, tell_handle, kind, point)

    def cut_now(self) -> None:
        """Cut here; does not return."""
        self._now()

    def passed(self) -> int:
        """Calls that were counted."""
        return int(self._passed())
