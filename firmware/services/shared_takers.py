"""What is done here with each kind of change that the collector tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from firmware.errors import ConfigurationError, PromptError
from firmware.ports import Acknowledgement, Change, ChangeTaker, DownChannel
from firmware.services.shared_configuration import keep_value
from firmware.services.shared_flow import flow_file, reload_flow
from firmware.settings import Settings
from firmware.storage.shared_store import SharedStore
from firmware.uplink_contract.shared_kinds import (
    ALLOWED,
    BLOCKED,
    CONFIGURATION,
    CONTACT,
    ERASE,
    ERASED_KEY,
    FLOW,
    PROMPT,
    fault_of,
)


class AskCalls(Protocol):
    """Asks another service over its control socket (`Peers.ask`)."""

    async def __call__(self, service: str, action: str, **details: Any) -> Any:
        """Raises: ServiceError."""


def takers(settings: Settings, store: SharedStore, ask: AskCalls) -> Mapping[str, ChangeTaker]:
    """By kind."""
    entries = EntryTaker(store)
    return {
        CONTACT: entries,
        BLOCKED: entries,
        ALLOWED: entries,
        FLOW: FlowTaker(settings, store, ask),
        PROMPT: PromptTaker(settings, store),
        CONFIGURATION: SettingTaker(settings, store),
        ERASE: EraseTaker(ask),
    }


class EntryTaker:
    """Contacts and lists: rows of the database."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    async def take(self, change: Change, _channel: DownChannel) -> Acknowledgement:
        """See `ports.ChangeTaker`."""
        [acknowledgement] = await self.take_all([change])
        return acknowledgement

    async def take_all(self, changes: Sequence[Change]) -> Sequence[Acknowledgement]:
        """See `ports.BatchTaker`."""
        faults = {change.number: _fault(change) for change in changes}
        await self._store.take(*(change for change in changes if not faults[change.number]))
        return [Acknowledgement(number, not fault, fault or "") for number, fault in faults.items()]


class FlowTaker:
    """A flow goes through the loader's own checks; one that fails is refused with its sentences, and the last stays."""

    def __init__(self, settings: Settings, store: SharedStore, ask: AskCalls) -> None:
        self._settings = settings
        self._store = store
        self._ask = ask

    async def take(self, change: Change, _channel: DownChannel) -> Acknowledgement:
        """See `ports.ChangeTaker`. Calls that begin afterwards follow it."""
        if fault := _fault(change):
            return Acknowledgement(change.number, False, fault)
        try:
            await asyncio.to_thread(self._keep, change)
        except ConfigurationError as error:
            return Acknowledgement(change.number, False, str(error))
        await self._store.take(change)
        if self._settings.flow == f"shared:{change.key}":
            await reload_flow(self._ask)
        return Acknowledgement(change.number, True)

    def _keep(self, change: Change) -> None:
        from firmware.services.shared_flow import keep_flow, remove_flow

        if change.body is None:
            remove_flow(flow_file(self._settings.data_dir, change.key))
        else:
            keep_flow(self._settings, change.key, str(change.body["text"]))


class SettingTaker:
    """A setting counts from the next start of a service on."""

    def __init__(self, settings: Settings, store: SharedStore) -> None:
        self._settings = settings
        self._store = store

    async def take(self, change: Change, _channel: DownChannel) -> Acknowledgement:
        """See `ports.ChangeTaker`."""
        if fault := _fault(change):
            return Acknowledgement(change.number, False, fault)
        value = None if change.body is None else change.body["value"]
        try:
            await asyncio.to_thread(keep_value, self._settings, change.key, value)
        except ConfigurationError as error:
            return Acknowledgement(change.number, False, str(error))
        await self._store.take(change)
        return Acknowledgement(change.number, True)


class PromptTaker:
    """A prompt goes the way of the office's own recordings: judged, levelled, kept as the next version."""

    def __init__(self, settings: Settings, store: SharedStore) -> None:
        self._settings = settings
        self._store = store

    async def take(self, change: Change, channel: DownChannel) -> Acknowledgement:
        """See `ports.ChangeTaker`. Callers hear it from the next start of the calls service on."""
        if fault := _fault(change):
            return Acknowledgement(change.number, False, fault)
        try:
            if change.body is None:
                await asyncio.to_thread(_withdraw, self._settings.data_dir, change.key)
            elif change.blob is None:
                return Acknowledgement(change.number, False, "a prompt without a sound file")
            else:
                await self._fetch_and_keep(change, change.blob, channel)
        except PromptError as error:
            return Acknowledgement(change.number, False, f"{change.key}: {error}")
        await self._store.take(change)
        return Acknowledgement(change.number, True)

    async def _fetch_and_keep(self, change: Change, blob: tuple[str, int], channel: DownChannel) -> None:
        sha256, byte_count = blob
        file = self._settings.data_dir / "shared" / "files" / f"{sha256}.wav"
        await channel.fetch(sha256, byte_count, file)
        try:
            await asyncio.to_thread(_keep_prompt, self._settings.data_dir, change.key, file)
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)


class EraseTaker:
    """The service `calls` alone removes recordings; where it does not run, the change waits for it."""

    def __init__(self, ask: AskCalls) -> None:
        self._ask = ask

    async def take(self, change: Change, _channel: DownChannel) -> Acknowledgement:
        """See `ports.ChangeTaker`. To erase once more what was erased finds nothing, and is done."""
        match dict(change.body or {}):
            case {"caller": str(number)}:
                await self._ask("calls", "erase", number=number)
            case {"message": str(message)}:
                await self._ask("calls", "erase", message=message)
            case _:
                reason = "this version of Linekeeper cannot erase what is asked; update it, or erase it by hand"
                return Acknowledgement(change.number, False, reason)
        return Acknowledgement(change.number, True)


def _fault(change: Change) -> str | None:
    if change.key.startswith(ERASED_KEY):
        return None
    return fault_of(change.kind, change.key, None if change.body is None else dict(change.body))


def _keep_prompt(data_dir: Path, key: str, file: Path) -> None:
    # Late: numpy and soundfile are for the day on which a prompt comes.
    try:
        from firmware.audio.acceptance import accept
        from firmware.audio.decoding import decode
    except ImportError as error:
        raise PromptError("taking in prompts needs numpy: pip install 'linekeeper[sound]'") from error
    from firmware.audio.catalogue import default_folder, load_catalogue
    from firmware.audio.files import UPLOADED
    from firmware.audio.own_prompts import keep_version
    from firmware.audio.own_versions import own_folder

    language, _, prompt = key.partition("/")
    catalogue = load_catalogue(default_folder())
    if prompt not in catalogue.prompts:
        raise PromptError("no prompt is called so; `linekeeper prompts list` shows those there are")
    text = catalogue.text_checksum(prompt, language)
    keep_version(own_folder(data_dir), (language, prompt), accept(*decode(file)), UPLOADED, "shared", text)


def _withdraw(data_dir: Path, key: str) -> None:
    from firmware.audio.own_prompts import SHIPPED, roll_back
    from firmware.audio.own_versions import own_folder, versions

    language, _, prompt = key.partition("/")
    if versions(own_folder(data_dir), (language, prompt)):
        roll_back(own_folder(data_dir), (language, prompt), SHIPPED)
