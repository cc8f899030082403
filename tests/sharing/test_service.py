"""The whole sync service with a real collector: edits go out, what the company shares comes in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from collector.identity.enrolment import make_claim
from collector.service import Collector
from collector.sharing.editing import list_items, set_item
from firmware.clock import SystemClock
from firmware.services.control_client import ControlClient
from firmware.services.sync import SyncService
from firmware.settings import Settings, parse_settings
from firmware.storage.shared_store import SharedStore
from tests.collector.copies import Copies

KEY, OTHER = "+8613800138000", "+8613800138001"


async def settings_for(copies: Copies, collector: Collector, folder: Path) -> Settings:
    code = await make_claim(collector.database, "front", "Acme", copies.clock.now(), timedelta(hours=1))
    host, port = collector.address
    return parse_settings(
        "linekeeper.yaml",
        f"data_dir: {folder}/data\nrun_dir: {folder}/run\nlines: [{{name: a, port: /dev/none}}]\n"
        f"sync: {{mode: collector, url: 'http://{host}:{port}', claim: '{code}', spread_seconds: 0}}\n",
    )


async def test_edits_go_out_and_what_is_shared_comes_in(copies: Copies, collector: Collector, tmp_path: Path) -> None:
    settings = await settings_for(copies, collector, tmp_path)
    await asyncio.to_thread(settings.data_dir.mkdir)
    store = SharedStore(settings.data_dir, SystemClock())
    wake = ControlClient(settings.run_dir / "sync.sock")
    # Whoever is first makes the database; two that are first at once would be told to try again.
    await store.edit("contact", KEY, {"name": "Li Wei"})
    async with asyncio.timeout(60), SyncService(settings):
        await wake.ask("wake", now=True)
        while not (there := await list_items(collector.database, "Acme", "contact")):
            await asyncio.sleep(0.1)
        assert [item["body"] for item in there] == [{"name": "Li Wei"}]
        await set_item(collector.database, "Acme", "contact", OTHER, {"name": "Wang"})
        # The answer to the next delivery says that there is something new.
        await store.edit("blocked", "anonymous", {"reason": "asked"})
        await wake.ask("wake", now=True)
        while len(await store.items("contact")) < 2:
            await asyncio.sleep(0.1)
        # Whoever cannot wait asks, also where nothing is to be delivered.
        await set_item(collector.database, "Acme", "blocked", OTHER, {"reason": "rude"})
        await wake.ask("wake", now=True)
        while len(await store.items("blocked")) < 2:
            await asyncio.sleep(0.1)
    assert {item.key: item.fields["name"] for item in await store.items("contact")} == {KEY: "Li Wei", OTHER: "Wang"}
    store.close()
