"""The collector's ASGI application."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from collector.web.answers import Marked, answer_errors
from collector.web.contract import tell_contract
from collector.web.metrics import Measured
from collector.web.parts import Parts
from collector.web.routes.blobs import blob_routes
from collector.web.routes.enrol import enrol_routes
from collector.web.routes.health import health_routes
from collector.web.routes.records import record_routes


def build_app(parts: Parts, more: Sequence[APIRouter] = (), more_bodies: Sequence[type[BaseModel]] = ()) -> ASGIApp:
    """All addresses of the contract; `more` are those of other parts, with the shapes of their bodies."""
    app = FastAPI(
        title="Linekeeper collector",
        version="1",
        description="Takes the records and recordings of many appliances, each exactly once.",
        docs_url=None,
        redoc_url=None,
        # /v1/enrol and /v1/enrol/ are two addresses: a redirect would lose a body and a signature.
        redirect_slashes=False,
    )
    for router in (enrol_routes(parts), record_routes(parts), blob_routes(parts), health_routes(parts), *more):
        app.include_router(router)
    answer_errors(app)
    tell_contract(app, list(more_bodies))
    return Marked(Measured(app, parts.metrics, time.monotonic))
