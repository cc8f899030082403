"""Entries as the outbox gives them, with audio on the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firmware import wav
from firmware.pcm import SampleFormat
from firmware.ports import Blob, Entry
from firmware.sync.appliance import Appliance

APPLIANCE = Appliance("0190f5e6-0000-7000-8000-000000000001", "Front office", "0.1.0")


class FixedClock:
    """`ports.Clock` that a test sets."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.good = True

    def monotonic(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def trusted(self) -> bool:
        return self.good


def blob_in(folder: Path, samples: bytes = b"\x80\x7f" * 4000, sample_format: SampleFormat = SampleFormat.U8) -> Blob:
    content = wav.dump(sample_format, samples)
    sha256 = hashlib.sha256(content).hexdigest()
    file = folder / f"{sha256[:8]}.wav"
    file.write_bytes(content)
    return Blob(sha256, len(content), file)


def entry(
    seq: int,
    body: Mapping[str, Any] | None = None,
    *,
    kind: str = "message",
    record_id: str | None = None,
    version: int | None = None,
    blob: Blob | None = None,
    erased: bool = False,
    erased_audio: tuple[str, int] | None = None,
) -> Entry:
    return Entry(
        seq=seq,
        kind=kind,
        record_id=record_id or f"0190f5e6-0000-7000-8000-{seq:012x}",
        version=version or seq,
        queued_at="2026-03-01T08:00:00.000+00:00",
        clock_trusted=True,
        attempts=0,
        body=None if erased else (body if body is not None else {"number": seq}),
        blob=blob,
        erased_audio=erased_audio,
    )
