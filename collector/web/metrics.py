"""What a copy counts of its work, without a device, a caller or an address in it.

The only place that imports prometheus-client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Of one copy."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        named: Any = {"namespace": "linekeeper_collector", "registry": self._registry}
        self._requests = Counter("requests", "Requests answered.", ["route", "method", "status"], **named)
        self._seconds = Histogram("request_seconds", "From headers to answer.", ["route"], buckets=_SECONDS, **named)
        self._records = Counter("records", "Records answered, by outcome.", ["outcome"], **named)
        self._audio = Counter("blob_bytes", "Audio taken, in bytes.", **named)
        self._named = named

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the pattern, never the address itself."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def record(self, outcome: str) -> None:
        """A record was answered."""
        self._records.labels(outcome).inc()

    def audio(self, byte_count: int) -> None:
        """A part was taken."""
        self._audio.inc(byte_count)

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """A number that is looked up when somebody asks."""
        Gauge(name, about, **self._named).set_function(value)

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)


class Measured:
    """Counts what the inner application answers."""

    def __init__(self, inner: ASGIApp, metrics: Metrics, time: Callable[[], float]) -> None:
        self._inner = inner
        self._metrics = metrics
        self._time = time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        began = self._time()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._inner(scope, receive, noted)
        finally:
            self._metrics.answered(_pattern(scope), _method(scope), status, self._time() - began)


def metrics_page(metrics: Metrics) -> ASGIApp:
    """An application of one page: the metrics."""

    async def page(scope: Scope, _: Receive, send: Send) -> None:
        found = scope["type"] == "http" and scope["path"] == "/metrics"
        headers = [(b"content-type", CONTENT_TYPE_LATEST.encode() if found else b"text/plain")]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": metrics.text() if found else b"see /metrics\n"})

    return page


def _pattern(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "none"))


def _method(scope: Scope) -> str:
    # Whatever else somebody writes there must not make a new series.
    method = str(scope.get("method"))
    return method if method in {"GET", "POST", "PATCH"} else "other"
