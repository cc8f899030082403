"""The audio of a message as any telephone and any mail program plays it: 16-bit PCM. Blocking."""

from __future__ import annotations

from enum import Enum
from typing import Any

from firmware import wav
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import Entry
from firmware.sync.mail import Attachment

_S16_BYTES = 2
_BASE64 = 4 / 3 * 78 / 76
"""What encoding and its line breaks add."""
_REST_OF_MAIL_BYTES = 50_000


class NoAudio(Enum):
    """Why a mail has none; the values are those of the mail's words."""

    TOO_LARGE = "too_large"
    NOT_THERE = "not_there"
    NOT_WANTED = "not_wanted"


def attachment_of(entry: Entry, most_bytes: float) -> Attachment | NoAudio:
    """What was kept of the recording: the tail behind it is not for people."""
    if entry.blob is None:
        return NoAudio.NOT_THERE
    if _size_in_mail(entry.blob.byte_count) > most_bytes:
        return NoAudio.TOO_LARGE
    try:
        content = wav.parse(entry.blob.file.read_bytes())
    except (OSError, wav.NotAWav):
        return NoAudio.NOT_THERE
    body = entry.body or {}
    s16 = decode_to_s16(content.data, content.sample_format)[: _kept_bytes(body, len(content.data))]
    audio = wav.dump(SampleFormat.S16, s16)
    if _size_in_mail(len(audio)) > most_bytes:
        return NoAudio.TOO_LARGE
    return Attachment(f"message-{int(body.get('number') or 0)}.wav", audio)


def _kept_bytes(body: Any, all_samples: int) -> int:
    kept = body.get("kept_samples")
    return _S16_BYTES * (kept if isinstance(kept, int) and kept >= 0 else all_samples)


def _size_in_mail(audio_bytes: int) -> float:
    return audio_bytes * _BASE64 + _REST_OF_MAIL_BYTES
