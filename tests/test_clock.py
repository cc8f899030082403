"""The real clock, which records take their times from."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from firmware.clock import SystemClock


def test_time_of_day_is_aware_and_now() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=2)


async def test_monotonic_time_is_the_event_loops() -> None:
    assert abs(SystemClock().monotonic() - asyncio.get_running_loop().time()) < 1


def test_trust_is_what_the_kernel_says() -> None:
    assert SystemClock().trusted() in (True, False)
