"""Runs cuts: each on a fresh file system, by a forked process that does the work until then; another one judges."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cuts.cut import Kind, Shim
from cuts.disk import Disk
from cuts.workload import Fact, Telling, Told, Workload

# A work that was not cut ends with this; a failure of its own with the other.
_FAILED_STATUS = 3


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut: where, how, and what was found wrong afterwards."""

    workload: str
    kind: Kind
    point: int
    at: str
    violations: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.workload}, {self.kind.name.lower()} at call {self.point} ({self.at}): {'; '.join(self.violations)}"
        )


@dataclass
class Trial:
    """A workload on its own disk."""

    workload: Workload
    disk: Disk
    shim: Shim
    points: int = field(default=0, init=False)
    """Calls of the whole work, found by letting it run once."""

    def prepare(self) -> None:
        """Make the base, and count the calls. Raises: RuntimeError when the work fails without any cut."""
        self.disk.make()
        with self.disk.base() as folder:
            facts = _in_child(lambda _: asyncio.run(self.workload.prepare(folder)))
            _raise_failure(facts)
        self.disk.renew()
        with self.disk.work() as folder:
            facts = _in_child(lambda tell: self._work_uncut(folder, tell))
            _raise_failure(facts)
            self.points = Told(facts).all("passed")[0]["calls"]
            if wrong := self._judge(folder, facts):
                raise RuntimeError(f"{self.workload.name} is wrong without any cut: {wrong}")

    def cut(self, kind: Kind, point: int) -> Cut:
        """Do the work, cut it at this call, start again, judge."""
        self.disk.renew()
        with self.disk.work() as folder:
            facts = _in_child(lambda tell: self._work(folder, tell, kind, point))
        with self.disk.work() as folder:
            violations = self._judge(folder, facts)
        at = next((fact["cut"] for fact in facts if "cut" in fact), "")
        if not at:
            violations += [fact["failure"] for fact in facts if "failure" in fact]
        return Cut(self.workload.name, kind, point, at or "the end", tuple(violations))

    def _work(self, folder: Path, tell: int, kind: Kind, point: int) -> None:
        self._arm(folder, tell, kind, point)
        asyncio.run(self.workload.work(folder, Telling(tell)))
        self.shim.cut_now()

    def _work_uncut(self, folder: Path, tell: int) -> None:
        self._arm(folder, tell, Kind.KILL, 0)
        asyncio.run(self.workload.work(folder, Telling(tell)))
        Telling(tell)("passed", calls=self.shim.passed())

    def _arm(self, folder: Path, tell: int, kind: Kind, point: int) -> None:
        self.shim.arm(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), tell, kind, point)

    def _judge(self, folder: Path, facts: Sequence[Fact]) -> list[str]:
        def judge(tell: int) -> None:
            told = Told([fact for fact in facts if "what" in fact])
            for violation in asyncio.run(self.workload.judge(folder, told)):
                Telling(tell)("violation", text=violation)

        judged = _in_child(judge)
        return [fact.get("text") or fact.get("failure", "") for fact in judged]


def plan(sizes: Sequence[int], wanted: int) -> list[list[tuple[Kind, int]]]:
    """Which cuts to make of works of so many calls: `wanted` in all, an even share of each, spread over its range.

    A work smaller than its share is cut everywhere, and leaves the rest of its share to the others.
    """
    every = [[(kind, point) for kind in Kind for point in range(1, size + 2)] for size in sizes]
    chosen: list[list[tuple[Kind, int]]] = [[] for _ in sizes]
    left = wanted
    smallest_first = sorted(range(len(sizes)), key=lambda at: sizes[at])
    for done, at in enumerate(smallest_first):
        share = min(len(every[at]), left // (len(sizes) - done))
        chosen[at] = [every[at][index * len(every[at]) // share] for index in range(share)]
        left -= share
    return chosen


def _in_child(work: Callable[[int], None]) -> list[Fact]:
    """Fork, do it there, and gather what it tells until it is gone."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.close(receive)
        _be_child(work, send)
    os.close(send)
    with os.fdopen(receive, encoding="utf-8") as lines:
        facts = [json.loads(line) for line in lines]
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) not in (0, _FAILED_STATUS):
        facts.append({"failure": f"the process ended with status {os.WEXITSTATUS(status)}"})
    return facts


def _be_child(work: Callable[[int], None], tell: int) -> None:
    # Whatever happens, this process must never return into its parent's code.
    status = _FAILED_STATUS
    try:
        work(tell)
        status = 0
    finally:
        if status:
            os.write(tell, (json.dumps({"failure": traceback.format_exc(limit=-3)}) + "\n").encode())
        os._exit(status)


def _raise_failure(facts: Sequence[Fact]) -> None:
    for fact in facts:
        if "failure" in fact:
            raise RuntimeError(fact["failure"])


def run(trials: Sequence[Trial], wanted: int) -> Iterator[Cut]:
    """Cut everything; `prepare` comes first."""
    for trial, cuts in zip(trials, plan([trial.points for trial in trials], wanted), strict=True):
        for kind, point in cuts:
            yield trial.cut(kind, point)
