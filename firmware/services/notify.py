"""Tells systemd how this process is: the datagrams of sd_notify(3), without its library.

Where no NOTIFY_SOCKET is in the environment, nobody wants to know, and nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

_MICROSECONDS = 1_000_000
_LONGEST_SENTENCE = 400


class Notifier:
    """One process's word to its manager. Nothing here blocks or raises: a full or vanished socket is nobody's fault."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.feed_every_seconds = _half_of_the_watchdog(environment)
        """How often the watchdog wants to be fed (half of its time, as sd_watchdog_enabled(3) advises), or None."""

    @property
    def heard(self) -> bool:
        """Whether a manager listens."""
        return self._address is not None

    def ready(self) -> None:
        """The service does its duty from now on."""
        self._send("READY=1")

    def stopping(self) -> None:
        """It was told to stop, and is about to."""
        self._send("STOPPING=1")

    def status(self, sentence: str) -> None:
        """What `systemctl status` shows."""
        self._send(f"STATUS={' '.join(sentence.split())[:_LONGEST_SENTENCE]}")

    def feed(self) -> None:
        """Everything answered."""
        self._send("WATCHDOG=1")

    def _send(self, assignment: str) -> None:
        if self._address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(assignment.encode(), self._address)


def _address(name: str) -> str | None:
    # "@" stands for the zero byte that begins an abstract socket's name; other kinds (vsock) are not for us.
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _half_of_the_watchdog(environment: Mapping[str, str]) -> float | None:
    text = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (meant and text.isascii() and text.isdecimal() and int(text[:18])):
        return None
    return int(text[:18]) / _MICROSECONDS / 2
