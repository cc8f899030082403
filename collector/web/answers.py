"""Every answer of the collector: JSON, with the header that says who speaks; errors included."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.blobs.errors import BlobsUnavailable, ObjectMissing
from collector.errors import Busy, CollectorError, DatabaseOther, DatabaseUnavailable, Malformed, NotFound
from collector.refusals import Refusal, Why, malformed
from firmware.journal import journal
from firmware.uplink_contract.limits import MARK, MARK_HEADER

_log = journal("collector")
_LATER = {Why.BUSY, Why.UNAVAILABLE, Why.FAULT}
# Appliances that were refused at the same moment must not come back at the same moment.
_RETRY_SECONDS = (2, 10)
_MARK = (MARK_HEADER.lower().encode("ascii"), MARK.encode("ascii"))


class Marked:
    """Puts the header on every answer, whoever makes it. The outermost layer."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _MARK]
            await send(message)

        await self._inner(scope, receive, marked)


def refusal_answer(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is not carried out."""
    extra = dict(headers or {})
    if refusal.why in _LATER:
        extra["Retry-After"] = str(random.randint(*_RETRY_SECONDS))
    if refusal.why is Why.TOO_LARGE:
        # What is still on its way is not read.
        extra["Connection"] = "close"
    return JSONResponse(dict(refusal.body()), refusal.why.status, extra)


def answer_errors(app: FastAPI) -> None:
    """From now on each error of our own tree, and of the framework, becomes an answer as the contract has them."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(CollectorError, _collector_error)
    app.add_exception_handler(BlobsUnavailable, _blobs_unavailable)
    app.add_exception_handler(ObjectMissing, _missing)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fault)


def collector_refusal(error: CollectorError) -> Refusal:
    """An error of the database's side as a refusal."""
    if isinstance(error, Malformed):
        return malformed(str(error))
    if isinstance(error, NotFound):
        return Refusal(Why.NOT_FOUND, str(error))
    if isinstance(error, Busy):
        return Refusal(Why.BUSY, "too much to do; try again later")
    if isinstance(error, DatabaseUnavailable | DatabaseOther):
        _log.warning("database", error=str(error))
    return Refusal(Why.UNAVAILABLE, "the collector cannot store anything now; try again later")


async def _refusal(_: Request, error: Any) -> Response:
    return refusal_answer(error)


async def _collector_error(_: Request, error: Any) -> Response:
    return refusal_answer(collector_refusal(error))


async def _blobs_unavailable(_: Request, error: Any) -> Response:
    _log.warning("blobs", error=str(error))
    return refusal_answer(Refusal(Why.UNAVAILABLE, "the collector cannot keep recordings now; try again later"))


async def _missing(_: Request, __: Any) -> Response:
    return refusal_answer(Refusal(Why.NOT_FOUND, "there is no such object, or it is shorter"))


async def _invalid(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    # Where and what is wrong, never the value: it may be a caller's.
    place = ".".join(str(step) for step in first["loc"])
    return refusal_answer(malformed(f"{place}: {first['msg']}"[:500]))


async def _http(request: Request, error: Any) -> Response:
    if error.status_code == Why.METHOD.status:
        return refusal_answer(Refusal(Why.METHOD, "this address does not take this method"), _allowed(request))
    if error.status_code == Why.NOT_FOUND.status:
        return refusal_answer(Refusal(Why.NOT_FOUND, "there is no such address here"))
    return refusal_answer(malformed(str(error.detail)[:500]))


def _allowed(request: Request) -> Mapping[str, str]:
    # The router names the methods of the first route that has the address; there may be several.
    here = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in here for method in getattr(route, "methods", None) or ()}
    return {"Allow": ", ".join(sorted(methods))}


async def _gone(_: Request, __: Any) -> Response:
    return refusal_answer(malformed("the body ended too early"))


async def _fault(_: Request, __: Any) -> Response:
    # The server tells the whole of it to the journal.
    return refusal_answer(Refusal(Why.FAULT, "a fault of the collector; who runs it finds it in its journal"))
