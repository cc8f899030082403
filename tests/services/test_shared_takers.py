"""What a collector may ask of an appliance, and what it may not, whatever it sends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from firmware.clock import SystemClock
from firmware.errors import StorageError
from firmware.ports import Change
from firmware.services.down_work import DownWork
from firmware.services.shared_takers import takers
from firmware.storage.shared_store import SharedStore
from firmware.sync.collector_answers import RequestRefused, json_object
from firmware.sync.collector_client import CollectorClient
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.rate import ByteRate
from tests.sync.appliances import appliance_settings

FLOW = "name: Ours\nstart: bye\nsteps:\n  bye: {kind: hang_up}\n"
ID = "01a21f7b-ed40-7000-b794-e0d9a20d4b30"


class Channel:
    """No collector is needed to refuse what it says."""

    changes = acknowledge = fetch = None


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"caller": "+8613800138000"}, {"number": "+8613800138000"}),
        ({"message": ID}, {"message": ID}),
        # Each of these would be refused by calls for ever, and no record would leave meanwhile.
        ({"caller": "  "}, None),
        ({"caller": "1" * 70_000}, None),
        ({"caller": "1", "message": ID}, None),
        # A message's number is another message at each appliance.
        ({"message": "1"}, None),
        ({"message": ""}, None),
        ({"caller": None}, None),
        (None, None),
    ],
)
async def test_only_whole_orders_to_erase_are_carried_out_and_others_hold_up_nothing(
    tmp_path: Path, body: dict[str, Any] | None, asked: dict[str, str] | None
) -> None:
    heard: list[dict[str, Any]] = []

    async def ask(_service: str, _action: str, **details: Any) -> None:
        heard.append(details)

    settings = appliance_settings(tmp_path, "http://127.0.0.1:9", claim="abcdefgh")
    store = SharedStore(tmp_path, SystemClock())
    order = Change(1, "erase", ID, 1, body)
    told = await takers(settings, store, ask)["erase"].take(order, Channel())  # type: ignore[arg-type]
    store.close()
    assert (told.done, heard) == (asked is not None, [asked] if asked else [])


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"a": NaN}', b'{"b": Infinity}', b'{"\\udfff": 1}'])
def test_an_answer_that_no_database_can_bear_is_no_answer(body: bytes) -> None:
    assert json_object(body) is None


def test_an_answer_in_any_writing_is_one() -> None:
    assert json_object(b'{"a": "\\u738b\\ud83d\\ude00"}') == {"a": "王😀"}


async def test_a_crash_of_the_work_beside_the_sender_does_not_close_what_the_sender_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = appliance_settings(tmp_path, "http://127.0.0.1:9", claim="abcdefgh")
    caller = HttpCaller(CallerSettings(), ByteRate(None), SystemClock())
    work = DownWork(settings, SystemClock(), CollectorClient("http://127.0.0.1:9", caller, SystemClock()))

    async def crash(_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("firmware.sync.down.Down.run_once", crash)
        work.tell()
        with pytest.raises(ZeroDivisionError):
            await work.run()
    store = work._store
    assert await store.number() == 0
    running = asyncio.create_task(work.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    with pytest.raises(StorageError):
        await store.number()


@pytest.mark.parametrize(
    ("kind", "key", "body"), [("contact", "+861380013800", {"name": "Li"}), ("flow", "f", {"text": "start: end"})]
)
async def test_more_items_than_any_company_has_are_refused_and_those_that_are_there_are_changed_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, key: str, body: dict[str, Any]
) -> None:
    monkeypatch.setattr("firmware.storage.shared_rows.MOST_ITEMS", {kind: 2})
    monkeypatch.setattr("firmware.services.shared_flow.parse_flow", lambda *_: None)
    settings = appliance_settings(tmp_path, "http://127.0.0.1:9", claim="abcdefgh")
    store = SharedStore(settings.data_dir, SystemClock())
    taker = takers(settings, store, None)[kind]  # type: ignore[arg-type]
    keys = [f"{key}{number}" for number in (1, 2, 3, 1)]
    changes = [Change(number, kind, each, number, body) for number, each in enumerate(keys, 1)]
    told = [(await taker.take(change, Channel())).done for change in changes]  # type: ignore[arg-type]
    held = [item.key for item in await store.items(kind)]
    store.close()
    assert (told, held) == ([True, True, False, True], keys[:2])


def test_what_a_collector_says_is_obeyed_by_no_terminal() -> None:
    refusal = RequestRefused(400, {"error": "\x1b[2J", "message": "a\x1b]0;b\x07\u202ec\nd"})
    assert not {"\x1b", "\x07", "\u202e", "\n"} & set(f"{refusal}{refusal.sentence}{refusal.code}")


@pytest.mark.parametrize("kind", ["flow", "prompt", "configuration"])
@pytest.mark.parametrize("body", [{"text": FLOW}, {"value": 5}, {"voice": "x"}, {}, None])
async def test_the_name_of_an_erased_entry_is_no_way_to_another_file(
    tmp_path: Path, kind: str, body: dict[str, Any] | None
) -> None:
    settings = appliance_settings(tmp_path, "http://127.0.0.1:9", claim="abcdefgh")
    (settings.data_dir / "shared" / "flows" / "erased").mkdir(parents=True)
    victim = tmp_path / "victim.yaml"
    victim.write_text("mine")
    store = SharedStore(settings.data_dir, SystemClock())
    change = Change(1, kind, "erased/../../../../victim", 1, body)
    told = await takers(settings, store, None)[kind].take(change, Channel())  # type: ignore[arg-type]
    store.close()
    assert not told.done
    assert victim.read_text() == "mine"
