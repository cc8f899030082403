"""How the appliance was, as records. Each function is the inside of one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from peewee import SqliteDatabase

from firmware.storage.database import raw
from firmware.storage.stamps import Stamp


def keep_health(db: SqliteDatabase, health_id: str, body: Mapping[str, Any], now: Stamp, until: str) -> None:
    """Keep it, and forget older ones than `until` that wait nowhere. Raises: ValueError for what is no JSON."""
    text = json.dumps(dict(body), ensure_ascii=False, allow_nan=False)
    connection = raw(db)
    connection.execute(
        "INSERT INTO health (id, at, body, clock_trusted) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (health_id, now.at, text, now.trusted),
    )
    connection.execute(
        "DELETE FROM health WHERE at < ? AND NOT EXISTS "
        "(SELECT 1 FROM outbox WHERE kind = 'health' AND record_id = health.id)",
        (until,),
    )
