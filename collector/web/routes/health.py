"""For balancers: whether this copy lives, and whether it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from collector.refusals import Refusal, Why
from collector.web.contract import described
from collector.web.models import StateAnswer
from collector.web.parts import Parts

_CHECK_SECONDS = 5.0


def health_routes(parts: Parts) -> APIRouter:
    """`/healthz` and `/readyz`."""
    router = APIRouter()
    looked = _Shared(partial(_look, parts.checks))

    @router.get("/healthz", **described(StateAnswer, signed=False))
    async def healthz() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"state": "alive"})

    @router.get("/readyz", **described(StateAnswer, signed=False))
    async def readyz() -> JSONResponse:
        """Database and object store answer, too."""
        await looked.result()
        return JSONResponse({"state": "ready"})

    return router


class _Shared:
    """One look for all who ask meanwhile: anybody may ask, and must not so keep database and store busy."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._looking: asyncio.Task[None] | None = None

    async def result(self) -> None:
        """Raises: what the look raises."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._run())
        await asyncio.shield(self._looking)

    async def _run(self) -> None:
        try:
            await self._look()
        finally:
            self._looking = None


async def _look(checks: Sequence[Callable[[], Awaitable[None]]]) -> None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            for check in checks:
                await check()
    except TimeoutError as error:
        raise Refusal(Why.UNAVAILABLE, "database or object store do not answer in time") from error
