"""The shim sees whatever the store's libraries can do to a disk: a call that passes it by is a cut never made."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cuts.cut import compile_shim

# Calls of the C library that change a file, a folder, or what of them is on the disk.
_CHANGES = re.compile(
    r"(__)?(p?writev?(64)?(v2|2)?|(open|openat|creat)(64)?(_2)?|fopen(64)?|fwrite|fputs|(posix_)?fallocate(64)?"
    r"|f?truncate(64)?|rename(at2?)?|(sym)?link(at)?|unlink(at)?|remove|mk(dir|nod|fifo)(at)?|rmdir|f?l?ch(mod|own)(at)?"
    r"|f(data)?sync|sync(fs|_file_range)?|copy_file_range|sendfile(64)?|splice|tee|vmsplice|msync|mmap(64)?|syscall"
    r"|mk[od]?s?temps?(64)?)"
)
_NOT_USED = {
    "mmap": "SQLite maps the -shm file, which it makes anew after every start",
    "mmap64": "the same",
    "fopen": "CPython reads by it; nothing of the store is written through stdio",
    "fopen64": "the same",
    "fwrite": "the same",
    "fputs": "the same",
    "mknod": "a store makes no devices",
    "mknodat": "the same",
    "mkfifo": "the same",
    "mkfifoat": "the same",
    "sync": "nobody may count on it: it syncs every disk of the machine",
    "syscall": "random numbers and priorities",
}
_LOADED = """
import sqlite3, os, shutil, tempfile
import firmware.storage.store, firmware.storage.erasure, firmware.storage.restore
print("\\n".join({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line or "python" in line}))
print(os.path.realpath("/proc/self/exe"))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    library = compile_shim(tmp_path_factory.mktemp("shim"))
    return names_of(library, "--defined-only")


def names_of(library: Path, which: str) -> set[str]:
    done = subprocess.run(["nm", "-D", which, library], check=True, capture_output=True, text=True)
    return {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}


def test_no_library_of_the_store_reaches_the_disk_past_the_shim(shim: set[str]) -> None:
    loaded = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True).stdout
    libraries = {Path(line).resolve() for line in loaded.splitlines()}
    passed: dict[str, set[str]] = {}
    for library in libraries:
        if library.is_file() and not re.match(r"(libc|ld-linux|libpthread)[-.]", library.name):
            for name in names_of(library, "--undefined-only"):
                if _CHANGES.fullmatch(name) and name not in shim and name not in _NOT_USED:
                    passed.setdefault(name, set()).add(library.name)
    assert passed == {}
    assert any("sqlite3" in library.name for library in libraries)


def test_the_names_with_and_without_64_are_both_there(shim: set[str]) -> None:
    for name in ("pwrite", "open", "openat", "ftruncate", "truncate", "pwritev", "sendfile", "posix_fallocate"):
        assert {name, f"{name}64"} <= shim
    assert {"renameat2", "unlinkat", "copy_file_range", "fallocate", "splice", "writev"} <= shim
