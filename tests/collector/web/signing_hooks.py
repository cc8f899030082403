"""Hooks for schemathesis: an enrolled appliance, from the file that `LINEKEEPER_TEST_APPLIANCE` names.

Only what is sound in a generated request is made an appliance's own; what was made wrong on purpose stays wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from schemathesis.core.parameters import ParameterLocation

from firmware.uplink_contract.signing import CERTIFICATE_HEADER
from tests.collector.clients import Appliance, new_key, signing_request

_DEVICE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _load() -> Appliance:
    kept = json.loads(Path(os.environ["LINEKEEPER_TEST_APPLIANCE"]).read_text())
    key = load_pem_private_key(kept["key_pem"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Appliance(kept["device"], key, kept["certificate_pem"])


_APPLIANCE = _load()
_CSR = signing_request(new_key())


class Signing(requests.auth.AuthBase):
    """Signs what is really sent."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body: Any = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        request.headers.update(_APPLIANCE.headers(request.method or "", request.path_url, raw))
        return request


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Make the request that of the appliance."""
    if _DEVICE.fullmatch(str((case.path_parameters or {}).get("device", ""))):
        case.path_parameters["device"] = _APPLIANCE.device
    if CERTIFICATE_HEADER in (case.headers or {}) and _sound(case, ParameterLocation.HEADER):
        kwargs["auth"] = Signing()
    if _sound(case, ParameterLocation.BODY) and _sound(case, ParameterLocation.QUERY):
        _make_sense(case)


def _sound(case: Any, location: ParameterLocation) -> bool:
    made = case.meta.components.get(location) if case.meta else None
    return made is None or made.mode.is_positive


def _make_sense(case: Any) -> None:
    # What no JSON schema can say.
    if isinstance(case.body, dict) and "csr_pem" in case.body:
        case.body["csr_pem"] = _CSR
    if isinstance(case.body, dict) and "sent_at" in case.body:
        case.body["sent_at"] = datetime.now(UTC).isoformat()
    if isinstance(case.body, dict):
        case.body = _counted(case.body)
    content = getattr(case.body, "data", case.body)
    if isinstance(content, bytes) and "size" in (case.query or {}):
        case.query.update(offset=0, size=len(content))
        if _sound(case, ParameterLocation.PATH):
            case.path_parameters["sha256"] = hashlib.sha256(content).hexdigest()


def _counted(value: Any) -> Any:
    # 5.0 is an integer to JSON schema, and to nobody who counts.
    if isinstance(value, dict):
        return {name: _counted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_counted(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
