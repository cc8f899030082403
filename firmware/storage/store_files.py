"""The names of what lies in a data folder."""

from __future__ import annotations

DATABASE_FILE = "linekeeper.db"
SIDE_FILES = (f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm")
"""SQLite's own; they belong to the database beside them and to no other."""
RECEIPTS = "erasures.jsonl"
"""A line for each erasure, without any personal data."""
LOCAL_BACKUPS = "snapshots"
"""Small backups of the database alone, for the day on which it is found damaged."""
