"""The OpenAPI document, told from the same shapes that requests are judged by."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from collector.refusals import Why
from collector.web.models import EnrolRequest, ErrorAnswer, RecordsRequest, RenewRequest
from firmware.uplink_contract.limits import MARK, MARK_HEADER
from firmware.uplink_contract.signing import (
    CERTIFICATE_HEADER,
    DATE_HEADER,
    DIGEST_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
)

_PLACE = "#/components/schemas/{model}"
_ALWAYS = ("malformed", "not_found", "too_large", "busy", "fault", "unavailable")
_SIGNED = ("clock", "signature", "certificate", "replayed", "denied", "wrong_device")
_BY_CODE = {why.code: why for why in Why}
_BODIES: list[type[BaseModel]] = [EnrolRequest, RenewRequest, RecordsRequest]
_MARK = {MARK_HEADER: {"required": True, "schema": {"type": "string", "enum": [MARK]}}}
_LATER = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
_HEADERS = {
    CERTIFICATE_HEADER: {"type": "string", "description": "DER of the appliance's certificate, base64"},
    DATE_HEADER: {"type": "string", "pattern": "^[0-9]{1,15}$", "description": "milliseconds since 1970"},
    NONCE_HEADER: {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "never used twice"},
    DIGEST_HEADER: {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the body, hex"},
    SIGNATURE_HEADER: {"type": "string", "description": "ECDSA P-256 over the request (signing.py), DER, base64"},
}


def described(
    answer: type[BaseModel] | None,
    body: type[BaseModel | bytes] | None = None,
    *,
    refusals: tuple[str, ...] = (),
    signed: bool = True,
) -> dict[str, Any]:
    """How a route is told in the document; `answer` None stands for bytes."""
    extra: dict[str, Any] = {}
    if signed:
        extra["parameters"] = [
            {"name": name, "in": "header", "required": True, "schema": schema} for name, schema in _HEADERS.items()
        ]
    if body is not None:
        extra["requestBody"] = {"required": True, "content": _content(body)}
    return {
        "responses": {200: _good(answer), **_refusals({*_ALWAYS, *refusals, *(_SIGNED if signed else ())})},
        "openapi_extra": extra,
    }


def tell_contract(app: FastAPI, more_bodies: list[type[BaseModel]]) -> None:
    """Make `/openapi.json` from the routes and from the shapes of bodies."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, [*_BODIES, *more_bodies])
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI, bodies: list[type[BaseModel]]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _, told = models_json_schema([(body, "validation") for body in bodies], ref_template=_PLACE)
    schemas.update(told.get("$defs", {}))
    for path in document["paths"].values():
        for operation in path.values():
            _without_framework(operation)
    return document


def _without_framework(operation: dict[str, Any]) -> None:
    # FastAPI tells of its own answer to invalid parameters; ours is 400 `malformed`.
    invalid = operation["responses"].get("422", {})
    if "HTTPValidationError" in str(invalid):
        del operation["responses"]["422"]


def _content(body: type[BaseModel | bytes]) -> dict[str, Any]:
    if issubclass(body, bytes):
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": {"$ref": _PLACE.format(model=body.__name__)}}}


def _good(answer: type[BaseModel] | None) -> dict[str, Any]:
    if answer is not None:
        return {"model": answer, "description": "Done", "headers": _MARK}
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"description": "Bytes", "headers": _MARK, "content": {"application/octet-stream": binary}}


def _refusals(codes: set[str]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(_BY_CODE[code].status, []).append(code)
    return {
        status: {
            "model": ErrorAnswer,
            "description": ", ".join(f"`{code}`" for code in told),
            "headers": {**_MARK, **(_LATER if status in {429, 500, 503} else {})},
        }
        for status, told in by_status.items()
    }
