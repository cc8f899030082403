"""The engine of `linekeeper bench serve`: commands in, events out, as JSON lines, also on the socket `bench.sock`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from firmware.simulation.bench import Bench
from firmware.simulation.bench_session import BenchSession
from firmware.simulation.json_lines import JsonLinesServer, Message

BENCH_SOCKET = "bench.sock"


async def serve(
    lines: int,
    profile: str,
    country: str,
    directory: Path,
    commands: AsyncIterator[str],
    emit: Callable[[Message], None],
) -> None:
    """Serve until the commands end; calls are hung up then.

    Emits `{"name": ..., "tty": ...}` for each line and `{"power_socket": ...}` first; a client of the socket gets the
    same to begin with. Raises: UnknownCountry, ValueError for an unknown profile, OSError for the directory.
    """
    async with Bench(lines, profile, country, "pty", directory) as bench, steered(bench, directory, emit) as session:
        async for text in commands:
            session.obey(text)


@asynccontextmanager
async def steered(bench: Bench, directory: Path, emit: Callable[[Message], None]) -> AsyncIterator[BenchSession]:
    """Let commands reach a started bench, through the socket and through the session given; events go to both.

    Emits the introduction first, as `serve` does. Raises: OSError for the directory.
    """
    listeners = [emit]

    def tell_all(message: Message) -> None:
        for listener in listeners:
            listener(message)

    session = BenchSession(bench, directory, tell_all)
    socket = JsonLinesServer(directory / BENCH_SOCKET, lambda: _introduction(bench), session.obey)
    listeners.append(socket.say)
    async with socket:
        for message in _introduction(bench):
            emit(message)
        try:
            yield session
        finally:
            await session.settle()


def _introduction(bench: Bench) -> list[Message]:
    lines: list[Message] = [{"name": line.name, "tty": str(line.tty)} for line in bench.lines]
    power: list[Message] = [] if bench.power is None else [{"power_socket": str(bench.power.path)}]
    return lines + power
