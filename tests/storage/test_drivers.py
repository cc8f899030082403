"""What the appliance's storage takes into memory."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import firmware.storage.store
assert "peewee" in sys.modules
print([name for name in sys.modules if name.startswith("psycopg")])
import psycopg
print(psycopg.__name__)
"""


def test_no_driver_of_other_databases_is_loaded_and_none_is_lost() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[]", "psycopg"]
