"""The office service with real sockets: what is shown, what is refused, and what happens where the port is taken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from firmware.clock import SystemClock
from firmware.services.control_client import ControlClient
from firmware.services.office import OfficeService
from firmware.settings import Settings, parse_settings
from firmware.storage.store import Store


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    text = (
        f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: front, port: /dev/none}}]\n"
        f"office: {{listen: '127.0.0.1:{free_port()}'}}\n"
    )
    return parse_settings("linekeeper.yaml", text)


@asynccontextmanager
async def browser(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with OfficeService(settings), httpx.AsyncClient(base_url=f"http://{settings.office.listen}") as client:
        yield client


async def test_page_comes_in_the_language_of_the_browser(settings: Settings) -> None:
    async with browser(settings) as client:
        assert "电话值守" in (await client.get("/")).text
        english = await client.get("/", headers={"Accept-Language": "en-GB"})
        assert "Telephone attendant" in english.text
        assert english.headers["content-language"] == "en"
        assert english.headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in english.headers
        assert "电话值守" in (await client.get("/?lang=zh", headers={"Accept-Language": "en"})).text


async def test_health_tells_lines_disk_and_open_incidents(settings: Settings) -> None:
    store = Store(settings.data_dir, SystemClock())
    await store.open()
    await store.open_incident("modem", "front", "gone")
    async with browser(settings) as client:
        health = (await client.get("/health")).json()
    await store.close()
    assert health["open_incidents"] == 1
    assert health["well"] is False
    assert health["free_megabytes"] > 0
    assert health["power"]["state"] == "unknown"
    assert health["lines"][0]["state"] == "stopped"


async def test_nothing_can_be_changed_and_nothing_else_is_there(settings: Settings) -> None:
    async with browser(settings) as client:
        assert (await client.post("/", content=b"x" * 100_000)).status_code == 405
        assert (await client.get("/../etc/passwd")).status_code == 404
        assert (await client.get("/?" + "a&" * 4000 + "lang=en")).status_code == 200
        assert (await client.head("/")).content == b""


async def test_taken_port_is_told_and_taken_over_once_it_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.services.office._LISTEN_AGAIN_SECONDS", 0.05)
    host, _, port = settings.office.listen.rpartition(":")
    with socket.create_server((host, int(port))):
        service = OfficeService(settings)
        await service.__aenter__()
        assert "cannot be used" in service.sentence()
        status = await asyncio.to_thread(ControlClient(settings.run_dir / "office.sock").get, "status")
        assert "office.listen" in status["fault"]
    async with httpx.AsyncClient(base_url=f"http://{settings.office.listen}") as client:
        while service.status()["fault"]:
            await asyncio.sleep(0)
        assert (await client.get("/health")).status_code == 200
    await service.__aexit__(None, None, None)
