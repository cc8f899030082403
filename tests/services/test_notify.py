"""sd_notify's datagrams, received by a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.services.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def notifier(listener: socket.socket, **more: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": listener.getsockname(), **more})


def test_each_word_is_a_datagram(manager: socket.socket) -> None:
    tell = notifier(manager)
    tell.ready()
    tell.status("two lines\nof text")
    tell.feed()
    tell.stopping()
    said = [manager.recv(4096) for _ in range(4)]
    assert said == [b"READY=1", b"STATUS=two lines of text", b"WATCHDOG=1", b"STOPPING=1"]


def test_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0linekeeper-test-" + str(os.getpid()))
        Notifier({"NOTIFY_SOCKET": f"@linekeeper-test-{os.getpid()}"}).ready()
        listener.setblocking(False)
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative", "/nonexistent/socket"])
def test_nobody_who_listens_is_no_fault(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready()


def test_full_socket_does_not_block(manager: socket.socket) -> None:
    tell = notifier(manager)
    for _ in range(5000):
        tell.status("x" * 1000)
    assert manager.recv(4096).startswith(b"STATUS=")


def test_watchdog_is_fed_at_half_of_its_time() -> None:
    assert Notifier({"WATCHDOG_USEC": "3000000"}).feed_every_seconds == 1.5
    assert Notifier({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}).feed_every_seconds == 1.5


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_PID": "1"}])
def test_watchdog_of_somebody_else_is_not_fed(more: dict[str, str]) -> None:
    usec = {"WATCHDOG_USEC": "3000000"} if more else {}
    assert Notifier({**usec, **more}).feed_every_seconds is None


@given(st.text())
def test_any_watchdog_time_is_a_time_or_none(text: str) -> None:
    seconds = Notifier({"WATCHDOG_USEC": text}).feed_every_seconds
    assert seconds is None or seconds > 0
