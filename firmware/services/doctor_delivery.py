"""What the doctor says of delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from firmware.services.delivery_view import records_words, waiting_words
from firmware.services.finding import Finding
from firmware.services.sync_commands import sync_status
from firmware.settings import Settings

_TOO_LONG_SECONDS = 86_400.0


def examine_delivery(settings: Settings) -> Iterator[Finding]:
    """Look at it; never raises for what it finds."""
    yield delivery_finding(sync_status(settings))


def delivery_finding(status: Mapping[str, Any]) -> Finding:
    """From what `sync status` tells."""
    if not status.get("routes"):
        return Finding("delivery", True, "off; records stay on this appliance")
    told, oldest = waiting_words(status), float(status["oldest_seconds"] or 0.0)
    if not status.get("running"):
        return Finding(
            "delivery", False, f"the sync service is not running; start it with: linekeeper run sync ({told})"
        )
    if quarantined := status.get("quarantined"):
        return Finding(
            "delivery",
            False,
            f"{records_words(quarantined)} refused and set aside; see: linekeeper sync quarantine ({told})",
        )
    if error := next((route["last_error"] for route in status["routes"] if route["last_error"]), None):
        return Finding("delivery", False, f"{error} ({told})")
    if oldest > _TOO_LONG_SECONDS:
        return Finding("delivery", False, f"{told}; see: linekeeper sync status")
    last = f"last delivered {status['last_success_at']}" if status["last_success_at"] else "nothing was delivered yet"
    return Finding("delivery", True, f"mode {status['mode']}; {told}; {last}")
