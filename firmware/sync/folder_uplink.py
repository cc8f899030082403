"""Mode `folder`: a USB stick or a network share, for offices without a network (docs/delivery.md)."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from firmware.durable_files import identity_of
from firmware.errors import FarEndUnreachable, StorageError
from firmware.mounted_folder import check_mounted
from firmware.ports import Answer, Entry, Outcome
from firmware.sync.appliance import Appliance
from firmware.sync.hanging import PatientThread
from firmware.sync.stick_erasure import erase
from firmware.sync.stick_files import OtherContent, copy, make_folders, put, remove_unfinished
from firmware.sync.wire_record import NoRecord, wire_bytes
from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.limits import MOST_RECORDS

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# Cheap sticks write 1 MB/s and less, and pause for seconds.
_LONGEST_SECONDS = 300.0


class FolderUplink:
    """A `ports.Uplink`. `home` is a folder on the disk of the records."""

    def __init__(self, folder: Path, appliance: Appliance, home: Path, *, same_disk: bool = False) -> None:
        self._stick = _Stick(folder, appliance, home, same_disk=same_disk)
        self._thread: PatientThread[Sequence[Answer]] = PatientThread(f"the folder {folder}")

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """Answers after all is on the stick. Raises: FarEndUnreachable, with what to do about the stick."""
        return await self._thread.run(lambda: self._stick.deliver(entries[:MOST_RECORDS]), _LONGEST_SECONDS)

    async def close(self) -> None:
        """Idempotent."""
        self._thread.close()


class _Stick:
    """The blocking side."""

    def __init__(self, folder: Path, appliance: Appliance, home: Path, *, same_disk: bool) -> None:
        self._folder = folder
        self._home = home
        self._same_disk = same_disk
        self._root = folder / f"linekeeper-{appliance.device}"
        self._records = self._root / "records"
        self._audio = self._root / "audio"
        self._card = canonical_json({"device": appliance.device, "name": appliance.name, "version": appliance.version})
        self._known: tuple[int, int] | None = None

    def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        try:
            before = self._check()
            self._prepare(before)
            answers = self._write(entries)
            if self._check() != before:
                raise FarEndUnreachable(f"another disk is at {self._folder} now; what was written is written again")
        except StorageError as error:
            raise FarEndUnreachable(str(error)) from error
        except OSError as error:
            self._known = None
            raise FarEndUnreachable(self._sentence(error)) from error
        return answers

    def _check(self) -> tuple[int, int]:
        check_mounted(self._folder, self._home, same_disk=self._same_disk, section="sync", path_key="path")
        return identity_of(self._folder)

    def _prepare(self, which: tuple[int, int]) -> None:
        make_folders(self._root, self._records, self._audio)
        if self._known != which:
            remove_unfinished(self._records)
            remove_unfinished(self._audio)
            self._known = which
        card = self._root / "appliance.json"
        if not card.is_file() or card.stat().st_size != len(self._card) or card.read_bytes() != self._card:
            put(card, [self._card])

    def _write(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        answers: list[Answer] = []
        ready: list[tuple[Entry, bytes]] = []
        for entry in entries:
            try:
                line = wire_bytes(entry)
                refused = self._bring_audio(entry)
            except NoRecord as error:
                refused = str(error)
            except OSError:
                # Full or gone: what is complete is kept, if that still goes.
                if not ready:
                    raise
                break
            if refused:
                answers.append(Answer(entry.seq, entry.version, Outcome.REJECTED, refused))
            else:
                ready.append((entry, line))
        self._write_records(ready)
        return answers + [Answer(entry.seq, entry.version, Outcome.STORED) for entry, _ in ready]

    def _bring_audio(self, entry: Entry) -> str | None:
        """Why it cannot be brought, where the fault is not the stick's."""
        if entry.blob is None:
            return None
        if not os.access(entry.blob.file, os.R_OK):
            return "its recording cannot be read"
        try:
            copy(entry.blob.file, self._audio / f"{entry.blob.sha256}.wav", entry.blob.sha256)
        except OtherContent as error:
            return f"its recording cannot be delivered: {error}"
        return None

    def _write_records(self, ready: Sequence[tuple[Entry, bytes]]) -> None:
        gone = {(entry.kind, entry.record_id) for entry, _ in ready if entry.body is None}
        if gone:
            named = {entry.erased_audio[0] for entry, _ in ready if entry.erased_audio}
            erase(self._records, self._audio, gone, named)
        if ready:
            first = min(entry.seq for entry, _ in ready)
            put(self._records / f"{first:020d}-{uuid.uuid4()}.jsonl", [line + b"\n" for _, line in ready])

    def _sentence(self, error: OSError) -> str:
        if error.errno in _NO_ROOM:
            return (
                f"the folder {self._folder} is full; bring it to the collector and empty it, or plug in another stick"
            )
        if error.errno == errno.EROFS:
            return f"the folder {self._folder} is read-only; take the write protection off the stick"
        return (
            f"the folder {self._folder} cannot be written ({error.strerror or error}); "
            "plug the stick in again, or try another one"
        )
