"""Blocking work beside the event loop, carried out whole even when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

from firmware.errors import LinekeeperError, StorageError
from firmware.journal import journal

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(executor: Executor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` in the executor. A cancelled caller goes on at once; the work is done nevertheless.

    Raises: StorageError when the executor is shut down; whatever the work raises.
    """
    loop = asyncio.get_running_loop()
    try:
        future = loop.run_in_executor(executor, partial(work, *args, **kwargs))
    except RuntimeError as error:
        raise StorageError("the store is closed") from error
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_tell_late_failure)
        raise


def _tell_late_failure(future: asyncio.Future[T]) -> None:
    error = None if future.cancelled() else future.exception()
    if isinstance(error, LinekeeperError):
        journal("storage").warning("work failed after its caller had gone", error=str(error))
    elif error is not None:
        raise error
