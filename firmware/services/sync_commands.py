"""What `linekeeper sync ...` does: it asks the running service, and the database where none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from firmware.clock import SystemClock
from firmware.errors import RecordNotFound, ServiceAbsent, ServiceError, StorageError
from firmware.ports import Outbox, QueueState
from firmware.services.control_client import ControlClient
from firmware.services.delivery_desk import EMPTY
from firmware.services.delivery_view import delivery_status
from firmware.services.paths import control_socket
from firmware.services.uplinks import route_names
from firmware.settings import Settings
from firmware.storage.outbox import DiskOutbox
from firmware.storage.stamps import local_text
from firmware.storage.store_files import DATABASE_FILE

_NEEDED = ("mode", "queued", "oldest_seconds", "last_success_at", "last_error")


def sync_status(settings: Settings) -> dict[str, Any]:
    """The fields of `sync status`: from the running service, else from the database. Never raises."""
    with suppress(ServiceError):
        status = ControlClient(control_socket(settings, "sync")).get("status")
        if isinstance(status, dict) and all(name in status for name in _NEEDED):
            return status
    return asyncio.run(_stored_status(settings))


def quarantined(settings: Settings) -> list[dict[str, Any]]:
    """What was set aside, with the far end's reason. Raises: StorageError."""
    return asyncio.run(_quarantined(settings))


def retry(settings: Settings, record_id: str | None) -> int:
    """Let one record that was set aside wait again, or all (None); how many. Raises: RecordNotFound, StorageError."""
    count = asyncio.run(_retry(settings, record_id))
    with suppress(ServiceError):
        asyncio.run(ControlClient(control_socket(settings, "sync")).ask("wake", now=True))
    return count


def deliver_now(settings: Settings) -> None:
    """Try at once, whatever is waited for. Raises: ServiceError where the service does not run."""
    try:
        asyncio.run(ControlClient(control_socket(settings, "sync")).ask("wake", now=True))
    except ServiceAbsent as error:
        raise ServiceError("the sync service is not running; start it with: linekeeper run sync") from error


async def _stored_status(settings: Settings) -> dict[str, Any]:
    clock = SystemClock()
    names = route_names(settings)
    states: dict[str, QueueState] = dict.fromkeys(names, EMPTY)
    if (settings.data_dir / DATABASE_FILE).exists():
        outbox = DiskOutbox(settings.data_dir, clock)
        try:
            states = dict(await _states(outbox, names))
        except StorageError as error:
            return {**delivery_status(settings, clock.now(), states), "last_error": str(error)}
        finally:
            outbox.close()
    return delivery_status(settings, clock.now(), states)


async def _states(outbox: Outbox, names: Sequence[str]) -> Mapping[str, QueueState]:
    return {name: await outbox.state(name) for name in names}


async def _quarantined(settings: Settings) -> list[dict[str, Any]]:
    zone = ZoneInfo(settings.time_zone)
    outbox = _existing(settings)
    try:
        return [
            {
                "route": entry.route,
                "kind": entry.kind,
                "id": entry.record_id,
                "queued_at": local_text(entry.queued_at, zone),
                "attempts": entry.attempts,
                "reason": entry.reason,
            }
            for entry in (await outbox.quarantined() if outbox else [])
        ]
    finally:
        if outbox:
            outbox.close()


async def _retry(settings: Settings, record_id: str | None) -> int:
    outbox = _existing(settings)
    if outbox is None:
        if record_id is None:
            return 0
        raise RecordNotFound("nothing was set aside; there are no records yet")
    try:
        return await outbox.retry(record_id)
    finally:
        outbox.close()


def _existing(settings: Settings) -> DiskOutbox | None:
    """None where there is no database: a command that looks makes none."""
    return DiskOutbox(settings.data_dir, SystemClock()) if (settings.data_dir / DATABASE_FILE).exists() else None
