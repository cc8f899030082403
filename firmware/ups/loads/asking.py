"""What loads need of the other services; `power` itself touches no line and no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from firmware.errors import LoadError, ServiceError


class Asker(Protocol):
    """Asks the other services through their control sockets."""

    async def ask(self, service: str, action: str, **details: Any) -> Any:
        """Let it do something; the JSON value that it answers. Raises: ServiceError."""

    async def view(self, service: str, name: str) -> Any:
        """A view's JSON value. Raises: ServiceError."""


@contextmanager
def as_load_error(name: str) -> Iterator[None]:
    """A service that cannot be asked is a load that cannot be switched."""
    try:
        yield
    except ServiceError as error:
        raise LoadError(f"load {name}: {error}") from error


def field_of(answer: Any, name: str, load: str) -> Any:
    """A field of a service's answer. Raises: LoadError where it has none: another version, perhaps."""
    if not isinstance(answer, dict) or name not in answer:
        raise LoadError(f"load {load}: the service does not tell {name}; bring all services to the same version")
    return answer[name]
