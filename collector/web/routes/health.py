"""For balancers: whether this copy lives, and whether it can work."""

from __future__ import annotations

import asyncio

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

    @router.get("/healthz", **described(StateAnswer, signed=False))
    async def healthz() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"state": "alive"})

    @router.get("/readyz", **described(StateAnswer, signed=False))
    async def readyz() -> JSONResponse:
        """Database and object store answer, too."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                for check in parts.checks:
                    await check()
        except TimeoutError as error:
            raise Refusal(Why.UNAVAILABLE, "database or object store do not answer in time") from error
        return JSONResponse({"state": "ready"})

    return router
