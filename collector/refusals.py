"""Requests that are not carried out, as the contract tells them (docs/delivery.md, "Every answer").

One class: what differs is data. The web part turns it into an answer; nobody below knows of HTTP but for the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Why(Enum):
    """The contract's error codes, each with its status."""

    MALFORMED = ("malformed", 400)
    CLOCK = ("clock", 401)
    SIGNATURE = ("signature", 401)
    CERTIFICATE = ("certificate", 401)
    REPLAYED = ("replayed", 401)
    DENIED = ("denied", 403)
    WRONG_DEVICE = ("wrong_device", 403)
    CLAIM = ("claim", 403)
    NOT_FOUND = ("not_found", 404)
    METHOD = ("method", 405)
    OFFSET = ("offset", 409)
    TOO_LARGE = ("too_large", 413)
    HASH = ("hash", 422)
    BUSY = ("busy", 429)
    FAULT = ("fault", 500)
    UNAVAILABLE = ("unavailable", 503)

    @property
    def code(self) -> str:
        """The word in the answer."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The number in the answer."""
        return self.value[1]


class Refusal(Exception):
    """A request is not carried out. `details` are further fields of the answer (`offset`, `server_time_ms`)."""

    def __init__(self, why: Why, message: str, **details: int | str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message
        self.details = details

    def body(self) -> Mapping[str, Any]:
        """The answer's JSON."""
        return {"error": self.why.code, "message": self.message, **self.details}


def malformed(message: str) -> Refusal:
    """The request is wrong, and the same again is as wrong."""
    return Refusal(Why.MALFORMED, message)
