"""Shapes of requests and answers (docs/delivery.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from firmware.uplink_contract.limits import MOST_BLOB_BYTES, MOST_RECORDS

_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_MOST_NUMBER = 2**63 - 1

DeviceId = Annotated[str, Path(pattern=_UUID, description="the appliance's id, as its enrolment told")]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content, hex")]
Offset = Annotated[int, Query(ge=0, le=MOST_BLOB_BYTES, description="where this part begins, bytes")]
# Its limit is told, not checked here: what is too large has an answer of its own.
Size = Annotated[
    int, Query(ge=0, le=_MOST_NUMBER, json_schema_extra={"maximum": MOST_BLOB_BYTES}, description="of the whole, bytes")
]
Number = Annotated[int, Field(ge=0, le=_MOST_NUMBER)]
Count = Annotated[int, Field(ge=0, lt=_MOST_NUMBER)]


class Request(BaseModel):
    """Of a client: nothing that we do not know, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EnrolRequest(Request):
    """A one-time claim code, and a signing request that proves the key."""

    code: Annotated[str, Field(min_length=1, max_length=64)]
    csr_pem: Annotated[str, Field(min_length=1, max_length=16_384)]


class RenewRequest(Request):
    """A signing request for the next certificate."""

    csr_pem: Annotated[str, Field(min_length=1, max_length=16_384)]


class EnrolAnswer(BaseModel):
    """Who the appliance is from now on."""

    device: Annotated[str, Field(pattern=_UUID)]
    company: str
    certificate_pem: str
    authority_pem: str


class RenewAnswer(BaseModel):
    """The next certificate."""

    certificate_pem: str
    authority_pem: str


class HelloAnswer(BaseModel):
    """What the collector knows of an appliance."""

    device: Annotated[str, Field(pattern=_UUID)]
    company: str
    highest_seq: Number
    highest_version: Number
    down: Number


class BlobAnswer(BaseModel):
    """How much of a recording is here."""

    offset: Number
    complete: bool


class RecordAnswer(BaseModel):
    """What became of one record."""

    seq: int
    version: int
    outcome: Literal["stored", "duplicate", "need_blob", "rejected", "conflict"]
    reason: str


class RecordsAnswer(BaseModel):
    """After the commit."""

    answers: list[RecordAnswer]
    down: Number


class ErrorAnswer(BaseModel):
    """A request that was not carried out."""

    error: str
    message: str
    offset: Number | None = None
    server_time_ms: Number | None = None


class StateAnswer(BaseModel):
    """For balancers."""

    state: str


class RecordItem(BaseModel):
    """One record. Without `seq` and `version` there is nothing to answer to; what else is wrong makes it `rejected`."""

    model_config = ConfigDict(extra="allow")

    seq: Count
    version: Count
    kind: Any = Field(None, description="call, message, callback, incident, recording, backup, health, ...")
    id: Any = Field(None, description="UUID, time-ordered")
    queued_at: Any = Field(None, description="ISO 8601 with its offset")
    clock_trusted: Any = Field(None, description="true or false")
    erased: Any = Field(None, description="true or false; an erased record has no body")
    body: Any = Field(None, description="an object, or null")
    blob: Any = Field(None, description="null, or an object of sha256 and bytes")


class RecordsRequest(BaseModel):
    """A batch, judged by `records.incoming`; this tells of it."""

    records: Annotated[list[RecordItem], Field(max_length=MOST_RECORDS)]
    queued: Count
    next_seq: Count
    oldest_seq: Count | None = None
    sent_at: Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
    clock_trusted: bool
