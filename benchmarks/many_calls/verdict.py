"""Whether everything acknowledged is there, sample for sample. Each finding is a sentence; none is the aim."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.many_calls.ledger import CallFacts, Ledger, Window
from benchmarks.many_calls.speech import Match, find_speech
from firmware import wav
from firmware.events import CallEnd, MessageKept
from firmware.simulation.call import Spoken
from firmware.units import samples_to_seconds, seconds_to_samples

# From "recording" to the first sample lies a command or two.
_START_SLACK_SECONDS = 0.5
# At the end the appliance may cut before it says so, and a modem may drop what it holds.
_END_SLACK_SECONDS = 1.0
# Less may pass for a click.
_SURELY_VOICED_SECONDS = 1.0
_RECORDINGS = """
    SELECT message.id, recording.file, recording.total_samples, recording.kept_samples
    FROM message JOIN recording ON recording.id = message.recording_id
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it lies on the disk."""

    file: Path
    total_samples: int
    kept_samples: int


def judge(ledger: Ledger, data_dir: Path) -> list[str]:
    """Every finding."""
    messages, callbacks = _read(data_dir)
    findings = list(ledger.crashes)
    for facts in ledger.calls:
        findings += (f"{facts}: {finding}" for finding in _judge_call(facts, messages))
        findings += (
            f"{facts}: callback request {kept.number} is gone"
            for kept in facts.callbacks()
            if kept.callback_id not in callbacks
        )
    findings += (f"{path.name} was left unfinished" for path in data_dir.rglob("*.partial"))
    return findings


def _read(data_dir: Path) -> tuple[dict[str, Kept], set[str]]:
    with closing(sqlite3.connect(data_dir / "linekeeper.db")) as db:
        messages = {
            message: Kept(data_dir / "recordings" / file, total, kept)
            for message, file, total, kept in db.execute(_RECORDINGS)
        }
        return messages, {row[0] for row in db.execute("SELECT id FROM callback")}


def _judge_call(facts: CallFacts, messages: dict[str, Kept]) -> Iterator[str]:
    if CallEnd.INTERNAL_FAULT in facts.ends():
        yield "met an internal fault"
    if not facts.trouble and CallEnd.LINE_FAULT in facts.ends():
        yield "ended with a line fault on a line without any"
    if not facts.trouble and not facts.messages() and not facts.callbacks() and _was_heard(facts):
        yield "spoke while being recorded, and nothing was kept"
    last = {kept.message_id: kept for kept in facts.messages()}
    for kept in last.values():
        if kept.message_id not in messages:
            yield f"message {kept.number} is gone"
        else:
            yield from _judge_message(facts, kept, messages[kept.message_id])


def _judge_message(facts: CallFacts, kept: MessageKept, message: Kept) -> Iterator[str]:
    if not message.file.is_file():
        yield f"message {kept.number} has no file"
        return
    parsed = wav.parse(message.file.read_bytes())
    samples = len(parsed.data) // parsed.sample_format.sample_bytes
    if samples != message.total_samples or message.kept_samples > samples:
        yield f"message {kept.number} has {samples} samples, {message.total_samples} are told"
    window = facts.window_of(kept)
    if window is None or facts.answered_at_seconds is None:
        yield f"message {kept.number} was never recorded"
        return
    # What the office hears and exports is the kept part; speech that only the trimmed tail holds is lost to it.
    heard = parsed.data[: message.kept_samples * parsed.sample_format.sample_bytes]
    for spoken in facts.spoken:
        expected = _expected_seconds(spoken, facts.answered_at_seconds, window.later(3 * facts.late_seconds))
        match = find_speech(spoken.s16, heard, parsed.sample_format)
        if expected > 0 and (finding := _judge_match(spoken, match, expected, samples)):
            yield f"message {kept.number}: {finding}"


def _judge_match(spoken: Spoken, match: Match | None, expected_seconds: float, recorded: int) -> str | None:
    said = f"{samples_to_seconds(len(spoken.s16) // 2):.2f} s spoken, at least {expected_seconds:.2f} s of it recorded"
    if match is None:
        return f"{said}: not found sample for sample in {samples_to_seconds(recorded):.2f} s"
    if match.samples < seconds_to_samples(expected_seconds) - 1:  # seconds are not exact
        return f"{said}: only {samples_to_seconds(match.samples):.2f} s found"
    return None


def _was_heard(facts: CallFacts) -> bool:
    answered = facts.answered_at_seconds
    return answered is not None and any(
        _expected_seconds(spoken, answered, window) > _SURELY_VOICED_SECONDS
        for spoken in facts.spoken
        for window in facts.windows()
    )


def _expected_seconds(spoken: Spoken, answered_at_seconds: float, window: Window) -> float:
    """How much of this was certainly spoken while the appliance recorded."""
    start = answered_at_seconds + samples_to_seconds(spoken.at_sample)
    end = start + samples_to_seconds(len(spoken.s16) // 2)
    first = max(start, window.start_seconds + _START_SLACK_SECONDS)
    return min(end, window.end_seconds - _END_SLACK_SECONDS) - first
