"""Blocking work on something that may never answer: a network share whose server is gone, a dying stick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from firmware.errors import FarEndUnreachable

T = TypeVar("T")


class PatientThread(Generic[T]):
    """One piece of work at a time. One that hangs is left alone, and nothing else is begun until it is over."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="folder")
        self._under_way: asyncio.Future[T] | None = None

    async def run(self, work: Callable[[], T], timeout_seconds: float) -> T:
        """What the work returns. Raises: FarEndUnreachable where it hangs; whatever the work raises."""
        if self._under_way is not None and not self._under_way.done():
            raise FarEndUnreachable(f"{self._what} still does not answer; pull it and plug it in again, or look at it")
        future = self._under_way = self._begin(work)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise FarEndUnreachable(f"{self._what} has not answered for {timeout_seconds:.0f} s") from error

    def close(self) -> None:
        """Work that hangs is not waited for. Idempotent."""
        self._thread.shutdown(wait=False)

    def _begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        # What nobody waits for any more is nobody's error.
        future.add_done_callback(lambda done: None if done.cancelled() else done.exception() and None)
        return future
