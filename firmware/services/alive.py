"""Probes that several services share."""

from __future__ import annotations

import asyncio
from pathlib import Path

from firmware.services.service import Probe

# Any answer shows that it serves; that there is no such view is one.
_QUESTION = b"GET /v1/alive HTTP/1.0\r\n\r\n"
_ANSWER = b"HTTP/1."
_ANSWER_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
# Its socket serves people and programs, not calls: a hiccup must not cost the callers their service.
_PATIENCE_SECONDS = 30.0


def control_probe(path: Path) -> Probe:
    """Whether a control socket answers."""
    return Probe(f"control socket {path.name}", lambda: _until_it_answers(path), _PATIENCE_SECONDS)


async def _until_it_answers(path: Path) -> None:
    while True:
        if await _answers(path):
            return
        await asyncio.sleep(_AGAIN_SECONDS)


async def _answers(path: Path) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(_QUESTION)
                return (await reader.readline()).startswith(_ANSWER)
            finally:
                writer.close()
    except (OSError, ValueError):  # a time-out is an OSError; a line that never ends is a ValueError
        return False
