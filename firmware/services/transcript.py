"""A call as a person reads it: when, who, what. Used by the demonstration and the terminal phone."""

from __future__ import annotations

from typing import Any

_KEPT_AGAIN = "joined to an earlier request"


def sentence(event: dict[str, Any]) -> tuple[str, str] | None:
    """Who does something and what, for an event of the control API; None for what a reader does not need."""
    tell = _SENTENCES.get(event["event"])
    return tell(event) if tell else None


def _ringing(event: dict[str, Any]) -> tuple[str, str]:
    caller = event["caller"]
    number = caller["number"] or f"a number that was {caller['absence'].replace('_', ' ')}"
    name = f" ({caller['name']})" if caller["name"] else ""
    return "line", f"{event['line']} rings: {number}{name}"


def _prompt(event: dict[str, Any]) -> tuple[str, str]:
    return "hears", event["text"]


def _words(event: dict[str, Any]) -> tuple[str, str]:
    meaning = f"taken for key {event['key']}" if event["key"] else "not understood"
    return "says", f'"{event["text"]}" ({meaning}, {event["confidence"]:.0%} sure)'


def _kept(event: dict[str, Any]) -> tuple[str, str]:
    return "disk", f"message {event['number']} is committed"


def _callback(event: dict[str, Any]) -> tuple[str, str]:
    return "disk", f"callback request {event['number']} is committed" + (f", {_KEPT_AGAIN}" if event["merged"] else "")


def _ended(event: dict[str, Any]) -> tuple[str, str]:
    evidence = f" ({event['evidence'].replace('_', ' ')})" if event["evidence"] else ""
    return "line", f"on hook: {event['end'].replace('_', ' ')}{evidence}"


_SENTENCES = {
    "call_ringing": _ringing,
    "call_answered": lambda _: ("line", "off hook"),
    "prompt_started": _prompt,
    "key_pressed": lambda event: ("keys", event["key"]),
    "words_heard": _words,
    "recording_started": lambda _: ("line", "recording"),
    "recording_stopped": lambda event: ("line", f"recorded {event['seconds']:.1f} s, ended by {event['end']}"),
    "message_kept": _kept,
    "callback_kept": _callback,
    "call_ended": _ended,
}
