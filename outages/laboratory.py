"""One run: a backlog, a plan of breaks, a delivery, and the judgement."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.program import Program
from firmware.clock import SystemClock
from firmware.storage.store import Store
from outages.backlog import Backlog
from outages.balancer import Balancer
from outages.breaks import Kind, Moment, plan
from outages.centre import COLLECTOR, Centre, centre
from outages.collected import Shelf, read_collected
from outages.conductor import Conductor
from outages.figures import Figures
from outages.judge import violations
from outages.network import CENTRE_ADDRESS, Network
from outages.office import Office
from outages.site import LINEKEEPER, Site, make_site
from outages.truth import read_truth

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. `lasting` is a factor for each break; `sender` and `collector` are the programs under test."""

    breaks: int
    lasting: float
    seed: int
    s3: bool
    pause_seconds: float
    longest_seconds: float
    sender: Sequence[str] = (str(LINEKEEPER),)
    collector: Sequence[str] = (str(COLLECTOR),)


@dataclass(frozen=True, slots=True)
class _Scene:
    network: Network
    centre: Centre
    balancer: Balancer
    site: Site
    sender: Program


@dataclass(frozen=True, slots=True)
class _Told:
    office: Office
    kinds: Counter[Kind]
    moments: Counter[Moment]


async def run(folder: Path, data: Path, backlog: Backlog, order: Order) -> Figures:
    """`data` is the folder that `make_backlog` filled; it is copied. Raises: RuntimeError where nothing can start."""
    began = time.monotonic()
    async with _scene(folder, data, order) as scene:
        told = await _deliver(scene, backlog, order)
        seconds = time.monotonic() - began
        ended = not scene.site.queued()
        status = await asyncio.to_thread(scene.site.sync_status)
        await scene.sender.kill()
        found = await asyncio.to_thread(_judge, scene, backlog, told.office)
        if not ended:
            found.append(f"not done after {order.longest_seconds:g} s: {scene.sender.said[-600:]}")
        if status["queued"]:
            found.append(f"sync status says that {status['queued']} are queued")
        return _figures(scene, backlog, told, seconds, found)


def _figures(scene: _Scene, backlog: Backlog, told: _Told, seconds: float, found: list[str]) -> Figures:
    return Figures(
        blobs="S3" if scene.centre.environment else "a folder",
        records=backlog.records,
        recordings=len(backlog.recordings),
        breaks={kind.value: count for kind, count in told.kinds.items()},
        moments={moment.value: count for moment, count in told.moments.items()},
        meanwhile=dict(told.office.done),
        outcomes=dict(scene.balancer.outcomes),
        statuses={str(status): count for status, count in scene.balancer.statuses.items()},
        sent_bytes=scene.network.bytes_received(),
        audio_bytes=backlog.audio_bytes,
        seconds=round(seconds, 1),
        violations=found,
    )


async def _deliver(scene: _Scene, backlog: Backlog, order: Order) -> _Told:
    store = Store(scene.site.data_dir, SystemClock(), keep_free_megabytes=0)
    await store.open()
    office = Office(store, scene.site.data_dir, backlog, order.seed, order.pause_seconds)
    whole = backlog.records + len(backlog.recordings)

    def share_done() -> float:
        return (scene.balancer.outcomes["stored"] + scene.balancer.blobs_done) / whole

    conductor = Conductor(scene.network, scene.centre, scene.sender, scene.balancer, share_done)
    deadline = time.monotonic() + order.longest_seconds
    work = asyncio.create_task(office.work())
    breaking = asyncio.create_task(conductor.run(plan(order.seed, order.breaks, order.lasting)))
    try:
        await scene.sender.start()
        await _wait(breaking, deadline)
    finally:
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        office.stop()
        await work
        await store.close()
    while scene.site.queued() and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
    return _Told(office, conductor.kinds, conductor.moments)


async def _wait(breaking: asyncio.Task[None], deadline: float) -> None:
    while not breaking.done() and time.monotonic() < deadline:
        await asyncio.wait([breaking], timeout=_LOOK_SECONDS)
    if breaking.done():
        await breaking


def _judge(scene: _Scene, backlog: Backlog, office: Office) -> list[str]:
    truth = read_truth(scene.site.data_dir, [*backlog.every_id(), *office.new_ids])
    shelf = Shelf(scene.centre.blobs, scene.centre.environment)
    return violations(truth, read_collected(scene.centre.database), shelf.hash_of, backlog.audio)


@asynccontextmanager
async def _scene(folder: Path, data: Path, order: Order) -> AsyncIterator[_Scene]:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(CENTRE_ADDRESS).configure_cert(tls)
    with Network() as network:
        async with centre(folder, s3=order.s3, program=order.collector) as built:
            balancer = Balancer(built.ports, tls)
            url = f"https://{CENTRE_ADDRESS}:{await balancer.start(CENTRE_ADDRESS)}"
            claim = built.run("claim", "laboratory").split()[-1]
            place = folder / "site"
            place.mkdir()
            await asyncio.to_thread(shutil.copytree, data, place / "data")
            site = make_site(place, url, claim, authority.cert_pem.bytes())
            try:
                async with _killed_at_the_end(site.sender(order.sender)) as sender:
                    yield _Scene(network, built, balancer, site, sender)
            finally:
                await balancer.stop()


@asynccontextmanager
async def _killed_at_the_end(program: Program) -> AsyncIterator[Program]:
    try:
        yield program
    finally:
        await program.kill()
