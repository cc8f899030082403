"""Who this appliance is to far ends that give no names: its own id, made once. Blocking."""

from __future__ import annotations

import platform
import re
import uuid
from pathlib import Path

from firmware.durable_files import make_folder, plain_errors, write_durably
from firmware.errors import DeliveryError, StorageError
from firmware.services.collector_delivery import identity_folder
from firmware.services.version import version
from firmware.settings import Settings
from firmware.sync.appliance import Appliance

_FILE = "appliance-id"
_MOST_CHARACTERS = 64
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def appliance_card(settings: Settings) -> Appliance:
    """The collector's name for it where it is enrolled, else its own. Raises: StorageError."""
    device = _enrolled(settings) or _own_id(settings.data_dir / "sync" / _FILE)
    return Appliance(device, platform.node() or "Linekeeper", version())


def _enrolled(settings: Settings) -> str | None:
    if settings.sync.mode != "collector":
        return None
    try:
        identity = identity_folder(settings).load()
    except (DeliveryError, StorageError):  # its own sender tells that
        return None
    return identity.device if identity else None


def _own_id(file: Path) -> str:
    with plain_errors(file):
        try:
            with file.open(encoding="ascii") as opened:
                known = opened.read(_MOST_CHARACTERS).strip()
        except (FileNotFoundError, UnicodeDecodeError):
            known = ""
        if _ID.fullmatch(known):
            return known
        made = str(uuid.uuid4())
        make_folder(file.parent)
        write_durably(file, made.encode("ascii") + b"\n")
        return made
