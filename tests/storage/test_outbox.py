from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallEnd, CallerId
from firmware.ports import Answer, Blob, CallbackRequest, Clock, Entry, Outcome, Route
from firmware.storage import outbox_routes
from firmware.storage.erasure import erase_caller, erase_message
from firmware.storage.migrations import run_sql
from firmware.storage.outbox import DiskOutbox
from firmware.storage.store import Store

ALL = frozenset({"call", "message", "callback", "incident", "recording", "backup", "health"})
COLLECTOR = Route("collector", ALL)
REFUSALS = 3


class Later:
    """A clock by which every call has settled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.monotonic, self.trusted = clock.monotonic, clock.trusted

    def now(self) -> Any:
        return self._clock.now() + timedelta(hours=1)


@pytest.fixture
async def outbox(data_dir: Path, clock: Clock) -> AsyncIterator[DiskOutbox]:
    made = DiskOutbox(data_dir, clock, refusals=REFUSALS)
    yield made
    made.close()


@pytest.fixture
def message(leave: Callable[..., Any], spoken: Callable[..., bytes]) -> Callable[..., Any]:
    """A whole call that leaves a message; its id."""

    async def make(store: Store, number: str = "13800138000", seed: int = 1) -> str:
        call = await store.call_offered("front", CallerId(number))
        await store.call_answered(call, CallerId(number))
        kept = await store.keep_message(call, await leave(store, call, spoken(8000, seed)), "zh")
        await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["welcome", "message"])
        return str(kept.message_id)

    return make


def answer(entry: Entry, outcome: Outcome = Outcome.STORED, reason: str = "") -> Answer:
    return Answer(entry.seq, entry.version, outcome, reason)


async def drain(outbox: DiskOutbox, route: str = "collector") -> list[Entry]:
    taken: list[Entry] = []
    while entries := await outbox.take(route, 200):
        taken += entries
        await outbox.settle(route, [answer(entry) for entry in entries])
    return taken


async def test_a_call_with_a_message_is_delivered_as_it_is_at_last(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path
) -> None:
    await outbox.use_routes([COLLECTOR])
    message_id = await message(store)
    await store.mark_urgent(message_id)
    call, recording, kept = await outbox.take("collector", 200)
    assert [entry.kind for entry in (call, recording, kept)] == ["call", "recording", "message"]
    assert [entry.seq for entry in (call, recording, kept)] == [1, 2, 3]
    assert call.body is not None
    assert call.body["end_reason"] == "completed"
    assert call.body["started_at"].endswith("+00:00")
    assert kept.body is not None
    assert (kept.record_id, kept.body["urgent"], kept.body["number"]) == (message_id, True, 1)
    assert (kept.body["recording_id"], kept.body["sample_format"]) == (recording.record_id, "u8")
    assert (kept.blob, call.clock_trusted) == (None, True)
    assert recording.blob is not None
    audio = recording.blob.file.read_bytes()
    assert recording.blob.file.parent == data_dir / "recordings"
    assert (recording.blob.sha256, recording.blob.byte_count) == (hashlib.sha256(audio).hexdigest(), len(audio))
    assert (await outbox.take("collector", 200))[1].blob == recording.blob
    recording.blob.file.write_bytes(audio[:100])
    assert (await outbox.take("collector", 200))[1].blob == Blob(
        hashlib.sha256(audio[:100]).hexdigest(), 100, recording.blob.file
    )


async def test_what_was_committed_goes_and_what_changed_meanwhile_stays(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    message_id = await message(store)
    taken = await outbox.take("collector", 200)
    await store.mark_urgent(message_id)
    await outbox.settle("collector", [answer(entry) for entry in taken])
    (left,) = await outbox.take("collector", 200)
    assert (left.record_id, left.seq) == (message_id, taken[2].seq)
    assert left.version > max(entry.version for entry in taken)
    await outbox.settle("collector", [answer(left, Outcome.DUPLICATE)])
    state = await outbox.state("collector")
    assert (state.queued, state.oldest_queued_at, state.last_error) == (0, None, None)
    assert state.last_success_at is not None


async def test_a_change_that_changes_nothing_is_none(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    message_id = await message(store)
    await store.mark_urgent(message_id)
    await drain(outbox)
    await store.mark_urgent(message_id)
    assert (await outbox.state("collector")).queued == 0


async def test_what_an_incident_consists_of_changes_the_incident(store: Store, outbox: DiskOutbox) -> None:
    await outbox.use_routes([COLLECTOR])
    await store.open_incident("power", "ups", "mains is away")
    (first,) = await drain(outbox)
    await store.note_incident("power", "ups", "speech was switched off")
    await store.tell_incident("power", "ups", "Li Wei", "by telephone", "acknowledged")
    (second,) = await drain(outbox)
    assert first.body is not None
    assert second.body is not None
    assert (first.record_id, first.body["actions"]) == (second.record_id, [])
    assert [action["action"] for action in second.body["actions"]] == ["speech was switched off"]
    assert second.body["notices"][0]["who"] == "Li Wei"


async def test_an_erased_caller_leaves_tombstones_of_everything_whether_delivered_or_not(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path, clock: Clock
) -> None:
    await outbox.use_routes([COLLECTOR])
    delivered = await message(store, seed=1)
    await drain(outbox)
    queued = await message(store, seed=2)
    sent = {entry.blob.sha256 for entry in await outbox.take("collector", 200) if entry.blob}
    erase_caller(data_dir, "13800138000", Later(clock), "CN")
    entries = await outbox.take("collector", 200)
    erased = {entry.record_id for entry in entries if entry.body is None}
    assert {delivered, queued} <= erased
    assert len(erased) == 4
    calls = [entry for entry in entries if entry.kind == "call"]
    assert len(calls) == 2
    assert "13800138000" not in json.dumps([entry.body for entry in entries])
    assert all(entry.blob is None for entry in entries)
    # A far end may have got the audio of the second one already, and a cut its record.
    assert {entry.erased_audio[0] for entry in entries if entry.erased_audio} == sent


async def test_a_recording_that_another_one_replaced_is_erased_there_too(
    store: Store, outbox: DiskOutbox, leave: Callable[..., Any], spoken: Callable[..., bytes]
) -> None:
    await outbox.use_routes([COLLECTOR])
    call = await store.call_offered("front", CallerId())
    kept = await store.keep_message(call, await leave(store, call, spoken(8000)), "zh")
    (_, first, _) = await drain(outbox)
    await store.replace_message(kept.message_id, await leave(store, call, spoken(8000, 2)))
    changed = {(entry.kind, entry.record_id): entry.body for entry in await drain(outbox)}
    assert changed.pop(("recording", first.record_id)) is None
    body = changed.pop(("message", kept.message_id))
    assert body is not None
    assert [("recording", body["recording_id"])] == list(changed)


async def test_a_refused_entry_is_set_aside_and_waits_again_on_demand(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    message_id = await message(store)
    for _ in range(REFUSALS):
        entries = await outbox.take("collector", 200)
        await outbox.settle("collector", [answer(entries[-1], Outcome.REJECTED, "no such call")])
    assert [entry.kind for entry in await outbox.take("collector", 200)] == ["call", "recording"]
    (aside,) = await outbox.quarantined()
    assert (aside.record_id, aside.attempts, aside.reason) == (message_id, REFUSALS, "no such call")
    state = await outbox.state("collector")
    assert (state.queued, state.quarantined, state.last_error) == (2, 1, "no such call")
    assert await outbox.retry(message_id) == 1
    assert len(await outbox.take("collector", 200)) == 3
    with pytest.raises(RecordNotFound, match="sync quarantine"):
        await outbox.retry(message_id)


async def test_an_entry_that_was_set_aside_waits_again_when_its_record_changes(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    message_id = await message(store)
    for _ in range(REFUSALS):
        entries = await outbox.take("collector", 200)
        await outbox.settle("collector", [answer(entries[-1], Outcome.CONFLICT)])
    await store.mark_urgent(message_id)
    assert (await outbox.take("collector", 200))[-1].record_id == message_id
    assert await outbox.quarantined() == []


async def test_what_the_network_did_counts_as_no_refusal(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    for _ in range(2 * REFUSALS):
        entries = await outbox.take("collector", 200)
        await outbox.settle("collector", [answer(entry, Outcome.NEED_BLOB) for entry in entries])
        await outbox.failed("collector", "no network")
    assert [entry.attempts for entry in await outbox.take("collector", 200)] == [2 * REFUSALS] * 3
    assert (await outbox.state("collector")).last_error == "no network"


async def test_audio_may_wait_while_records_go(store: Store, outbox: DiskOutbox, message: Callable[..., Any]) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    entries = await outbox.take("collector", 200, with_audio=False)
    assert [entry.kind for entry in entries] == ["call", "message"]
    assert (await outbox.state("collector")).audio_queued == 1


async def test_a_route_without_recordings_gets_a_message_with_its_audio(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path, clock: Clock
) -> None:
    await outbox.use_routes([Route("email", frozenset({"message"}), changes=False, history=False)])
    message_id = await message(store)
    (entry,) = await outbox.take("email", 200)
    assert entry.blob is not None
    assert entry.blob.file.is_file()
    assert await outbox.take("email", 200, with_audio=False) == []
    await outbox.settle("email", [answer(entry)])
    await store.mark_urgent(message_id)
    assert await outbox.take("email", 200) == []
    later = await message(store, seed=2)
    erase_message(data_dir, later, Later(clock))
    assert await outbox.take("email", 200) == []


async def test_an_entry_waits_as_long_as_its_route_says(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([Route("later", ALL, delay_seconds=3600.0)])
    await message(store)
    assert await outbox.take("later", 200) == []
    for queued_at in ("2020-01-01T00:00:00.000+00:00", "2099-01-01T00:00:00.000+00:00"):
        await store._database.write(run_sql, f"UPDATE outbox SET queued_at = '{queued_at}'")
        assert len(await outbox.take("later", 200)) == 3


async def test_a_recording_whose_file_is_gone_blocks_nothing(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    for file in (data_dir / "recordings").iterdir():
        file.unlink()
    recording = (await outbox.take("collector", 200))[1]
    assert recording.blob is None
    assert recording.body is not None
    assert recording.body["audio"] == "missing"


async def test_a_new_route_gets_what_is_older_in_its_order(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.storage.outbox_routes.queue_history.__defaults__", (2,))
    messages = [await message(store, seed=seed) for seed in range(3)]
    await outbox.use_routes([COLLECTOR, Route("news", ALL, history=False)])
    entries = await drain(outbox)
    assert [entry.kind for entry in entries] == ["call", "recording", "message"] * 3
    assert [entry.record_id for entry in entries if entry.kind == "message"] == messages
    assert [entry.seq for entry in entries] == list(range(1, 10))
    assert len({entry.version for entry in entries}) == 9
    assert (await outbox.state("news")).queued == 0
    await outbox.use_routes([COLLECTOR])
    assert (await outbox.state("collector")).queued == 0


async def test_a_route_that_comes_back_goes_on_counting(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    assert (await outbox.state("collector")).next_seq == 4
    await outbox.use_routes([])
    assert await outbox.take("collector", 200) == []
    await outbox.use_routes([COLLECTOR])
    assert [entry.seq for entry in await outbox.take("collector", 200)] == [4, 5, 6]


async def test_a_route_may_want_other_kinds_than_before(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([Route("collector", frozenset({"call", "message"}))])
    await message(store)
    await outbox.use_routes([Route("collector", frozenset({"call", "recording"}))])
    assert [entry.kind for entry in await outbox.take("collector", 200)] == ["call", "recording"]


async def test_numbers_go_on_above_those_that_the_far_end_knows(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any]
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    before = await outbox.take("collector", 200)
    await outbox.count_from(1000, 2 * before[-1].version)
    after = await outbox.take("collector", 200)
    assert [entry.record_id for entry in after] == [entry.record_id for entry in before]
    assert [entry.seq for entry in after] == [1001, 1002, 1003]
    assert min(entry.version for entry in after) > 2 * before[-1].version
    await outbox.settle("collector", [answer(entry) for entry in before])
    assert (await outbox.state("collector")).queued == 3
    await outbox.count_from(1, 1)
    assert await outbox.take("collector", 200) == after
    await drain(outbox)
    await message(store)
    assert (await outbox.take("collector", 200))[0].seq == 1004


@pytest.mark.parametrize("numbers", [(2**62, 1), (1, 2**53 - 1), (2**53 - 1, 1), (-1, 1)])
async def test_numbers_that_no_appliance_reaches_are_not_believed(outbox: DiskOutbox, numbers: tuple[int, int]) -> None:
    await outbox.use_routes([COLLECTOR])
    with pytest.raises(StorageError, match="no appliance reaches"):
        await outbox.count_from(*numbers)


async def test_a_batch_fits_into_one_request(store: Store, outbox: DiskOutbox) -> None:
    await outbox.use_routes([COLLECTOR])
    for at in range(8):
        await store.open_incident("fault", str(at), "a fault")
        for times in range(60):
            await store.note_incident("fault", str(at), f"{times}: " + "长" * 990)
    first = await outbox.take("collector", 200)
    assert 1 < len(first) < 8
    assert sum(len(json.dumps(entry.body, ensure_ascii=False).encode()) for entry in first) < 256 * 1024
    assert all(entry.body and entry.body["shortened"] == ["actions"] for entry in first)
    await outbox.settle("collector", [answer(entry) for entry in first])
    assert len(first) + len(await drain(outbox)) == 8


async def test_health_is_a_record_and_old_health_goes_once_it_was_delivered(
    store: Store, outbox: DiskOutbox, clock: Any
) -> None:
    await outbox.use_routes([COLLECTOR])
    first = await outbox.keep_health({"lines": 1})
    (entry,) = await outbox.take("collector", 200)
    assert entry.body is not None
    assert (entry.record_id, entry.body["id"], entry.body["lines"]) == (first, first, 1)
    clock.moment += timedelta(days=91)
    second = await outbox.keep_health({"lines": 2})
    assert [entry.record_id for entry in await drain(outbox)] == [first, second]
    clock.moment += timedelta(days=1)
    third = await outbox.keep_health({"lines": 3})
    assert [(entry.record_id, entry.body is None) for entry in await drain(outbox)] == [(third, False)]
    assert await store._database.read(lambda db: run_sql(db, "SELECT count(*) FROM health").fetchone()[0]) == 2


async def test_records_of_callers_who_want_to_be_called_go_with_their_reason(
    store: Store, outbox: DiskOutbox, leave: Callable[..., Any], spoken: Callable[..., bytes]
) -> None:
    await outbox.use_routes([COLLECTOR])
    call = await store.call_offered("front", CallerId())
    reason = await leave(store, call, spoken(8000), purpose="callback_reason")
    await store.keep_callback(call, CallbackRequest("02187654321", "morning", reason), "zh")
    _, recording, callback = await outbox.take("collector", 200)
    assert callback.body is not None
    assert callback.body["reason_id"] == recording.record_id
    assert (callback.body["phone"], callback.body["state"]) == ("02187654321", "open")


@pytest.mark.parametrize("damage", ["path = '{'", "path = x'ff'", "line = x'ff'", "path = '\"\\ud800\"'"])
async def test_a_row_that_makes_no_sense_is_set_aside_and_holds_up_nothing(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], damage: str
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store, seed=1)
    await store._database.run(lambda db: run_sql(db, f"UPDATE call SET {damage}"))
    await message(store, seed=2)
    kinds: list[str] = []
    for _ in range(REFUSALS):
        kinds += [entry.kind for entry in await drain(outbox)]
    assert sorted(kinds) == ["call", "message", "message", "recording", "recording"]
    [aside] = await outbox.quarantined()
    assert (aside.kind, aside.reason.partition(";")[0]) == ("call", "its row in the database makes no sense")


async def test_a_recording_that_cannot_be_read_now_is_not_delivered_without_its_sound(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)

    def sick(_: Path) -> str:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("firmware.storage.outbox_audio._hash_of", sick)
        for _ in range(REFUSALS):
            assert "recording" not in [entry.kind for entry in await drain(outbox)]
    [aside] = await outbox.quarantined()
    assert "cannot be read (Input/output error)" in aside.reason
    await outbox.retry()
    [again] = await drain(outbox)
    assert again.blob is not None


async def test_audio_that_went_missing_before_it_was_delivered_counts_as_delivered_never(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    _, recording, _ = await outbox.take("collector", 200)
    assert recording.blob is not None
    hidden = recording.blob.file.rename(data_dir / "hidden")
    await drain(outbox)
    hidden.rename(recording.blob.file)
    assert await store.release_audio(None, 10) == 0
    assert recording.blob.file.exists()


async def test_a_large_queue_is_let_go_of_in_steps_and_told_nobody_any_more(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.use_routes([COLLECTOR])
    for seed in range(3):
        await message(store, seed=seed)
    steps: list[bool] = []
    forget = outbox_routes.forget_some

    def some(db: Any, routes: Any) -> bool:
        steps.append(forget(db, routes, 2))
        return steps[-1]

    monkeypatch.setattr("firmware.storage.outbox.forget_some", some)
    await outbox.use_routes([Route("webhook", ALL)])
    assert steps == [True] * 4 + [False]
    assert (await outbox.state("collector")).queued == 0
    assert len(await drain(outbox, "webhook")) == 9
