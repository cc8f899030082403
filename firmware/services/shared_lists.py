"""Contacts and lists as people at a branch see and edit them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from firmware.clock import SystemClock
from firmware.errors import RecordNotFound, ServiceError
from firmware.settings import Settings
from firmware.storage.phone_numbers import canonical
from firmware.storage.shared_rows import SharedItem
from firmware.storage.shared_store import SharedStore
from firmware.uplink_contract.shared_kinds import CONTACT, KINDS, fault_of


def list_entries(settings: Settings, kind: str) -> list[dict[str, Any]]:
    """Ready for JSON. Raises: StorageError."""

    async def work(store: SharedStore) -> list[SharedItem]:
        return await store.items(kind)

    key = "number" if kind == CONTACT else "entry"
    fields = KINDS[kind].fields
    return [
        {key: item.key, **{name: item.fields.get(name) for name in fields}, "delivered": not item.waiting}
        for item in _with_store(settings, work)
    ]


def set_entry(settings: Settings, kind: str, entry: str, fields: Mapping[str, str]) -> str:
    """Set these fields, an empty one takes it away; the others stay. Returns the entry as it is kept.

    Raises: ServiceError for what is no entry; StorageError.
    """
    key = _key(settings, entry)

    async def work(store: SharedStore) -> None:
        now = next((item.fields for item in await store.items(kind) if item.key == key), {})
        body = {name: value for name, value in {**now, **fields}.items() if value}
        if fault := fault_of(kind, key, body):
            raise ServiceError(fault)
        await store.edit(kind, key, body)

    _with_store(settings, work)
    return key


def remove_entry(settings: Settings, kind: str, entry: str) -> None:
    """Raises: RecordNotFound, StorageError."""
    key = _key(settings, entry)

    async def work(store: SharedStore) -> None:
        if all(item.key != key for item in await store.items(kind)):
            raise RecordNotFound(f"there is no {kind} {key}")
        await store.edit(kind, key, None)

    _with_store(settings, work)


def _key(settings: Settings, entry: str) -> str:
    """However a number is spelt, it is one entry."""
    number = "".join(character for character in entry if character not in " -()")
    return canonical(number, settings.country) if number.removeprefix("+").isdecimal() else number


def _with_store(settings: Settings, work: Any) -> Any:
    async def run() -> Any:
        store = SharedStore(settings.data_dir, SystemClock())
        try:
            return await work(store)
        finally:
            store.close()

    return asyncio.run(run())
