"""What people are told of an incident, in the office's languages. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from firmware.ports import Telling, What
from firmware.services.incident_report import words_of
from firmware.services.incident_sentences import in_language
from firmware.services.paper import bullet, columns, entry, printable

_FILE = "alert_words.toml"
_LATEST_MEASURES = 10
_BETWEEN = "\n----------------------------------------\n\n"


class AlertWords:
    """Subject and text of a telling; `name` is the appliance's, for offices that have several."""

    def __init__(self, languages: Sequence[str], zone: ZoneInfo, name: str) -> None:
        self._languages = languages
        self._zone = zone
        self._name = name

    def __call__(self, telling: Telling) -> tuple[str, str]:
        """For a mail to people."""
        texts = [_AlertText(telling, language, self._zone, self._name) for language in self._languages]
        subject = " / ".join(text.subject() for text in texts)
        # Blanks of whatever width become plain ones: the subject is one line of printable text.
        one_line = " ".join(f"{subject} - {printable(self._name)}".split())
        return one_line, _BETWEEN.join(text.text() for text in texts)


@cache
def _words(language: str) -> Mapping[str, str]:
    text = (resources.files("firmware.services") / _FILE).read_text(encoding="utf-8")
    words: Mapping[str, str] = tomllib.loads(text)[language]
    return words


@dataclass(frozen=True, slots=True)
class _AlertText:
    telling: Telling
    language: str
    zone: ZoneInfo
    name: str

    def subject(self) -> str:
        incident = self.telling.incidents[-1]
        mark = f"[{self._say('drill_mark')}] " if self._is_drill() else ""
        count = len(self.telling.incidents) + self.telling.more
        kind, place = self._kind(incident), printable(str(incident.get("place", "")))
        return mark + self._say(self.telling.what.value, kind=kind, place=place, count=count)

    def text(self) -> str:
        parts = [self._say("drill")] if self._is_drill() else []
        if self.telling.what is What.SUMMARY:
            parts += [self._say("summary_text"), "\n".join(self._listed())]
            parts += [self._say("more", count=self.telling.more)] if self.telling.more else []
        else:
            parts += self._one(self.telling.incidents[-1])
        return "\n\n".join(parts) + "\n"

    def _one(self, incident: Mapping[str, Any]) -> Iterator[str]:
        facts = list(self._facts(incident))
        width = max(columns(label) for label, _ in facts)
        yield "\n".join(entry(label, text, width) for label, text in facts)
        actions = list(incident.get("actions") or ())[-_LATEST_MEASURES:]
        if actions:
            told = (f"{self._time(action.get('at'))}  {self._said(action.get('action'))}" for action in actions)
            yield "\n".join([f"{self._say('measures')}:", *map(bullet, told)])

    def _facts(self, incident: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield self._say("appliance"), self.name
        yield self._say("kind"), self._kind(incident)
        yield self._say("place"), str(incident.get("place", ""))
        yield self._say("what"), self._said(incident.get("summary"))
        doubt = "" if incident.get("clock_trusted", True) else f" {self._say('doubtful_clock')}"
        yield self._say("started"), self._time(incident.get("started_at")) + doubt
        yield self._say("ended"), self._time(incident.get("ended_at"))
        if incident.get("effect"):
            yield self._say("effect"), self._said(incident["effect"])

    def _listed(self) -> Iterator[str]:
        for incident in self.telling.incidents:
            span = f"{self._time(incident.get('started_at'))} - {self._time(incident.get('ended_at'))}"
            place = incident.get("place", "")
            yield bullet(f"{span}  {self._kind(incident)} ({place}): {self._said(incident.get('summary'))}")

    def _is_drill(self) -> bool:
        return all(incident.get("drill") for incident in self.telling.incidents)

    def _kind(self, incident: Mapping[str, Any]) -> str:
        kind = str(incident.get("kind", ""))
        return printable(str(words_of(self.language)["kinds"].get(kind, kind)))

    def _said(self, sentence: object) -> str:
        return in_language(str(sentence or ""), self.language)

    def _time(self, text: object) -> str:
        if not text:
            return self._say("open")
        try:
            moment = datetime.fromisoformat(str(text)).astimezone(self.zone)
        except (ValueError, OverflowError):
            return printable(str(text))
        return f"{moment:%Y-%m-%d %H:%M:%S}"

    def _say(self, name: str, **details: object) -> str:
        return _words(self.language)[name].format(**details)
