"""What is cut short: a piece of work, what it tells as done, and how to judge what it left."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Fact = dict[str, Any]


class Telling:
    """The acknowledgements: a line each, on a pipe that outlives the process."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __call__(self, what: str, **facts: Any) -> None:
        """`what` was done, and its caller has been told so."""
        os.write(self._handle, (json.dumps({"what": what, **facts}) + "\n").encode())


class Told:
    """What was acknowledged before the cut, in order."""

    def __init__(self, facts: list[Fact]) -> None:
        self._facts = facts

    def all(self, what: str) -> list[Fact]:
        """Every acknowledgement of one kind."""
        return [fact for fact in self._facts if fact.get("what") == what]

    def in_order(self) -> list[Fact]:
        """Every acknowledgement."""
        return list(self._facts)

    def once(self, what: str) -> bool:
        """Whether it was acknowledged."""
        return bool(self.all(what))


@dataclass(frozen=True, slots=True)
class Workload:
    """`prepare` makes what is there before, `work` is cut short, `judge` gives a sentence for each violation."""

    name: str
    prepare: Callable[[Path], Coroutine[Any, Any, None]]
    work: Callable[[Path, Telling], Coroutine[Any, Any, None]]
    judge: Callable[[Path, Told], Coroutine[Any, Any, list[str]]]
