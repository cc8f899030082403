from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.many_calls.office import OfficeMaker, office


@pytest.fixture
def open_office(tmp_path: Path) -> OfficeMaker:
    """`async with open_office(lines=2, more="rings: 1\\n") as office:`; runs on the loop of the test."""

    def opened(folder: Path = tmp_path, **options: Any) -> Any:
        return office(folder, **options)

    return opened
