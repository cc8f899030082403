"""Where services meet: the sockets in `run_dir`."""

from __future__ import annotations

from pathlib import Path

from firmware.settings import Settings


def control_socket(settings: Settings, service: str) -> Path:
    """A service's control socket."""
    return settings.run_dir / f"{service}.sock"
