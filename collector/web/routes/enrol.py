"""How an appliance becomes known, and stays so."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from collector.web.bodies import parse_shape
from collector.web.contract import described
from collector.web.models import DeviceId, EnrolAnswer, EnrolRequest, RenewAnswer, RenewRequest
from collector.web.parts import Parts
from firmware.uplink_contract.limits import MOST_OTHER_BYTES


def enrol_routes(parts: Parts) -> APIRouter:
    """`/v1/enrol` and `/v1/d/{device}/certificate`."""
    router = APIRouter()

    @router.post("/v1/enrol", **described(EnrolAnswer, EnrolRequest, refusals=("claim", "denied"), signed=False))
    async def enrol(request: Request) -> JSONResponse:
        """Exchange a one-time claim code for a certificate; the same code and key again give the same."""
        async with parts.door.open_to_anybody(request, MOST_OTHER_BYTES) as body:
            asked = parse_shape(EnrolRequest, body)
            made = await parts.registrar.enrol(asked.code, asked.csr_pem)
            return JSONResponse(
                {
                    "device": str(made.device),
                    "company": made.company,
                    "certificate_pem": made.certificate_pem,
                    "authority_pem": made.authority_pem,
                }
            )

    @router.post("/v1/d/{device}/certificate", **described(RenewAnswer, RenewRequest))
    async def renew(request: Request, device: DeviceId) -> JSONResponse:
        """The next certificate, also for one that has ended; the same renewal again gives the same."""
        visit = parts.door.open(request, device, most_bytes=MOST_OTHER_BYTES, renewing=True)
        async with visit as admitted:
            asked = parse_shape(RenewRequest, admitted.body)
            pem = await parts.registrar.renew(admitted.caller.certificate, asked.csr_pem)
            return JSONResponse({"certificate_pem": pem, "authority_pem": parts.registrar.authority_pem})

    return router
