"""An event loop whose time jumps: simulated days pass in seconds, and every run takes the same course.

Three ways to use it:

- `run_fast(main())` instead of `asyncio.run(main())`;
- `@fast` on an async function makes it an ordinary function that runs so (good under hypothesis' `@given`);
- `@pytest.mark.fast_time` on an async test runs the test and its async fixtures so (see tests/conftest.py).

What the loop knows: when no callback is ready it goes at once to the next timer. Work in executors (`run_in_executor`,
`asyncio.to_thread`, name look-ups) takes no simulated time: the loop waits for it in real time first. File descriptors
are looked at before every jump; data still on its way through the kernel or another process is waited for
`descriptor_grace_seconds` of real time. Subprocesses and threads that the loop did not start are unknown to it: put
`with loop.outside_work():` around whatever waits for them.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

T = TypeVar("T")
P = ParamSpec("P")
Arguments = TypeVarTuple("Arguments")

# A look at the descriptors is a system call; while the loop's own wake-up pipe is the only one, a few suffice.
_JUMPS_PER_LOOK = 64
_WORKERS = 4


class NothingToWaitFor(RuntimeError):
    """Every task waits, and nothing that the loop knows of could ever wake one."""


class FastTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time that starts at `start_seconds` and jumps whenever nothing is ready.

    Raises NothingToWaitFor from `run_*` instead of hanging.
    """

    def __init__(self, start_seconds: float = 0.0, descriptor_grace_seconds: float = 0.0) -> None:
        self._now_seconds = start_seconds
        self._outside_works = 0
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="fast-time")
        self._jumping = _JumpingSelector(self, descriptor_grace_seconds)
        super().__init__(self._jumping)
        self.set_default_executor(self._workers)

    def time(self) -> float:
        """Virtual seconds."""
        return self._now_seconds

    def jump(self, seconds: float) -> None:
        """Let time pass. For the selector."""
        self._now_seconds += seconds

    @property
    def waits_outside(self) -> bool:
        """Whether time stands still because work goes on outside of the loop."""
        return self._outside_works > 0

    @contextmanager
    def outside_work(self) -> Iterator[None]:
        """Stop virtual time while another thread or process works for us."""
        self._outside_works += 1
        try:
            yield
        finally:
            self._outside_works -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> asyncio.Future[T]:
        """As everywhere; virtual time waits for the work, also when nobody awaits it."""
        work: Future[T] = (executor or self._workers).submit(func, *args)
        self._outside_works += 1
        waiting = asyncio.wrap_future(work, loop=self)
        # Callbacks run in this order, in the worker: the result must be on its way before time may go on.
        work.add_done_callback(lambda _: self._tell_work_done())
        return waiting

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the workers, in real time."""
        del timeout  # a deadline in virtual time could not pass meanwhile
        self._workers.shutdown(wait=True)

    def close(self) -> None:
        """Close the loop and its workers."""
        super().close()
        self._workers.shutdown(wait=False)

    def _tell_work_done(self) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(self._work_done)

    def _work_done(self) -> None:
        self._outside_works -= 1


class _JumpingSelector(selectors.BaseSelector):
    """Turns "sleep until the next timer" into a jump of the loop's time."""

    def __init__(self, loop: FastTimeLoop, grace_seconds: float) -> None:
        self._loop = loop
        self._grace_seconds = grace_seconds
        self._real = selectors.DefaultSelector()
        self._until_look = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where nothing is, time jumps by `timeout` (none at all: no timer is set)."""
        if timeout is not None and timeout <= 0:
            return self._look(0)
        if self._loop.waits_outside:
            return self._real.select(None)
        if ready := self._look(self._grace_seconds):
            return ready
        if timeout is not None:
            self._loop.jump(timeout)
            return []
        if self._alone():
            raise NothingToWaitFor(_who_waits(self._loop))
        return self._real.select(None)

    def _look(self, grace_seconds: float) -> list[tuple[selectors.SelectorKey, int]]:
        if not self._alone():
            return self._real.select(grace_seconds)
        self._until_look -= 1
        if self._until_look > 0:
            return []
        self._until_look = _JUMPS_PER_LOOK
        return self._real.select(0)

    def _alone(self) -> bool:
        return len(self._real.get_map()) <= 1


class SimulatedClock:
    """`ports.Clock` that moves with a loop: the time of day is `start` plus the loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime, *, trusted: bool = True) -> None:
        self._loop = loop
        self._start = start
        self._trusted = trusted

    def monotonic(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def now(self) -> datetime:
        """The simulated time of day, as aware as `start` is."""
        return self._start + timedelta(seconds=self._loop.time())

    def trusted(self) -> bool:
        """As set."""
        return self._trusted

    def distrust(self) -> None:
        """The time of day is no longer known to be right."""
        self._trusted = False


def run_fast(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh loop of virtual time, as `asyncio.run` does on a real one."""
    with asyncio.Runner(loop_factory=FastTimeLoop) as runner:
        return runner.run(main)


def fast(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make an async function an ordinary one that runs on virtual time."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_fast(function(*args, **kwargs))

    return run


def _who_waits(loop: asyncio.AbstractEventLoop) -> str:
    names = sorted(repr(task) for task in asyncio.all_tasks(loop))
    return "no timer, no executor work and no descriptor can wake these tasks:\n" + "\n".join(names)
