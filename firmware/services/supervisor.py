"""Keeps a task alive. The one place that catches everything: a bug in one line must not reach the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from firmware.journal import journal

_log = journal("supervisor")


async def keep_alive(
    name: str,
    work: Callable[[], Awaitable[None]],
    on_crash: Callable[[Exception], Awaitable[None]],
    pause_seconds: float = 1.0,
) -> None:
    """Run `work` for ever. After a crash tell `on_crash`, pause, and start it again; only cancellation ends this."""
    while True:
        try:
            await work()
        except Exception as error:
            _log.exception("task crashed", task=name)
            await _tell(name, on_crash, error)
        await asyncio.sleep(pause_seconds)


async def _tell(name: str, on_crash: Callable[[Exception], Awaitable[None]], error: Exception) -> None:
    try:
        await on_crash(error)
    except Exception:
        _log.exception("task crashed while it reported a crash", task=name)
