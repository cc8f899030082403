"""The lines as the CLI shows them: from the running service, else from the configuration."""

from __future__ import annotations

from typing import Any

from firmware.errors import ServiceError
from firmware.events import LineState
from firmware.services.control_client import ControlClient
from firmware.services.paths import control_socket
from firmware.settings import Settings

_NOT_RUNNING = "the calls service is not running; start it with: linekeeper run"


def list_lines(settings: Settings) -> list[dict[str, Any]]:
    """Every configured line with its JSON fields. A service that is not running is told as each line's fault."""
    try:
        lines: list[dict[str, Any]] = ControlClient(control_socket(settings, "calls")).get("lines")
    except ServiceError:
        return [_stopped(line.name) for line in settings.lines]
    return lines


def _stopped(name: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("modem", "firmware", "last_ring_at", "last_proved_alive_at"))
    return {"name": name, "state": LineState.STOPPED.value, **unknown, "fault": _NOT_RUNNING}
