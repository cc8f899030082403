"""Recorded and written-out courses of events, and what must be decided when. The traces are data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ups.power_trace import check_end, load_traces, run_trace

ALL = load_traces()


@pytest.mark.parametrize(("name", "trace"), ALL, ids=[name for name, _ in ALL])
def test_trace_leads_to_these_decisions_at_these_times(name: str, trace: dict[str, Any]) -> None:
    run = run_trace(trace)
    assert run.lines() == trace["expect"]
    check_end(run, trace)
