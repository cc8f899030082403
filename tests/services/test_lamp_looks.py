"""What the lamps show, for everything that may be."""

from __future__ import annotations

import pytest

from firmware.events import PowerState
from firmware.ports import Look
from firmware.services.lamp_looks import looks

_GOOD = {"in_call": 0, "faults": 0, "waiting_messages": 0}


@pytest.mark.parametrize(
    ("calls", "trouble", "line", "message", "fault"),
    [
        (_GOOD, False, Look.ON, Look.OFF, Look.OFF),
        (_GOOD | {"in_call": 1}, False, Look.SLOW, Look.OFF, Look.OFF),
        (_GOOD | {"waiting_messages": 3}, False, Look.ON, Look.SLOW, Look.OFF),
        (_GOOD | {"faults": 1, "in_call": 1}, False, Look.FAST, Look.OFF, Look.ON),
        (_GOOD, True, Look.ON, Look.OFF, Look.ON),
        (None, False, Look.FAST, Look.OFF, Look.ON),
    ],
)
def test_line_message_and_fault(
    calls: dict[str, int] | None, trouble: bool, line: Look, message: Look, fault: Look
) -> None:
    shown = looks(PowerState.ON_MAINS, calls, trouble=trouble)
    assert shown == {"line": line, "message": message, "power": Look.ON, "fault": fault}


def test_every_power_state_has_a_look_and_trouble_blinks() -> None:
    shown = {state: looks(state, _GOOD, trouble=False)["power"] for state in PowerState}
    assert shown[PowerState.ON_BATTERY] is Look.SLOW
    assert shown[PowerState.LOW_BATTERY] is Look.FAST
    assert shown[PowerState.RECOVERING] is shown[PowerState.ON_MAINS] is Look.ON
