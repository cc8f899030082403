"""The journal: what it says, and that nothing fails when nobody can take it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from firmware.journal import journal, open_journal


@pytest.fixture(autouse=True)
def opened_again() -> Iterator[None]:
    yield
    open_journal()


def test_line_tells_part_event_and_details() -> None:
    stream = io.StringIO()
    open_journal(json_lines=True, stream=stream)
    journal("modem").info("modem ready", line="front")
    assert '"part": "modem"' in stream.getvalue()
    assert '"event": "modem ready"' in stream.getvalue()


def test_closed_stream_costs_nothing_but_the_line() -> None:
    stream = io.StringIO()
    open_journal(stream=stream)
    stream.close()
    journal("modem").error("nobody reads this")


def test_standard_error_is_looked_up_anew(capsys: pytest.CaptureFixture[str]) -> None:
    open_journal()
    journal("modem").warning("here")
    assert "here" in capsys.readouterr().err
