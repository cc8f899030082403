"""A connection to NUT's server, upsd: one request at a time, each with a deadline."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from firmware.errors import PowerSourceLost
from firmware.ups.nut_protocol import BadNutLine, NutLines, Words, as_line

_ANSWER_SECONDS = 4.0
_MOST_LINES = 2000
_READ_BYTES = 4096
# What the server says, and what a person can do about it (RFC 9271, "Error responses").
_HINTS = {
    "UNKNOWN-UPS": "name the UPS as ups.conf does: power: {ups: ...}",
    "DATA-STALE": "the driver of the UPS tells nothing new; check its cable",
    "DRIVER-NOT-CONNECTED": "the driver of the UPS does not run; see: systemctl status nut-driver.target",
    "ACCESS-DENIED": "let this user run the command: instcmds = shutdown.return in upsd.users",
    "INVALID-PASSWORD": "check user and password_file against upsd.users",
    "USERNAME-REQUIRED": "give user and password_file",
    "PASSWORD-REQUIRED": "give user and password_file",
}


class NutRefusal(PowerSourceLost):
    """The server said ERR; `code` is its word."""

    def __init__(self, place: str, code: str) -> None:
        self.code = code
        super().__init__(f"{place} says {code}; {_HINTS.get(code, 'see the journal of upsd')}")


class NutClient:
    """Connected inside the context."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._lines = NutLines()
        self._waiting: deque[Words] = deque()

    @property
    def place(self) -> str:
        """For messages."""
        return f"the UPS server at {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Raises: PowerSourceLost."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                self._streams = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise PowerSourceLost(
                f"{self.place} does not answer ({why}); start it with: systemctl start nut-server"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._streams is not None
        self._streams[1].close()
        with suppress(OSError):  # the server may have closed it before
            await self._streams[1].wait_closed()

    async def variables(self, ups: str) -> dict[str, str]:
        """All variables of a UPS. Raises: NutRefusal, PowerSourceLost."""
        listed = await self._list("VAR", ups)
        return {words[2]: words[3] for words in listed if len(words) == 4}

    async def commands(self, ups: str) -> set[str]:
        """What the UPS can be told to do. Raises: NutRefusal, PowerSourceLost."""
        return {words[2] for words in await self._list("CMD", ups) if len(words) == 3}

    async def log_in(self, user: str, password: str) -> None:
        """Say who gives commands. The server judges it with the first one. Raises: NutRefusal, PowerSourceLost."""
        await self._ask("USERNAME", user)
        await self._ask("PASSWORD", password)

    async def command(self, ups: str, command: str) -> None:
        """Tell the UPS to do something. Raises: NutRefusal, PowerSourceLost."""
        await self._ask("INSTCMD", ups, command)

    async def _list(self, what: str, ups: str) -> list[Words]:
        first = await self._ask("LIST", what, ups)
        if first != ("BEGIN", "LIST", what, ups):
            raise self._confused(first)
        listed: list[Words] = []
        async with self._deadline():
            while (words := await self._next()) != ("END", "LIST", what, ups):
                if words[:2] != (what, ups) or len(listed) >= _MOST_LINES:
                    raise self._confused(words)
                listed.append(words)
        return listed

    async def _ask(self, *words: str) -> Words:
        assert self._streams is not None
        self._streams[1].write(self._encoded(words))
        async with self._deadline():
            answer = await self._next()
        if answer[:1] == ("ERR",):
            raise NutRefusal(self.place, answer[1] if len(answer) > 1 else "nothing")
        return answer

    def _encoded(self, words: Words) -> bytes:
        try:
            return as_line(*words)
        except BadNutLine as error:
            raise PowerSourceLost(f"{self.place}: {error}") from error

    async def _next(self) -> Words:
        assert self._streams is not None
        while not self._waiting:
            try:
                data = await self._streams[0].read(_READ_BYTES)
                self._waiting.extend(words for words in self._lines.feed(data) if words)
            except (OSError, BadNutLine) as error:
                raise PowerSourceLost(f"{self.place} broke off: {error}") from error
            if not data:
                raise PowerSourceLost(f"{self.place} closed the connection; see the journal of upsd")
        return self._waiting.popleft()

    def _deadline(self) -> _Deadline:
        return _Deadline(self.place)

    def _confused(self, words: Words) -> PowerSourceLost:
        return PowerSourceLost(f"{self.place} answered {' '.join(words)[:80]!r}; is that NUT's upsd?")


class _Deadline:
    """A time-out that raises our own error."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._timeout = asyncio.timeout(_ANSWER_SECONDS)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise PowerSourceLost(f"{self._place} gave no answer within {_ANSWER_SECONDS:g} s") from late
