"""What an appliance delivers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from collector.records.incoming import batch_of
from collector.records.judging import RecordAnswer
from collector.records.progress import progress
from collector.web.bodies import parse_json
from collector.web.contract import described
from collector.web.models import DeviceId, HelloAnswer, RecordsAnswer, RecordsRequest
from collector.web.parts import Parts
from firmware.uplink_contract.limits import MOST_BATCH_BYTES


def record_routes(parts: Parts) -> APIRouter:
    """`/v1/d/{device}` and its `/records`."""
    router = APIRouter()

    @router.get("/v1/d/{device}", **described(HelloAnswer))
    async def hello(request: Request, device: DeviceId) -> JSONResponse:
        """The highest numbers that the collector has seen of this appliance, and the last change for it."""
        async with parts.door.open(request, device):
            seen = await progress(parts.database, UUID(device))
            return JSONResponse(
                {
                    "device": device,
                    "company": seen.company,
                    "highest_seq": seen.highest_seq,
                    "highest_version": seen.highest_version,
                    "down": await parts.latest_change(UUID(device)),
                }
            )

    @router.post("/v1/d/{device}/records", **described(RecordsAnswer, RecordsRequest))
    async def deliver(request: Request, device: DeviceId) -> JSONResponse:
        """Take a batch; each record is answered by itself, after the commit."""
        async with parts.door.open(request, device, most_bytes=MOST_BATCH_BYTES) as visit:
            records, queue = batch_of(parse_json(visit.body))
            answers = await parts.records.store(UUID(device), records, queue)
            for answer in answers:
                parts.metrics.record(answer.outcome.value)
            down = await parts.latest_change(UUID(device))
            return JSONResponse({"answers": [_told(answer) for answer in answers], "down": down})

    return router


def _told(answer: RecordAnswer) -> dict[str, Any]:
    return {
        "seq": answer.seq,
        "version": answer.version,
        "outcome": answer.outcome.value,
        "reason": answer.reason,
    }
