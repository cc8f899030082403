"""Audio, in parts that can be resumed on any copy."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from collector.blobs.uploads import Part, Progress
from collector.web.contract import described
from collector.web.models import BlobAnswer, DeviceId, Offset, Sha256, Size
from collector.web.parts import Parts
from firmware.uplink_contract.limits import PART_BYTES


def blob_routes(parts: Parts) -> APIRouter:
    """`/v1/d/{device}/blobs/{sha256}`."""
    router = APIRouter()

    @router.get("/v1/d/{device}/blobs/{sha256}", **described(BlobAnswer))
    async def progress(request: Request, device: DeviceId, sha256: Sha256) -> JSONResponse:
        """How much of a recording is here."""
        async with parts.door.open(request, device, audio=True):
            return _answer(await parts.uploads.progress(UUID(device), sha256))

    @router.patch("/v1/d/{device}/blobs/{sha256}", **described(BlobAnswer, bytes, refusals=("offset", "hash")))
    async def add(request: Request, device: DeviceId, sha256: Sha256, offset: Offset, size: Size) -> JSONResponse:
        """Take the next part."""
        async with parts.door.open(request, device, most_bytes=PART_BYTES, audio=True) as visit:
            part = Part(offset, size, visit.body)
            reached = await parts.uploads.add(UUID(device), sha256, part)
            parts.metrics.audio(len(visit.body))
            return _answer(reached)

    return router


def _answer(progress: Progress) -> JSONResponse:
    return JSONResponse({"offset": progress.offset, "complete": progress.complete})
