"""Taking callback requests: new, with a reason, joined to an open one, and a remembered language."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, record, speech
from cuts.workload import Fact, Telling, Told, Workload
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage.queries import Records
from firmware.storage.store import Store
from firmware.wav import HEADER_BYTES

_PHONE, _OTHER = "13800138000", "02187654321"
_REASON = "callback_reason"
# In the order in which they are kept.
_WISHES = ("morning", "afternoon", "as_soon_as_possible")


async def _prepare(folder: Path) -> None:
    async with next_start(folder):
        pass


async def _work(folder: Path, tell: Telling) -> None:
    store = new_store(folder)
    await store.open()
    call = await store.call_offered("front", CallerId(_PHONE))
    await store.remember_language(_PHONE, "en")
    tell("language", number=_PHONE)
    await _keep(store, tell, call, CallbackRequest(_PHONE, "morning"))
    await _end(store, call)
    again = await store.call_offered("front", CallerId(_PHONE))
    spoken = await record(store, again, speech("reason", SECOND_BYTES), purpose=_REASON)
    await _keep(store, tell, again, CallbackRequest(_PHONE, "afternoon", spoken))
    await _end(store, again)
    other = await store.call_offered("front", CallerId(None))
    kept = await _keep(store, tell, other, CallbackRequest(_OTHER, "as_soon_as_possible"))
    later = await record(store, other, speech("later", SECOND_BYTES), purpose=_REASON)
    await store.add_callback_reason(kept, later)
    tell("reason", id=kept)
    await _end(store, other)
    await store.close()


async def _keep(store: Store, tell: Telling, call: str, request: CallbackRequest) -> str:
    kept = await store.keep_callback(call, request, "en")
    tell(
        "kept",
        id=kept.callback_id,
        number=kept.number,
        phone=request.phone,
        preferred=request.preferred,
        reason=request.reason is not None,
    )
    return kept.callback_id


async def _end(store: Store, call: str) -> None:
    await store.call_ended(call, CallEnd.COMPLETED, None, "en", ["callback"])


async def _judge(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (store, summary):
        found = [*violations_of(summary)]
        language = await store.remembered_language(_PHONE)
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            by_id = {callback["id"]: callback for callback in records.callbacks()}
        call = await store.call_offered("front", CallerId())
        next_number = (await store.keep_callback(call, CallbackRequest("1"), "en")).number
        await _end(store, call)
    if told.once("language") and language != "en":
        found.append("a remembered language is lost")
    newest = {fact["id"]: fact for fact in told.all("kept")}
    for request_id, fact in newest.items():
        callback = by_id.get(request_id)
        if callback is None or (callback["number"], callback["phone"]) != (fact["number"], fact["phone"]):
            found.append(f"the request {fact['number']} is lost or another")
            continue
        if fact["reason"] and not _is_spoken(folder, callback, "reason"):
            found.append(f"the reason of request {fact['number']} is lost or another")
        if callback["preferred"] not in _WISHES[_WISHES.index(fact["preferred"]) :]:
            found.append(f"the wish of request {fact['number']} is {callback['preferred']}")
    added = [by_id.get(fact["id"], {}) for fact in told.all("reason")]
    found += ["a reason added later is lost" for callback in added if not _is_spoken(folder, callback, "later")]
    numbers = [callback["number"] for callback in by_id.values()]
    if len(set(numbers)) != len(numbers) or next_number <= max([0, *numbers, *(f["number"] for f in newest.values())]):
        found.append("a number came twice")
    if len({callback["phone"] for callback in by_id.values()}) != len(by_id):
        found.append("a request is there twice")
    return [*found, *unsound(folder)]


def _is_spoken(folder: Path, callback: Fact, seed: str) -> bool:
    """Whether the reason of a request is there, byte for byte."""
    files = list((folder / DATA / "recordings").glob(f"{callback.get('reason_id')}.*.wav"))
    return [file.read_bytes()[HEADER_BYTES:] for file in files] == [speech(seed, SECOND_BYTES)]


WORKLOAD = Workload("callbacks", _prepare, _work, _judge)
