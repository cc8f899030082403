"""A service's local control API: HTTP and server-sent events on a Unix socket in `run_dir`.

The only place that imports starlette.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from firmware.errors import LinekeeperError, RecordNotFound, ServiceError
from firmware.services.event_hub import EventHub
from firmware.services.event_json import event_to_json
from firmware.services.http_server import HttpServer
from firmware.services.monitor import MonitorDesk

# Only the service's own user and group may talk to it.
_SOCKET_UMASK = 0o117
# No request needs more.
_LONGEST_BODY_BYTES = 64 * 1024

Action = Callable[[dict[str, Any]], Awaitable[Any]]
"""Does what a request's JSON object says; the answer's JSON value. Raises: LinekeeperError, told as the answer."""


class ControlServer:
    """Serves `GET /v1/<name>` for each given view, `POST /v1/<name>` for each action, and events at `GET /v1/events`.

    A view is a function that returns its JSON value, or a coroutine function.
    With `monitors`, `GET /v1/lines/<line>/audio` is the sound of a line (`MonitorDesk.listen`): s16 at 8 kHz, raw.
    """

    def __init__(
        self,
        path: Path,
        views: dict[str, Callable[[], Any]],
        hub: EventHub[Any],
        monitors: MonitorDesk | None = None,
        actions: dict[str, Action] | None = None,
    ) -> None:
        self._path = path
        self._hub = hub
        self._monitors = monitors
        routes = [Route(f"/v1/{name}", _json_endpoint(view)) for name, view in views.items()]
        routes += [Route(f"/v1/{name}", _action_endpoint(do), methods=["POST"]) for name, do in (actions or {}).items()]
        routes += [Route("/v1/events", self._events)]
        routes += [Route("/v1/lines/{line}/audio", _audio_endpoint(monitors))] if monitors else []
        self._app = Starlette(routes=routes)
        self._running: HttpServer | None = None

    async def start(self) -> None:
        """Listen. Raises: ServiceError where another process of this service is alive."""
        listener = _listen(self._path)
        self._running = HttpServer(self._app, listener)

    async def stop(self) -> None:
        """End every stream and close the socket."""
        if self._running is None:
            return
        self._hub.close()
        if self._monitors is not None:
            self._monitors.close()
        await self._running.stop()
        self._path.unlink(missing_ok=True)

    async def _events(self, _request: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        with self._hub.subscription() as events:
            yield ": watching\n\n"
            async for event in events:
                yield f"data: {json.dumps(event_to_json(event), ensure_ascii=False)}\n\n"


class _AudioResponse(StreamingResponse):
    """Ends the listening together with the response, and not whenever its generator is collected."""

    def __init__(self, sound: AsyncGenerator[bytes]) -> None:
        super().__init__(sound, media_type="application/octet-stream")
        self._sound = sound

    async def stream_response(self, send: Send) -> None:
        async with contextlib.aclosing(self._sound):
            await super().stream_response(send)


def _audio_endpoint(monitors: MonitorDesk) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        listener = f"{request.client.host} (process {request.client.port})" if request.client else "unknown"
        try:
            return _AudioResponse(monitors.listen(request.path_params["line"], listener))
        except RecordNotFound as error:
            return JSONResponse({"error": str(error)}, status_code=404)

    return endpoint


def _json_endpoint(view: Callable[[], Any]) -> Callable[[Request], Any]:
    async def endpoint(_request: Request) -> Response:
        value = view()
        return JSONResponse(await value if inspect.isawaitable(value) else value)

    return endpoint


def _action_endpoint(do: Action) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await do(await _json_object(request)))
        except LinekeeperError as error:
            return JSONResponse({"error": str(error)}, status_code=409)

    return endpoint


async def _json_object(request: Request) -> dict[str, Any]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_BODY_BYTES:
            raise ServiceError(f"a request has at most {_LONGEST_BODY_BYTES} bytes")
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("the request is no JSON") from error
    if not isinstance(value, dict):
        raise ServiceError("the request is no JSON object")
    return value


def _listen(path: Path) -> socket.socket:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _bind(path)
    except OSError as error:
        raise ServiceError(f"cannot listen at {path}: {error.strerror or error}; name another run_dir") from error


def _bind(path: Path) -> socket.socket:
    if someone_answers(path):
        raise ServiceError(f"this service runs already (its socket is {path}); stop it first")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    umask = os.umask(_SOCKET_UMASK)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(umask)
    listener.setblocking(False)
    return listener


def someone_answers(path: Path) -> bool:
    """Whether a process listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            return probe.connect_ex(str(path)) == 0
        except OSError:  # a path that is too long for any socket
            return False
