"""A folder as an appliance writes it, and a shelf in memory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

DEVICE = "0193b1f0-0000-7000-8000-00000000000a"


class MemoryShelf:
    """Recordings by appliance and hash."""

    def __init__(self) -> None:
        self.kept: dict[tuple[UUID, str], bytes] = {}

    async def put(self, device: UUID, sha256: str, content: bytes) -> None:
        self.kept[device, sha256] = content

    async def has(self, device: UUID, sha256: str) -> bool:
        return (device, sha256) in self.kept

    async def delete(self, device: UUID, sha256: str) -> None:
        self.kept.pop((device, sha256), None)


def export_to(folder: Path, device: str = DEVICE) -> Path:
    place = folder / "linekeeper-office"
    (place / "records").mkdir(parents=True)
    (place / "audio").mkdir()
    about = {"device": device, "name": "office", "version": "0.1.0"}
    (place / "appliance.json").write_text(json.dumps(about))
    return place


def add_records(place: Path, records: list[dict[str, Any]]) -> Path:
    file = place / "records" / f"{records[0]['seq']:020}-{UUID(int=records[0]['seq'])}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def add_audio(place: Path, content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    (place / "audio" / f"{sha256}.wav").write_bytes(content)
    return {"sha256": sha256, "bytes": len(content)}
