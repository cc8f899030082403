"""The outbox against a plain model of it: changes, erasures, takes, answers that come late, routes that come and go."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from peewee import SqliteDatabase

from firmware.ports import Answer, Outcome, Route
from firmware.storage import outbox_rows
from firmware.storage.database import raw
from firmware.storage.migrations import migrate
from firmware.storage.outbox_routes import queue_history, set_routes

REFUSALS = 1
NOW = "2026-03-01T08:00:00.000+00:00"
ROUTES = {
    "collector": Route("collector", frozenset({"call", "incident"})),
    "news": Route("news", frozenset({"call"}), changes=False, history=False),
    "webhook": Route("webhook", frozenset({"incident"}), history=False),
}
Key = tuple[str, str]


@dataclass
class Waits:
    """One entry: `change` is the number of the last change that it stands for."""

    change: int
    refusals: int = 0
    aside: bool = False


@dataclass
class Taken:
    """What was handed out once: answers may come at any time."""

    route: str
    seq: int
    version: int
    key: Key
    change: int
    numbering: int


@dataclass
class Model:
    queues: dict[str, dict[Key, Waits]] = field(default_factory=dict)
    change: int = 0
    numbering: int = 0

    def changed(self, key: Key, *, is_new: bool = False) -> None:
        self.change += 1
        for name, queue in self.queues.items():
            route = ROUTES[name]
            if key[0] in route.kinds and (is_new or route.changes):
                queue[key] = Waits(self.change)  # in its old place, where it has one

    def erased(self, key: Key) -> None:
        self.changed(key)
        for name, queue in self.queues.items():
            if not ROUTES[name].changes:
                queue.pop(key, None)


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.taken: list[Taken] = []
        self.records: dict[Key, int] = {}
        self.ever: set[Key] = set()
        self.versions: dict[Key, tuple[int, int]] = {}
        self.db = self.opened()
        migrate(self.db)

    def opened(self) -> SqliteDatabase:
        # Durability is the cut matrix's business.
        pragmas = (("journal_mode", "wal"), ("synchronous", "off"), ("foreign_keys", "on"))
        db = SqliteDatabase(str(Path(self.folder.name) / "test.db"), pragmas=pragmas, lock_type="IMMEDIATE")
        db.connect()
        return db

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    def run(self, statement: str, *values: object) -> None:
        with self.db.atomic():
            raw(self.db).execute(statement, values)

    @initialize(names=st.sets(st.sampled_from(sorted(ROUTES))))
    def begin(self, names: set[str]) -> None:
        self.use_routes(names)

    @rule(names=st.sets(st.sampled_from(sorted(ROUTES))))
    def use_routes(self, names: set[str]) -> None:
        with self.db.atomic():
            set_routes(self.db, [ROUTES[name] for name in sorted(names)])
        steps = True
        while steps:
            with self.db.atomic():
                steps = queue_history(self.db, 2)
        before, self.model.queues = self.model.queues, {}
        for name in sorted(names):
            self.model.queues[name] = before.get(name, {})
            if name not in before and ROUTES[name].history:
                for key in sorted(self.records, key=lambda key: key[1]):
                    if key[0] in ROUTES[name].kinds:
                        self.model.change += 1
                        self.model.queues[name][key] = Waits(self.model.change)

    @rule()
    def call_begins(self) -> None:
        key = self._new("call")
        self.run(
            "INSERT INTO call (id, line, number_absence, started_at, clock_trusted) VALUES (?, 'a', 'none', ?, 1)",
            key[1],
            NOW,
        )
        self.model.changed(key, is_new=True)

    @rule()
    def fault_begins(self) -> None:
        key = self._new("incident")
        self.run(
            "INSERT INTO incident (id, kind, place, started_at, summary, clock_trusted) "
            "VALUES (?1, 'x', ?1, ?2, '', 1)",
            key[1],
            NOW,
        )
        self.model.changed(key, is_new=True)

    def _new(self, kind: str) -> Key:
        key = (kind, f"{len(self.ever):08}")
        self.ever.add(key)
        self.records[key] = 0
        return key

    @precondition(lambda self: self.records)
    @rule(data=st.data(), really=st.booleans())
    def something_changes(self, data: Any, really: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.records)))
        if really:
            self._change(key)
        elif self.records[key]:
            self._write(key)

    def _change(self, key: Key) -> None:
        self.records[key] += 1
        self._write(key)
        self.model.changed(key)

    def _write(self, key: Key) -> None:
        column = "line" if key[0] == "call" else "summary"
        self.run(f"UPDATE {key[0]} SET {column} = ? WHERE id = ?", str(self.records[key]), key[1])

    @precondition(lambda self: any(kind == "incident" for kind, _ in self.records))
    @rule(data=st.data())
    def something_is_done_about_a_fault(self, data: Any) -> None:
        key = data.draw(st.sampled_from(sorted(key for key in self.records if key[0] == "incident")))
        self.run("INSERT INTO incident_action (incident_id, at, action) VALUES (?, ?, 'x')", key[1], NOW)
        self.model.changed(key)

    @precondition(lambda self: any(kind == "call" for kind, _ in self.records))
    @rule(data=st.data())
    def a_call_is_erased(self, data: Any) -> None:
        key = data.draw(st.sampled_from(sorted(key for key in self.records if key[0] == "call")))
        del self.records[key]
        self.run("DELETE FROM call WHERE id = ?", key[1])
        self.model.erased(key)

    @precondition(lambda self: self.model.queues)
    @rule(data=st.data(), limit=st.integers(1, 5))
    def take(self, data: Any, limit: int) -> None:
        route = data.draw(st.sampled_from(sorted(self.model.queues)))
        with self.db.atomic("DEFERRED"):
            entries = outbox_rows.take(self.db, route, limit, with_audio=True)
        queue = self.model.queues[route]
        due = [key for key, waits in queue.items() if not waits.aside]
        assert [(entry.kind, entry.record_id) for entry in entries] == due[:limit]
        for entry in entries:
            key = (entry.kind, entry.record_id)
            assert (entry.found is not None) == (key in self.records)
            change = queue[key].change
            self.taken.append(Taken(route, entry.seq, entry.version, key, change, self.model.numbering))

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), changes=st.booleans())
    def an_answer_comes(self, data: Any, outcome: Outcome, changes: bool) -> None:
        taken: Taken = data.draw(st.sampled_from(self.taken[-4:]))
        if changes and taken.key in self.records:
            self._change(taken.key)
        with self.db.atomic():
            outbox_rows.settle(self.db, taken.route, [Answer(taken.seq, taken.version, outcome)], REFUSALS, NOW)
        queue = self.model.queues.get(taken.route, {})
        waits = queue.get(taken.key)
        if waits is None or (waits.change, self.model.numbering) != (taken.change, taken.numbering):
            return
        if outcome in (Outcome.STORED, Outcome.DUPLICATE):
            del queue[taken.key]
        elif outcome in (Outcome.REJECTED, Outcome.CONFLICT):
            waits.refusals += 1
            waits.aside = waits.aside or waits.refusals >= REFUSALS

    @rule()
    def a_person_has_what_was_set_aside_tried_again(self) -> None:
        aside = [waits for queue in self.model.queues.values() for waits in queue.values() if waits.aside]
        with self.db.atomic():
            assert outbox_rows.retry(self.db, None) == len(aside)
        for waits in aside:
            waits.refusals, waits.aside = 0, False

    @rule(seq=st.integers(0, 200), ahead=st.booleans())
    def the_far_end_knows_more(self, seq: int, ahead: bool) -> None:
        (version,) = raw(self.db).execute("SELECT version FROM outbox_counter").fetchone()
        with self.db.atomic():
            outbox_rows.count_from(self.db, seq, version + 50 if ahead else version)
        self.model.numbering += 1
        self.versions.clear()
        # What was taken before has other numbers now, or the same ones: then an answer still counts.
        for name, queue in self.model.queues.items():
            known = {(row[0], row[1]): row[2:] for row in self._rows(name)}
            for taken in self.taken:
                waits = queue.get(taken.key)
                same = known.get(taken.key) == (taken.seq, taken.version)
                if taken.route == name and waits and waits.change == taken.change and same:
                    taken.numbering = self.model.numbering

    @rule()
    def the_service_starts_again(self) -> None:
        self.db.close()
        self.db = self.opened()

    def _rows(self, route: str) -> Iterator[Any]:
        query = "SELECT kind, record_id, seq, version FROM outbox WHERE route = ? ORDER BY seq"
        yield from raw(self.db).execute(query, (route,)).fetchall()

    @invariant()
    def the_queue_is_what_the_model_says(self) -> None:
        routes = [name for (name,) in raw(self.db).execute("SELECT name FROM outbox_route ORDER BY name")]
        assert routes == sorted(self.model.queues)
        for name, queue in self.model.queues.items():
            rows = list(self._rows(name))
            assert [(kind, record_id) for kind, record_id, *_ in rows] == list(queue)
            assert outbox_rows.state(self.db, name).quarantined == sum(waits.aside for waits in queue.values())

    @invariant()
    def a_later_change_has_a_higher_version(self) -> None:
        for name, queue in self.model.queues.items():
            for kind, record_id, _, version in self._rows(name):
                key = (kind, record_id)
                change = queue[key].change
                seen_change, seen_version = self.versions.get(key, (0, 0))
                assert (change == seen_change and version == seen_version) or (
                    (change > seen_change) == (version > seen_version)
                )
                self.versions[key] = max((change, version), (seen_change, seen_version))


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
