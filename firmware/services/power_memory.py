"""What the power service must remember over a power cut: its history, and the proof of its UPS profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.services.scribe import Scribe
from firmware.settings import Settings
from firmware.ups.history import PowerHistory
from firmware.ups.history_file import Proof, load_history, load_proof, save_history, save_proof
from firmware.ups.sources import source_fingerprint

_log = journal("power")


class PowerMemory:
    """Writes in order and beside everything else; a disk that takes nothing costs the memory, never the duty."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._data_dir = settings.data_dir
        self._power = settings.power
        self._profile = settings.power.profile
        self._speaks_for_itself = self._profile in ("nut", "bench")
        self._fingerprint = source_fingerprint(settings.power)
        self._now = now
        self._writer = Scribe()
        self._proof = load_proof(self._data_dir)

    def recall(self) -> PowerHistory:
        """What the last run left."""
        return load_history(self._data_dir)

    @property
    def proved(self) -> bool:
        """Whether the present profile, as it is now, passed a pull-the-plug test."""
        return self._proof is not None and self._proof.holds_for(self._profile, self._fingerprint)

    @property
    def believed(self) -> bool:
        """Whether the source may make us shut down. A UPS that speaks a protocol cannot be wired wrongly."""
        return self.proved or self._speaks_for_itself or self._power.shut_down_unproved

    def keep(self, history: PowerHistory) -> None:
        """Make it durable as soon as the disk can; never blocks or raises."""
        self._writer.write(self._save, history)

    async def prove(self) -> None:
        """The profile passed its test. Returns once that is on the disk. Raises: StorageError."""
        proof = Proof(self._profile, self._fingerprint, self._now())
        await asyncio.to_thread(save_proof, self._data_dir, proof)
        self._proof = proof

    async def run(self) -> None:
        """For ever."""
        await self._writer.run()

    async def settled(self, timeout_seconds: float) -> bool:
        """Wait until all is written, but not for ever."""
        return await self._writer.settled(timeout_seconds)

    async def _save(self, history: PowerHistory) -> None:
        try:
            await asyncio.to_thread(save_history, self._data_dir, history)
        except StorageError as error:
            _log.error("the history of power cannot be kept", error=str(error))
