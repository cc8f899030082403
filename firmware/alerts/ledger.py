"""Who was told of what: in a file, so that it outlives the service. Blocking."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.durable_files import make_folder, plain_errors, write_durably

_MOST_INCIDENTS = 1000
_MOST_HELD = 200
_EMPTY: Mapping[str, Any] = {"told": {}, "ended": {}, "lately": {}, "held": {}}


@dataclass(frozen=True, slots=True)
class Place:
    """One channel of one step, for one incident."""

    incident_id: str
    step: int
    channel: str

    @property
    def key(self) -> str:
        """Its name in the file."""
        return f"{self.step}/{self.channel}"


class Ledger:
    """What is changed is on the disk after `write`. Raises: StorageError."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._content: dict[str, Any] = {name: dict(value) for name, value in _EMPTY.items()}

    def load(self) -> None:
        """What an earlier run left. A file that makes no sense counts as none: people are told twice, not never."""
        with plain_errors(self._file):
            try:
                content = _read(json.loads(self._file.read_bytes()))
            except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
                return
        self._content = content

    def content(self) -> bytes:
        """All of it, as a file; the oldest incidents are forgotten beyond a thousand. Does not block."""
        for name in ("told", "ended"):
            known = self._content[name]
            for incident_id in list(known)[: max(0, len(known) - _MOST_INCIDENTS)]:
                del known[incident_id]
        return json.dumps(self._content, ensure_ascii=False).encode("utf-8", "replace")

    def write(self, content: bytes) -> None:
        """Durable when it returns."""
        with plain_errors(self._file):
            make_folder(self._file.parent)
            write_durably(self._file, content)

    def who(self, place: Place, of: str) -> set[str]:
        """Who is noted there: `began`, `over` or `refused`."""
        there = self._content["told"].get(place.incident_id, {}).get(place.key, {})
        return set(there.get(of, ()))

    def note(self, place: Place, of: str, people: Iterable[str]) -> None:
        """Add some."""
        there = self._content["told"].setdefault(place.incident_id, {}).setdefault(place.key, {})
        there[of] = sorted({*there.get(of, ()), *people})

    def ended_at(self, incident_id: str) -> str | None:
        """When an incident ended, where that was seen."""
        ended: str | None = self._content["ended"].get(incident_id)
        return ended

    def note_end(self, incident_id: str, ended_at: str) -> None:
        """It is over."""
        self._content["ended"][incident_id] = ended_at

    def lately(self, fault: str, since: str, now: str) -> list[str]:
        """When a fault was told since then; UTC texts of one form. What is yet to come was told by a wrong clock."""
        times = [at for at in self._content["lately"].get(fault, ()) if since < at <= now]
        if times:
            self._content["lately"][fault] = times
        else:
            self._content["lately"].pop(fault, None)
        return times

    def note_told(self, fault: str, at: str) -> None:
        """It was told now."""
        self._content["lately"].setdefault(fault, []).append(at)

    def hold(self, step: int, incident: Mapping[str, Any], at: str) -> None:
        """Keep it for the next summary of this step."""
        held = self._content["held"].setdefault(str(step), {"since": at, "incidents": [], "more": 0})
        if any(known["id"] == incident["id"] for known in held["incidents"]):
            return
        if len(held["incidents"]) < _MOST_HELD:
            held["incidents"].append(dict(incident))
        else:
            held["more"] += 1

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """By step: since when, which, and how many more."""
        held: Mapping[str, Mapping[str, Any]] = self._content["held"]
        return held

    def let_go(self, step: int, told: Collection[str]) -> None:
        """The summary told of these incidents; what came meanwhile is held on."""
        held = self._content["held"].pop(str(step), None)
        left = [incident for incident in held["incidents"] if incident["id"] not in told] if held else []
        if left:
            self._content["held"][str(step)] = {"since": left[0].get("started_at", ""), "incidents": left, "more": 0}


def _read(read: Any) -> dict[str, Any]:
    """The content of a file, in its own form.

    Raises: ValueError, TypeError, KeyError, AttributeError where it has another.
    """
    return {
        "told": {
            str(incident): {
                str(key): {str(of): _texts(people) for of, people in there.items()} for key, there in places.items()
            }
            for incident, places in read["told"].items()
        },
        "ended": {str(incident): str(at) for incident, at in read["ended"].items()},
        "lately": {str(fault): _texts(times) for fault, times in read["lately"].items()},
        "held": {str(int(step)): _held(held) for step, held in read["held"].items()},
    }


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


def _held(held: Any) -> dict[str, Any]:
    incidents = [
        {**incident, **{name: str(incident[name]) for name in ("id", "kind", "place")}}
        for incident in held["incidents"]
    ]
    return {"since": str(held["since"]), "incidents": incidents, "more": int(held["more"])}
