"""Appliances with the product's own parts on one side, a real collector on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from collector.identity.enrolment import make_claim
from collector.service import Collector
from firmware.clock import SystemClock
from firmware.errors import DeliveryError
from firmware.services.control_client import ControlClient
from firmware.services.shared_takers import takers
from firmware.services.uplinks import DeliveryParts, main_route
from firmware.settings import Settings, parse_settings
from firmware.storage.outbox import DiskOutbox
from firmware.storage.shared_store import SharedStore
from firmware.sync.collector_client import CollectorClient
from firmware.sync.collector_down import CollectorDown
from firmware.sync.collector_uplink import CollectorUplink
from firmware.sync.down import Down
from firmware.sync.enrolment import Enrolment
from firmware.sync.rate import ByteRate
from tests.collector.copies import Copies

CLOCK = SystemClock()


class Appliance:
    """Everything of the sync service but its timing: a test says when something is sent, or asked for."""

    def __init__(self, settings: Settings, break_wire: Callable[[str], None] = lambda _: None) -> None:
        from firmware.services.collector_delivery import collector_client, identity_folder

        self.settings = settings
        self.outbox = DiskOutbox(settings.data_dir, CLOCK)
        self.store = SharedStore(settings.data_dir, CLOCK)
        self.client: CollectorClient = collector_client(
            DeliveryParts(settings, CLOCK, self.outbox, ByteRate(None)), settings.sync
        )
        enrolment = Enrolment(self.client, identity_folder(settings), lambda: settings.sync.claim)
        self.uplink = CollectorUplink(self.client, enrolment, CLOCK, self._standing, self.outbox.count_from)
        self._calls = ControlClient(settings.run_dir / "calls.sock")
        self.down = Down(CollectorDown(self.client), self.store, takers(settings, self.store, self._ask))
        self.break_wire = break_wire

    async def _ask(self, service: str, action: str, **details: Any) -> Any:
        assert service == "calls"
        return await self._calls.ask(action, **details)

    async def start(self) -> None:
        await self.outbox.use_routes([main_route(self.settings)])  # type: ignore[list-item]
        await self.uplink.connect()

    async def fetch(self) -> None:
        """What the collector has, before records are sent."""
        await self.down.run_once()

    async def send(self, *, lose_answer: bool = False) -> None:
        """Everything that waits; with `lose_answer` it arrives, and nobody learns of it."""
        while entries := await self.outbox.take("collector", 200):
            answers = await self.uplink.deliver(entries)
            if lose_answer:
                return
            await self.outbox.settle("collector", answers)

    async def shared(self, kind: str) -> dict[str, Any]:
        return {item.key: dict(item.fields) for item in await self.store.items(kind)}

    async def stop(self) -> None:
        await self.uplink.close()
        self.outbox.close()
        self.store.close()

    async def _standing(self) -> Any:
        return await self.outbox.state("collector")


async def new_appliance(copies: Copies, collector: Collector, folder: Path, name: str, more: str = "") -> Appliance:
    """Enrolled with the company Acme."""
    code = await make_claim(collector.database, name, "Acme", copies.clock.now(), timedelta(hours=1))
    host, port = collector.address
    text = (
        f"data_dir: {folder}/{name}/data\nrun_dir: {folder}/{name}/run\nlines: [{{name: a, port: /dev/none}}]\n"
        f"sync: {{mode: collector, url: 'http://{host}:{port}', claim: '{code}'}}\n{more}"
    )
    settings = parse_settings("linekeeper.yaml", text)
    await asyncio.to_thread(settings.data_dir.mkdir, parents=True)
    appliance = Appliance(settings)
    await appliance.start()
    return appliance


__all__ = ["Appliance", "DeliveryError", "new_appliance"]
