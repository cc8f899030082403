"""A caller who does nothing at all. The longest scenario, and so the first: two workers then end together."""

from __future__ import annotations

import pytest

from hil.callers import CALLER
from hil.checks import all_lines_idle, calls_over
from hil.rig import Rig


@pytest.mark.timeout(300)
async def test_silence_all_the_way_ends_well(rig: Rig) -> None:
    """A1, A3: nobody speaks or keys; the way out, an empty message, the closing phrase, and the line is idle."""
    call = await rig.ring(rig.lines[0], CALLER)
    await call.answered()
    assert await call.heard_speech()
    await call.ended()
    [ended] = await calls_over(rig)
    assert "way_out" in ended["path"]
    assert ended["path"][-1] == "goodbye"
    assert ended["end_reason"] in ("completed", "no_answer_from_caller")
    assert await rig.records("messages") == []
    await all_lines_idle(rig)
