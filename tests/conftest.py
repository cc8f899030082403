"""Shared by every test: which event loop an async test runs on.

`@pytest.mark.fast_time` on a test, a class or a module (`pytestmark`) gives it, and its async fixtures, a loop whose
time jumps (firmware/simulation/fast_time.py). All other async tests run on the ordinary loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from firmware.simulation.fast_time import FastTimeLoop

# Tables and voices are made at their first use, and the machine may be busy: time says nothing about correctness.
settings.register_profile("linekeeper", deadline=None)
settings.load_profile("linekeeper")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fast_time: run this async test on a loop whose time jumps")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("fast_time") is not None:
        return {"fast_time": FastTimeLoop}
    return {"real_time": asyncio.new_event_loop}


pytest_plugins = ["tests.postgres_servers"]
