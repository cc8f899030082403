"""moto's server in a process of its own: an object store that speaks S3, on loopback, in memory."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from typing import Self

from benchmarks.postgres import free_port

_START_SECONDS = 30.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
"""What the collector's environment must hold; moto takes any."""


class ObjectStore:
    """A context manager. `url` is where it listens."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        port = free_port()
        self.url = f"http://{host}:{port}"
        self._command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5):
                return self
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._process.kill()
                raise RuntimeError("moto's server does not start")
            time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def bucket(self, name: str) -> str:
        """Make a bucket; returns its S3 URL."""
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=10):
            return f"s3://{name}"
