"""A container with the package installed as on an appliance; its lines are simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.base import reason_to_skip
from tests.systemd.machine import Machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    with Machine(tmp_path_factory.mktemp("container"), Path(__file__).parent / "etc") as booted:
        yield booted
