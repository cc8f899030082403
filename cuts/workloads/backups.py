"""Making a backup, and going back to one: a cut never costs a good backup, and leaves all of old or all of new."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, as_heard, record, speech
from cuts.workload import Telling, Told, Workload
from firmware.clock import SystemClock
from firmware.errors import StorageError
from firmware.events import CallEnd, CallerId
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup
from firmware.storage.backup_folder import add_backup, backups_in
from firmware.storage.queries import Records
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

_STICK = "stick"
_NAMED = "named.backup"
_SIZE = SECOND_BYTES
_KEPT = 2


def _now() -> Stamp:
    return Stamp.now(SystemClock())


async def _message(store: Store, seed: str) -> None:
    call = await store.call_offered("front", CallerId("13800138000"))
    await store.keep_message(call, await record(store, call, speech(seed, _SIZE)), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


async def _prepare_backup(folder: Path) -> None:
    (folder / _STICK).mkdir()
    store = new_store(folder)
    await store.open()
    await _message(store, "one")
    for day in range(1, 1 + _KEPT):
        add_backup(folder / DATA, folder / _STICK, _KEPT, _now(), f"2026010{day}-080000")
    make_backup(folder / DATA, folder / _NAMED, _now())
    await _message(store, "two")
    await store.close()


async def _work_backup(folder: Path, tell: Telling) -> None:
    """The next by schedule, which lets the oldest go; and one that takes the place of an older one."""
    added = add_backup(folder / DATA, folder / _STICK, _KEPT, _now(), "20260103-080000")
    tell("added", name=added.file.name, content=added.manifest.content)
    manifest = make_backup(folder / DATA, folder / _NAMED, _now())
    tell("named", content=manifest.content)


async def _judge_backup(folder: Path, told: Told) -> list[str]:
    found = [*_bad_ones(folder)]
    contents = {backup.file.name: backup.manifest.content for backup in backups_in(folder / _STICK)}
    if len(contents) < _KEPT:
        found.append(f"only {len(contents)} backups are left")
    found += ["an acknowledged backup is gone" for fact in told.all("added") if fact["name"] not in contents]
    named = check_backup(folder / _NAMED, folder).content
    found += ["an acknowledged backup is the old one" for fact in told.all("named") if fact["content"] != named]
    async with next_start(folder) as (_, summary):
        found += violations_of(summary)
    add_backup(folder / DATA, folder / _STICK, _KEPT, _now(), "20260104-080000")
    found += [f"left behind: {file.name}" for file in (folder / _STICK).iterdir() if file.name.startswith(".")]
    return [*found, *unsound(folder)]


def _bad_ones(folder: Path) -> list[str]:
    bad = []
    for file in [*(folder / _STICK).glob("*.backup"), folder / _NAMED]:
        try:
            check_backup(file, folder)
        except StorageError as error:
            bad.append(str(error))
    return bad


async def _prepare_restore(folder: Path) -> None:
    store = new_store(folder)
    await store.open()
    await _message(store, "then")
    own = folder / DATA / "prompts" / "zh"
    own.mkdir(parents=True)
    (own / "greeting.wav").write_text("then")
    make_backup(folder / DATA, folder / _NAMED, _now())
    await _message(store, "now")
    (own / "greeting.wav").write_text("now")
    await store.close()


async def _work_restore(folder: Path, tell: Telling) -> None:
    restore_backup(folder / _NAMED, folder / DATA, _now())
    tell("restored")


async def _judge_restore(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (store, summary):
        found = [*violations_of(summary)]
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            heard = [await store.message_audio(message["id"]) for message in records.messages()]
        await _message(store, "later")
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            number = records.messages()[-1]["number"]
    voice = (folder / DATA / "prompts" / "zh" / "greeting.wav").read_text()
    then, now = as_heard(speech("then", _SIZE)), as_heard(speech("now", _SIZE))
    old, new = (heard, voice) == ([then, now], "now"), (heard, voice) == ([then], "then")
    if not (old or new) or (told.once("restored") and not new):
        found.append(f"neither old nor new: {len(heard)} messages, the voice of {voice}")
    if new:
        aside = list((folder / DATA).glob("before-restore-*/recordings/*.wav"))
        found += [] if len(aside) == 2 else [f"{len(aside)} recordings are kept aside, of 2"]
    if number != 3:
        found.append(f"the next number is {number}, and not 3")
    found += [f"left behind: {file.name}" for file in (folder / DATA).iterdir() if file.name.startswith(".")]
    return [*found, *unsound(folder)]


BACKUP = Workload("backup", _prepare_backup, _work_backup, _judge_backup)
RESTORE = Workload("restore", _prepare_restore, _work_restore, _judge_restore)
