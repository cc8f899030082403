"""Version 4 of the database: what waits for delivery, and the triggers that fill it.

A trigger is part of the transaction that changes a record, whoever writes it, in whatever process: nobody can forget
the outbox. The statements are those of a released migration: they are never edited, only followed by others.
"""

# ruff: noqa: S608 - statements are put together from our own names alone

from __future__ import annotations

from collections.abc import Sequence

_TABLES = (
    # The version starts at the seconds since 1970: a database that begins anew is ahead of the one that it follows, as
    # no appliance changes a record every second for years.
    "CREATE TABLE outbox_counter (version INTEGER NOT NULL, least_seq INTEGER NOT NULL)",
    "INSERT INTO outbox_counter VALUES (CAST(strftime('%s', 'now') AS INTEGER), 0)",
    """CREATE TABLE outbox_route (
        name TEXT PRIMARY KEY NOT NULL,
        delay_seconds REAL NOT NULL,
        last_seq INTEGER NOT NULL,
        last_success_at TEXT,
        last_error TEXT
    )""",
    # What is older than the route and still has to be queued: ids behind history_after, up to history_until.
    """CREATE TABLE outbox_subscription (
        route TEXT NOT NULL REFERENCES outbox_route (name),
        kind TEXT NOT NULL,
        changes INTEGER NOT NULL,
        history_after TEXT,
        history_until TEXT,
        PRIMARY KEY (route, kind)
    ) WITHOUT ROWID""",
    """CREATE TABLE outbox (
        route TEXT NOT NULL REFERENCES outbox_route (name),
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        record_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        queued_at TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        refusals INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'waiting',
        reason TEXT NOT NULL DEFAULT '',
        blob_sha256 TEXT,
        blob_bytes INTEGER,
        PRIMARY KEY (route, seq)
    ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX outbox_record ON outbox (kind, record_id, route)",
    """CREATE TABLE health (
        id TEXT PRIMARY KEY NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    """CREATE TABLE backup_log (
        id TEXT PRIMARY KEY NOT NULL,
        made_at TEXT NOT NULL,
        file TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        recordings INTEGER NOT NULL,
        result TEXT NOT NULL,
        summary TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    # When a far end said that it has the audio; when the file was removed here because of that.
    "ALTER TABLE recording ADD COLUMN delivered_at TEXT",
    "ALTER TABLE recording ADD COLUMN released_at TEXT",
)

NOW = "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
"""SQLite's word for the present moment, as `stamps.utc_text` writes it."""


def queueing(kind: str, record_id: str, only_changes: bool) -> str:
    """Statements that put a record into the queue of each route that wants it; one that waits gets the new version."""
    wanted = f"SELECT route FROM outbox_subscription WHERE kind = '{kind}'" + (" AND changes" if only_changes else "")
    known = f"SELECT 1 FROM outbox WHERE kind = '{kind}' AND record_id = {record_id} AND route = name"
    # An outer OR IGNORE would overrule an ON CONFLICT in here (SQLite, "CREATE TRIGGER"), so there is none.
    return f"""
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS ({wanted});
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = '{kind}' AND record_id = {record_id} AND route IN ({wanted});
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN ({wanted}) AND NOT EXISTS ({known});
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, '{kind}', {record_id}, (SELECT version FROM outbox_counter), {NOW}
            FROM outbox_route WHERE name IN ({wanted}) AND NOT EXISTS ({known});
    """


def tombstone(kind: str) -> list[str]:
    """Statements that tell of the erasure of a record that is not here any more; its id is the value `id`."""
    return [statement for part in queueing(kind, ":id", True).split(";") if (statement := part.strip())]


def triggers_of(kind: str, table: str, delivered: Sequence[str] = (), *, erasable: bool = False) -> list[str]:
    """Triggers for a table whose rows are records: new ones, changes of what is `delivered`, and erasures."""
    made = [f"CREATE TRIGGER outbox_new_{table} AFTER INSERT ON {table} BEGIN{queueing(kind, 'NEW.id', False)}END"]
    if delivered:
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in delivered)
        made.append(
            f"CREATE TRIGGER outbox_changed_{table} AFTER UPDATE OF {', '.join(delivered)} ON {table} "
            f"WHEN {changed} BEGIN{queueing(kind, 'NEW.id', True)}END"
        )
    if erasable:
        # A route that takes no changes has nothing to send any more.
        made.append(
            f"CREATE TRIGGER outbox_erased_{table} AFTER DELETE ON {table} BEGIN{queueing(kind, 'OLD.id', True)}"
            f"DELETE FROM outbox WHERE kind = '{kind}' AND record_id = OLD.id AND route IN "
            f"(SELECT route FROM outbox_subscription WHERE kind = '{kind}' AND NOT changes); END"
        )
    return made


def part_triggers(kind: str, table: str, owner: str) -> list[str]:
    """Triggers for a table whose rows are parts of a record: it changes with them."""
    return [
        f"CREATE TRIGGER outbox_new_{table} AFTER INSERT ON {table} BEGIN{queueing(kind, f'NEW.{owner}', True)}END",
        f"CREATE TRIGGER outbox_gone_{table} AFTER DELETE ON {table} BEGIN{queueing(kind, f'OLD.{owner}', True)}END",
    ]


_CALL = (
    "line",
    "caller_number",
    "caller_name",
    "started_at",
    "answered_at",
    "ended_at",
    "end_reason",
    "language",
    "path",
    "clock_trusted",
)
_MESSAGE = (
    "call_id",
    "recording_id",
    "caller_number",
    "language",
    "urgent",
    "interrupted",
    "handled",
    "transcript",
    "clock_trusted",
)
_CALLBACK = (
    "call_id",
    "phone",
    "language",
    "preferred",
    "reason_id",
    "state",
    "attempts",
    "requested_at",
    "clock_trusted",
)
_INCIDENT = ("kind", "place", "started_at", "ended_at", "summary", "effect", "drill", "clock_trusted")

TRIGGERS = (
    *triggers_of("call", "call", _CALL, erasable=True),
    *triggers_of("recording", "recording", erasable=True),
    *triggers_of("message", "message", _MESSAGE, erasable=True),
    *triggers_of("callback", "callback", _CALLBACK, erasable=True),
    *triggers_of("incident", "incident", _INCIDENT, erasable=True),
    *part_triggers("incident", "incident_action", "incident_id"),
    *part_triggers("incident", "incident_notice", "incident_id"),
    # Old ones are forgotten here; that is no reason to forget them there.
    *triggers_of("health", "health"),
    *triggers_of("backup", "backup_log"),
)
DELIVERY = (*_TABLES, *TRIGGERS)
