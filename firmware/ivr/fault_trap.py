"""Holds every error of a call's own making, so that the caller still gets a spoken way out.

The only place in a call that catches everything. What it holds is never dropped: whoever asked for it tells the caller,
the journal and the incident.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from firmware.errors import CallerGone, ModemError, PortError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that was held."""

    error: Exception


async def trapped(work: Awaitable[T]) -> T | Fault:
    """The result of `work`, or the error it met.

    Raises: CallerGone, ModemError, PortError, as a caller who hung up and a line that failed are no faults of the call.
    Cancellation passes as well.
    """
    try:
        return await work
    except (CallerGone, ModemError, PortError):
        raise
    except Exception as error:
        return Fault(error)
