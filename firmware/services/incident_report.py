"""The report of one incident, filled in from the records, to print or to send (C5). Plain text that is Markdown too."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from firmware.services.incident_sentences import in_language
from firmware.services.paper import WIDTH, blank, bullet, columns, entry, printable, wrapped
from firmware.storage.incident_facts import IncidentFacts, LineCalls

LANGUAGES = ("zh", "en")
_WORDS_FILE = "incident_words.toml"
_REMARK_LINES = 3


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """The words of one language; `kinds` holds those for kinds of incidents."""
    text = (resources.files("firmware.services") / _WORDS_FILE).read_text(encoding="utf-8")
    words: Mapping[str, Any] = tomllib.loads(text)[language]
    return words


def report(facts: IncidentFacts, language: str, zone: ZoneInfo, now: datetime) -> str:
    """The whole report; ends with a new line."""
    return Report(facts, words_of(language), language, zone, now).text()


@dataclass(frozen=True, slots=True)
class Report:
    """One report while it is filled in."""

    facts: IncidentFacts
    words: Mapping[str, Any]
    language: str
    zone: ZoneInfo
    now: datetime

    def text(self) -> str:
        """All parts, with an empty line between them."""
        title = "# " + self._say("title", number=self.facts.incident.seq)
        printed = self._say("printed", now=_local(self.now, self.zone), zone=self.zone.key)
        drill = [self.words["drill"]] if self.facts.incident.drill else []
        parts = [
            title,
            printed,
            *drill,
            self._entries(self._what()),
            *self._section("effect", self._entries(self._effect())),
            *self._section("measures", self._list(self._measures(), "no_measures")),
            *self._section("told", self._list(self._told(), "nobody")),
            *self._section("others", self._list(self._others(), "no_others")),
            *self._section("afterwards", "\n".join(wrapped(self._afterwards(), WIDTH)), self._by_hand()),
        ]
        return "\n\n".join(parts) + "\n"

    def _section(self, name: str, *parts: str) -> list[str]:
        return [f"## {self.words[name]}", *parts]

    def _entries(self, entries: Iterator[tuple[str, str]]) -> str:
        known = list(entries)
        label_columns = max(columns(label) for label, _ in known)
        return "\n".join(entry(label, text, label_columns) for label, text in known)

    def _list(self, items: Iterator[str], none: str) -> str:
        return "\n".join(bullet(item) for item in items) or str(self.words[none])

    def _what(self) -> Iterator[tuple[str, str]]:
        incident = self.facts.incident
        yield self.words["kind"], self._kind(incident.kind)
        yield self.words["place"], incident.place
        yield self.words["summary"], self._said(incident.summary)
        yield self.words["started"], self._time(incident.started_at)
        yield self.words["ended"], self._time(incident.ended_at)
        yield self.words["duration"], self._duration_told()
        yield self.words["clock"], self.words["clock_trusted" if incident.clock_trusted else "clock_doubtful"]

    def _effect(self) -> Iterator[tuple[str, str]]:
        if self.facts.incident.effect:
            yield self.words["effect_told"], self.facts.incident.effect
        yield self.words["calls"], self._counted(self.facts.total())
        for calls in self.facts.calls:
            yield printable(self._say("of_line", line=calls.line)), self._counted(calls)
        kept = self._say("kept_counted", messages=self.facts.messages, callbacks=self.facts.callbacks)
        yield self.words["kept"], kept
        affected = self.words["separator"].join(self.facts.lines_affected)
        yield self.words["lines"], affected or self.words["no_lines"]

    def _counted(self, calls: LineCalls) -> str:
        return self._say("calls_counted", offered=calls.offered, answered=calls.answered, cut_short=calls.cut_short)

    def _measures(self) -> Iterator[str]:
        for action in self.facts.actions:
            yield f"{self._time(action.at)}  {self._said(action.action)}"

    def _told(self) -> Iterator[str]:
        for notice in self.facts.notices:
            who, how, result = (self._said(words) for words in (notice.who, notice.how, notice.result))
            told = self._say("told_line", who=who, how=how, result=result)
            yield f"{self._time(notice.at)}  {told}"

    def _others(self) -> Iterator[str]:
        for other in self.facts.others:
            told = self._say(
                "other_line",
                number=other.seq,
                kind=self._kind(other.kind),
                place=other.place,
                summary=self._said(other.summary),
                ended=self._time(other.ended_at),
            )
            yield f"{self._time(other.started_at)}  {told}"

    def _afterwards(self) -> str:
        total = self.facts.total()
        return self._say(
            "summary_over" if self.facts.incident.ended_at else "summary_open",
            duration=self._duration() or self.words["duration_unknown"],
            offered=total.offered,
            answered=total.answered,
            cut_short=total.cut_short,
            measures=len(self.facts.actions),
            told=len(self.facts.notices),
        )

    def _by_hand(self) -> str:
        lines = [blank(self.words["remarks"]), *["_" * WIDTH] * (_REMARK_LINES - 1)]
        return "\n\n".join([*lines, blank(self.words["technician"]), blank(self.words["signature"])])

    def _duration_told(self) -> str:
        duration = self._duration()
        if duration is None:
            return str(self.words["duration_unknown"])
        return duration if self.facts.incident.ended_at else self._say("duration_open", duration=duration)

    def _duration(self) -> str | None:
        """In words; None where the end lies before the start."""
        began, ended = (datetime.fromisoformat(text) for text in (self.facts.incident.started_at, self.facts.until))
        seconds = int((ended - began).total_seconds())
        if ended < began:
            return None
        name = "hours" if seconds >= 3600 else "minutes" if seconds >= 60 else "seconds"
        return self._say(name, h=seconds // 3600, m=seconds // 60 % 60, s=seconds % 60)

    def _time(self, text: str | None) -> str:
        return str(self.words["open"]) if text is None else _local(datetime.fromisoformat(text), self.zone)

    def _said(self, sentence: str) -> str:
        return in_language(sentence, self.language)

    def _kind(self, kind: str) -> str:
        return str(self.words["kinds"].get(kind, kind))

    def _say(self, name: str, **details: object) -> str:
        return str(self.words[name]).format(**details)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(" ", timespec="seconds")[: len("2026-03-01 16:00:08")]
