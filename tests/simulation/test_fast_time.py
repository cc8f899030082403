from __future__ import annotations

import asyncio
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.simulation.fast_time import FastTimeLoop, NothingToWaitFor, SimulatedClock, fast, run_fast


@pytest.mark.fast_time
async def test_a_simulated_day_passes_at_once() -> None:
    began = time.perf_counter()
    await asyncio.sleep(86_400 * 3)
    assert asyncio.get_running_loop().time() == 86_400 * 3
    assert time.perf_counter() - began < 1


@pytest.mark.fast_time
@pytest.mark.parametrize("seconds", [0.5, 7])
async def test_the_marker_works_with_parameters(seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert asyncio.get_running_loop().time() == seconds


async def test_without_the_marker_time_is_real() -> None:
    assert not isinstance(asyncio.get_running_loop(), FastTimeLoop)


@given(delays=st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_timers_fire_in_order_and_on_time(delays: list[float]) -> None:
    async def main() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        fired: list[tuple[float, float]] = []

        async def one(delay: float) -> None:
            await asyncio.sleep(delay)
            fired.append((delay, loop.time()))

        await asyncio.gather(*map(one, delays))
        return fired

    fired = run_fast(main())
    assert [delay for delay, _ in fired] == sorted(delays)
    assert all(at == pytest.approx(delay, abs=1e-6) for delay, at in fired)


@pytest.mark.fast_time
async def test_executor_work_takes_no_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    gate = threading.Event()
    timer_fired: list[float] = []
    loop.call_later(3600, lambda: timer_fired.append(loop.time()))
    work = loop.run_in_executor(None, lambda: gate.wait(0.05))
    await asyncio.to_thread(lambda: None)
    await work
    assert loop.time() == 0
    assert not timer_fired


@pytest.mark.fast_time
async def test_a_timeout_does_not_strike_while_work_is_under_way() -> None:
    async with asyncio.timeout(0.001):
        assert await asyncio.to_thread(threading.Event().wait, 0.03) is False


@pytest.mark.fast_time
async def test_time_goes_on_after_abandoned_work_has_ended() -> None:
    loop = asyncio.get_running_loop()
    gate = threading.Event()
    running = loop.run_in_executor(None, gate.wait)
    running.cancel()
    threading.Timer(0.02, gate.set).start()
    await asyncio.sleep(5)
    assert gate.is_set()
    assert loop.time() == 5


def test_time_never_slips_in_between_work_and_its_result() -> None:
    async def main() -> float:
        for _ in range(500):
            async with asyncio.timeout(1e-3):
                await asyncio.to_thread(int)
        return asyncio.get_running_loop().time()

    assert run_fast(main()) == 0


@fast
async def test_an_exception_of_the_work_reaches_the_waiter() -> None:
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 // 0)
    await asyncio.sleep(1)


@pytest.mark.fast_time
async def test_bytes_on_a_socket_come_before_the_next_timer() -> None:
    one, other = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=one)
    peer_reader, peer_writer = await asyncio.open_connection(sock=other)

    async def echo() -> None:
        while data := await peer_reader.read(100):
            peer_writer.write(data)

    echoing = asyncio.create_task(echo())
    for _ in range(50):
        writer.write(b"x")
        async with asyncio.timeout(1):
            assert await reader.read(1) == b"x"
    assert asyncio.get_running_loop().time() == 0
    writer.close()
    await echoing
    peer_writer.close()
    await asyncio.gather(writer.wait_closed(), peer_writer.wait_closed())


def test_a_deadlock_is_an_error_that_names_the_task() -> None:
    async def waits_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingToWaitFor, match="waits_for_ever"):
        run_fast(waits_for_ever())


def test_outside_work_holds_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FastTimeLoop)
        done = asyncio.Event()
        with loop.outside_work():
            threading.Timer(0.02, lambda: loop.call_soon_threadsafe(done.set)).start()
            async with asyncio.timeout(1e-6):
                await done.wait()
        return loop.time()

    assert run_fast(main()) == 0


@pytest.mark.fast_time
async def test_the_clock_moves_with_the_loop() -> None:
    start = datetime(2024, 2, 28, 23, tzinfo=UTC)
    clock = SimulatedClock(asyncio.get_running_loop(), start, trusted=False)
    await asyncio.sleep(7200)
    assert clock.now() == start + timedelta(hours=2)
    assert clock.monotonic() == 7200
    assert not clock.trusted()
