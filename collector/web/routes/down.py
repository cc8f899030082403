"""What the collector has for an appliance: changes in order, their files, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from collector.sharing.down import Acknowledged, DownChannel
from collector.web.bodies import parse_shape
from collector.web.contract import described
from collector.web.door import Door
from collector.web.models import DeviceId, Number, Offset, Sha256
from collector.web.models import Request as StrictRequest
from firmware.uplink_contract.limits import MOST_OTHER_BYTES, PART_BYTES

_MOST_NUMBER = 2**63 - 1
After = Annotated[int, Query(ge=0, le=_MOST_NUMBER, description="the last change that the appliance has taken over")]


class Ack(StrictRequest):
    """What became of one change."""

    change: Number
    result: Literal["done", "refused"]
    reason: Annotated[str, Field(max_length=2000)] = ""


class DownRequest(StrictRequest):
    """What became of changes."""

    acks: Annotated[list[Ack], Field(max_length=100)]


class FileAnswer(BaseModel):
    """A file that belongs to a change."""

    sha256: str
    bytes: Number


class ChangeAnswer(BaseModel):
    """One change."""

    change: Number
    kind: str
    key: str
    version: Number
    body: dict[str, Any] | None
    blob: FileAnswer | None
    item: str | None


class ChangesAnswer(BaseModel):
    """Changes in order, and the number up to which they are all there is."""

    changes: list[ChangeAnswer]
    down: Number


class DownAnswer(BaseModel):
    """The number of the last change."""

    down: Number


DOWN_BODIES: list[type[BaseModel]] = [DownRequest]


def down_routes(door: Door, channel: DownChannel) -> APIRouter:
    """`/v1/d/{device}/down` and `/files`."""
    router = APIRouter()

    @router.get("/v1/d/{device}/down", **described(ChangesAnswer))
    async def changes(request: Request, device: DeviceId, after: After) -> JSONResponse:
        """The next changes for an appliance, in order."""
        async with door.open(request, device):
            return JSONResponse(await channel.changes(UUID(device), after))

    @router.post("/v1/d/{device}/down", **described(DownAnswer, DownRequest))
    async def acknowledge(request: Request, device: DeviceId) -> JSONResponse:
        """Note what became of changes."""
        async with door.open(request, device, most_bytes=MOST_OTHER_BYTES) as visit:
            acks = parse_shape(DownRequest, visit.body).acks
            told = [Acknowledged(ack.change, ack.result == "done", ack.reason) for ack in acks]
            return JSONResponse({"down": await channel.acknowledge(UUID(device), told)})

    @router.get("/v1/d/{device}/files/{sha256}", **described(None))
    async def file(request: Request, device: DeviceId, sha256: Sha256, offset: Offset) -> Response:
        """A part of a file that a change named."""
        async with door.open(request, device):
            part = await channel.file(UUID(device), sha256, offset, PART_BYTES)
            return Response(part, media_type="application/octet-stream")

    return router
