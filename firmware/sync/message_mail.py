"""The mail about a caller's message, in the office's languages. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from firmware.ports import Entry
from firmware.sync.mail import Attachment, Mail, one_line, several_lines
from firmware.sync.mail_audio import NoAudio

_WORDS_FILE = "mail_words.toml"
_LONGEST_TRANSCRIPT = 20_000
_BETWEEN = "\n----------------------------------------\n\n"


@cache
def _words_of(language: str) -> Mapping[str, str]:
    text = (resources.files("firmware.sync") / _WORDS_FILE).read_text(encoding="utf-8")
    words: Mapping[str, str] = tomllib.loads(text)[language]
    return words


def message_mail(
    entry: Entry, audio: Attachment | NoAudio, name: str, languages: Sequence[str], zone: ZoneInfo
) -> Mail:
    """One message; `name` is the appliance's, for offices that have several."""
    texts = [_MessageText(entry, audio, _words_of(language), zone) for language in languages]
    return Mail(
        mail_id=entry.record_id,
        subject=f"{' / '.join(text.subject() for text in texts)} ({one_line(name, 40)})",
        text=_BETWEEN.join(text.text() for text in texts),
        urgent=bool((entry.body or {}).get("urgent")),
        attachment=audio if isinstance(audio, Attachment) else None,
    )


@dataclass(frozen=True, slots=True)
class _MessageText:
    entry: Entry
    audio: Attachment | NoAudio
    words: Mapping[str, str]
    zone: ZoneInfo

    def subject(self) -> str:
        urgent = f"[{self.words['urgent_mark']}] " if self._field("urgent") else ""
        return urgent + self.words["subject"].format(number=one_line(self._field("number"), 20), caller=self._caller())

    def text(self) -> str:
        facts = "\n".join(self._pair(label, value) for label, value in self._facts())
        return "\n\n".join([facts, *self._remarks()]) + "\n"

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "number", one_line(self._field("number"), 20)
        yield "caller", self._caller()
        yield "time", _local(self._field("recorded_at"), self.zone)
        yield "duration", self._duration()
        if self._field("urgent"):
            yield "urgent", self.words["yes"]

    def _remarks(self) -> Iterator[str]:
        if self._field("interrupted"):
            yield self.words["interrupted"]
        if not self.entry.clock_trusted:
            yield self.words["doubtful_clock"]
        transcript = self._field("transcript")
        if transcript:
            yield self._pair("transcript", f"\n{several_lines(transcript, _LONGEST_TRANSCRIPT)}")
        else:
            yield self.words["no_transcript"]
        yield self.words["attached" if isinstance(self.audio, Attachment) else self.audio.value]

    def _pair(self, label: str, value: str) -> str:
        return self.words["pair"].replace("{label}", self.words[label]).replace("{value}", value)

    def _caller(self) -> str:
        number = self._field("caller_number")
        return one_line(number, 40) if number else self.words["unknown_caller"]

    def _duration(self) -> str:
        seconds = self._field("duration_seconds")
        whole = round(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e6 else 0
        return self.words["duration_told"].format(minutes=whole // 60, seconds=whole % 60)

    def _field(self, name: str) -> Any:
        return (self.entry.body or {}).get(name)


def _local(text: object, zone: ZoneInfo) -> str:
    try:
        moment = datetime.fromisoformat(str(text)).astimezone(zone)
    except (ValueError, OverflowError):
        return one_line(text, 40)
    return f"{moment:%Y-%m-%d %H:%M:%S} ({zone.key})"
