"""The least that could send: a file of batches, one post after the other. `python -m ... FILE URL` prints seconds."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import httpx


def send(batches: list[bytes], url: str) -> float:
    """Seconds for all of them, each posted once the last was answered."""
    headers = {"content-type": "application/json"}
    with httpx.Client() as client:
        began = time.perf_counter()
        for batch in batches:
            client.post(url, content=batch, headers=headers).raise_for_status()
        return time.perf_counter() - began


if __name__ == "__main__":
    print(send(Path(sys.argv[1]).read_bytes().splitlines(), sys.argv[2]))
