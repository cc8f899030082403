"""Taking messages: recorded in pieces, kept, marked urgent, recorded again, left behind by a call."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, as_heard, grow, number_of_the_next, record, speech
from cuts.workload import Fact, Telling, Told, Workload
from firmware.events import CallEnd, CallerId
from firmware.storage.queries import Records
from firmware.storage.store import Store

_SIZE = 2 * SECOND_BYTES


async def _prepare(folder: Path) -> None:
    async with next_start(folder) as (store, _):
        call = await store.call_offered("front", CallerId("13700137000"))
        await store.keep_message(call, await record(store, call, speech("earlier", _SIZE)), "zh")
        await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


async def _work(folder: Path, tell: Telling) -> None:
    store = new_store(folder)
    await store.open()
    await _plain(store, tell)
    await _recorded_again(store, tell)
    await _left_behind(store, tell)
    await store.close()


async def _begin(store: Store, tell: Telling, seed: str) -> str:
    call = await store.call_offered("front", CallerId("13800138000"))
    await store.call_answered(call, CallerId("13800138000"))
    tell("began", call=call, seed=seed)
    return call


async def _keep(store: Store, tell: Telling, call: str, seed: str) -> str:
    kept = await store.keep_message(call, await record(store, call, speech(seed, _SIZE), tell), "zh")
    tell("kept", id=kept.message_id, number=kept.number, seed=seed, call=call)
    return kept.message_id


async def _end(store: Store, tell: Telling, call: str) -> None:
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["welcome", "message"])
    tell("ended", call=call)


async def _plain(store: Store, tell: Telling) -> None:
    call = await _begin(store, tell, "plain")
    message_id = await _keep(store, tell, call, "plain")
    await store.mark_urgent(message_id)
    tell("urgent", id=message_id)
    await _end(store, tell, call)


async def _recorded_again(store: Store, tell: Telling) -> None:
    call = await _begin(store, tell, "first")
    message_id = await _keep(store, tell, call, "first")
    again = await record(store, call, speech("second", _SIZE))
    tell("replacing", id=message_id, seed="second")
    await store.replace_message(message_id, again)
    tell("replaced", id=message_id, seed="second")
    await _end(store, tell, call)


async def _left_behind(store: Store, tell: Telling) -> None:
    call = await _begin(store, tell, "behind")
    await grow(store, call, speech("behind", _SIZE), tell)
    await _end(store, tell, call)


async def _judge(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (store, summary):
        found = [*violations_of(summary)]
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            messages, calls = records.messages(), records.calls()
        next_number = await number_of_the_next(store)
        by_id = {message["id"]: message for message in messages}
        heard = {message["id"]: await store.message_audio(message["id"]) for message in messages}
    for fact in told.all("kept"):
        found += _kept_badly(fact, told, by_id, heard)
    for fact in told.all("urgent"):
        if fact["id"] in by_id and not by_id[fact["id"]]["urgent"]:
            found.append("an urgent mark is lost")
    for fact in told.all("began"):
        found += _cut_badly(fact, told, messages, heard)
    ended = {fact["call"] for fact in told.all("ended")}
    found += [
        f"the end of call {c['id']} is lost" for c in calls if c["id"] in ended and c["end_reason"] != "completed"
    ]
    found += [f"call {lost} is lost" for lost in ended - {call["id"] for call in calls}]
    given_out = [message["number"] for message in messages] + [fact["number"] for fact in told.all("kept")]
    if len({message["number"] for message in messages}) != len(messages) or next_number <= max(given_out):
        found.append("a number came twice")
    kept = [message["id"] for message in messages if message["id"] in {fact["id"] for fact in told.all("kept")}]
    if kept != list(dict.fromkeys(fact["id"] for fact in told.all("kept") if fact["id"] in by_id)):
        found.append("the order is another")
    return [*found, *unsound(folder)]


def _kept_badly(fact: Fact, told: Told, by_id: dict[str, Fact], heard: dict[str, bytes]) -> list[str]:
    message = by_id.get(fact["id"])
    if message is None:
        return [f"message {fact['number']} is lost"]
    seeds = {fact["seed"]} | {again["seed"] for again in told.all("replacing") if again["id"] == fact["id"]}
    if any(again["id"] == fact["id"] for again in told.all("replaced")):
        seeds = {"second"}
    whole = heard[fact["id"]] in {as_heard(speech(seed, _SIZE)) for seed in seeds}
    right = message["number"] == fact["number"] and not message["interrupted"]
    return [] if whole and right else [f"message {fact['number']} is not what was acknowledged"]


def _cut_badly(fact: Fact, told: Told, messages: list[Fact], heard: dict[str, bytes]) -> list[str]:
    """A recording that nobody acknowledged lacks a second at most, and holds nothing else."""
    call, seed = fact["call"], fact["seed"]
    if any(kept["call"] == call for kept in told.all("kept")):
        return []
    pushed = max((piece["size"] for piece in told.all("pushed") if piece["call"] == call), default=0)
    of_call = [heard[message["id"]] for message in messages if message["call_id"] == call]
    if not of_call:
        return [f"{pushed} bytes of {seed} are lost"] if pushed > SECOND_BYTES else []
    beginning = _is_beginning(of_call[0], seed, pushed - SECOND_BYTES)
    enough = len(of_call[0]) // 2 >= pushed - SECOND_BYTES
    if beginning and enough and len(of_call) == 1:
        return []
    sizes = [len(one) // 2 for one in of_call]
    return [f"{seed}: of {pushed} bytes there are {sizes}, {_same(of_call[0], seed)} of them true"]


def _is_beginning(heard: bytes, seed: str, certain: int) -> bool:
    """True up to the `certain` sample; in the second behind it, blocks that never reached the disk read as zeros."""
    true, never = as_heard(speech(seed, _SIZE)), as_heard(bytes(1))
    first = max(0, certain) * 2
    behind = zip(range(first, len(heard), 2), range(first, len(true), 2), strict=False)
    whole = all(heard[at : at + 2] in (true[at : at + 2], never) for at, _ in behind)
    return heard[:first] == true[: len(heard[:first])] and len(heard) <= len(true) and whole


def _same(heard: bytes, seed: str) -> int:
    true = as_heard(speech(seed, _SIZE))
    return next((at for at, (one, other) in enumerate(zip(heard, true, strict=False)) if one != other), len(heard)) // 2


WORKLOAD = Workload("messages", _prepare, _work, _judge)
