"""Version 5 of the database: what the company shares, edits of it, and how far the down-channel has come.

The statements are those of a released migration: they are never edited, only followed by others.
"""

from __future__ import annotations

from firmware.storage.delivery_schema import triggers_of

_TABLES = (
    # `body` is what holds here, NULL where it was removed; `base` is what the collector said last, at `version`. What
    # it says while an edit of ours is on its way is held back until that has arrived.
    """CREATE TABLE shared_item (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        item TEXT NOT NULL,
        version INTEGER NOT NULL,
        base TEXT,
        body TEXT,
        held_version INTEGER,
        held_body TEXT,
        held_item TEXT,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX shared_item_by_id ON shared_item (item)",
    # The last edit of each item that was made here; with `erase`, that an item is to be forgotten everywhere.
    """CREATE TABLE shared_edit (
        id TEXT PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        key TEXT,
        item TEXT NOT NULL,
        base_version INTEGER NOT NULL,
        body TEXT,
        touched TEXT NOT NULL,
        erase INTEGER NOT NULL DEFAULT 0,
        edited_at TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX shared_edit_of_item ON shared_edit (kind, key) WHERE key IS NOT NULL",
    # `number` of the last change that was taken over; those that could not be carried out yet wait beside it.
    "CREATE TABLE down_progress (number INTEGER NOT NULL)",
    "INSERT INTO down_progress VALUES (0)",
    """CREATE TABLE down_waiting (
        number INTEGER PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT,
        item TEXT NOT NULL,
        blob_sha256 TEXT,
        blob_bytes INTEGER,
        reason TEXT NOT NULL DEFAULT ''
    )""",
    """CREATE TABLE down_acknowledgement (
        number INTEGER PRIMARY KEY NOT NULL,
        done INTEGER NOT NULL,
        reason TEXT NOT NULL
    )""",
    # That something was erased, how much and when: nothing in here tells of whom.
    """CREATE TABLE erasure (
        id TEXT PRIMARY KEY NOT NULL,
        at TEXT NOT NULL,
        counts TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
)

SHARED_TRIGGERS = (
    *triggers_of("shared", "shared_edit", ("base_version", "body", "touched", "edited_at")),
    # An edit that is erased is not told of: what has to be forgotten elsewhere has a row of its own.
    """CREATE TRIGGER outbox_erased_shared_edit AFTER DELETE ON shared_edit
        BEGIN DELETE FROM outbox WHERE kind = 'shared' AND record_id = OLD.id; END""",
    *triggers_of("erasure", "erasure"),
)
SHARED = (*_TABLES, *SHARED_TRIGGERS)
