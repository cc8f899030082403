"""The control socket, with the real server and the real client."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from firmware.errors import LoadBusy, ServiceError
from firmware.events import CallerId, CallRinging, LineChanged, LineState
from firmware.services import http_server
from firmware.services.control import ControlServer
from firmware.services.control_client import ControlClient, LastingClient
from firmware.services.event_hub import CallHub


@pytest.fixture
async def hub() -> CallHub:
    return CallHub()


@pytest.fixture
async def socket_path(tmp_path: Path, hub: CallHub) -> AsyncIterator[Path]:
    path = tmp_path / "calls.sock"
    server = ControlServer(path, {"lines": lambda: [{"name": "front"}]}, hub)
    await server.start()
    yield path
    await server.stop()
    assert not path.exists()


async def test_view_is_answered(socket_path: Path) -> None:
    answer = await asyncio.to_thread(ControlClient(socket_path).get, "lines")
    assert answer == [{"name": "front"}]


async def test_events_reach_every_watcher(socket_path: Path, hub: CallHub) -> None:
    streams = [ControlClient(socket_path).events() for _ in range(2)]
    firsts = [asyncio.ensure_future(anext(stream)) for stream in streams]
    while len(hub._queues) < 2:
        await asyncio.sleep(0)
    hub(CallRinging("front", "c1", CallerId("10086", "王小明")))
    for event in await asyncio.gather(*firsts):
        assert event["event"] == "call_ringing"
        assert event["caller"] == {"number": "10086", "name": "王小明", "absence": "not_sent"}
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


async def test_action_is_done_and_a_refusal_is_told(tmp_path: Path, hub: CallHub) -> None:
    async def rest(request: dict[str, object]) -> object:
        if "line" not in request:
            raise LoadBusy("a call is on it")
        return {"rests": request["line"]}

    path = tmp_path / "calls.sock"
    server = ControlServer(path, {}, hub, actions={"rest": rest})
    await server.start()
    assert await ControlClient(path).ask("rest", line="back") == {"rests": "back"}
    with pytest.raises(ServiceError, match="a call is on it"):
        await ControlClient(path).ask("rest")
    with pytest.raises(ServiceError):
        await ControlClient(path).ask("nothing_like_it")
    for body in (b"[]", b"{", b"[" * 100_000, b"\xff" * 10):
        with pytest.raises(ServiceError):
            await _post(path, body)
    await server.stop()


async def _post(path: Path, body: bytes) -> None:
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path)), base_url="http://x") as client:
        answer = await client.post("/v1/rest", content=body)
        if answer.status_code == httpx.codes.CONFLICT:
            raise ServiceError(answer.json()["error"])


async def test_socket_is_for_the_service_alone(socket_path: Path) -> None:
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o660


async def test_second_service_is_refused(socket_path: Path, hub: CallHub) -> None:
    with pytest.raises(ServiceError, match="runs already"):
        await ControlServer(socket_path, {}, hub).start()


async def test_socket_left_by_a_power_cut_is_taken_over(tmp_path: Path, hub: CallHub) -> None:
    path = tmp_path / "calls.sock"
    path.touch()
    server = ControlServer(path, {"lines": list}, hub)
    await server.start()
    assert await asyncio.to_thread(ControlClient(path).get, "lines") == []
    await server.stop()


async def test_absent_service_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="start it with: linekeeper run"):
        ControlClient(tmp_path / "calls.sock").get("lines")


def test_slow_watcher_loses_its_oldest_events_only() -> None:
    async def scene() -> None:
        hub = CallHub()
        with hub.subscription() as events:
            for count in range(600):
                hub(LineChanged(f"line{count}", LineState.IDLE))
            first = await anext(events)
            assert first.line == "line100"

    asyncio.run(scene())


async def test_asking_over_a_unix_socket_reads_no_certificates(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cost 50 ms of the event loop's thread for each request, and power looks at calls every two seconds."""

    def read(*_: object, **__: object) -> None:
        raise AssertionError("certificates were read")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", read)
    assert await asyncio.to_thread(ControlClient(socket_path).get, "lines") == [{"name": "front"}]
    with pytest.raises(ServiceError):
        await ControlClient(socket_path).ask("rest")
    async with contextlib.aclosing(ControlClient(socket_path).events()) as events:  # type: ignore[type-var]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(events)


async def test_a_lasting_client_connects_once_and_anew_to_a_service_that_was_started_again(
    tmp_path: Path, hub: CallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[object] = []

    class Counted(http_server._Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            connected.append(transport)
            super().connection_made(transport)

    monkeypatch.setattr(http_server, "_Connection", Counted)
    path = tmp_path / "calls.sock"
    with closing(LastingClient(path)) as client:
        for start in (1, 2):
            server = ControlServer(path, {"start": partial(int, start)}, hub)
            await server.start()
            for _ in range(3):
                assert await asyncio.to_thread(client.get, "start") == start
            assert len(connected) == start
            await server.stop()
            with pytest.raises(ServiceError, match="start it with"):
                await asyncio.to_thread(client.get, "start")
