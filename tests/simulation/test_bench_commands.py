from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.simulation.bench_commands import (
    Command,
    HangUp,
    Keys,
    PlayTone,
    Plug,
    Ring,
    SetFarEnd,
    Speak,
    parse_command,
)
from firmware.simulation.command_fields import BadCommand
from firmware.simulation.far_end import Answers
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming
from firmware.simulation.loop import ToneKind
from firmware.simulation.power_commands import (
    Flap,
    SetBattery,
    SetBatteryLow,
    SetContact,
    SetMains,
    SetNeverCuts,
    SetReplaceBattery,
    SetSilent,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELD = st.sampled_from(
    [
        "line",
        "do",
        "number",
        "name",
        "key",
        "keys",
        "file",
        "kind",
        "answers",
        "rings",
        "power",
        "on",
        "percent",
        "times",
    ]
)
WORD = st.sampled_from(
    [
        "line1",
        "ring",
        "key",
        "speak",
        "far_end",
        "tone",
        "quiet",
        "mains",
        "battery_low",
        "flap",
        "battery",
        "busy",
        "1",
    ]
)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"line": "line1", "do": "ring", "number": "123"}', Ring("line1", "123", None, None, None)),
        (
            '{"line": "a", "do": "ring", "name": "王", "caller_id": "absent", "after_hang_up": "loop_break"}',
            Ring("a", None, "王", CallerIdTiming.ABSENT, AfterHangUp.LOOP_BREAK),
        ),
        ('{"line": "a", "do": "key", "key": "1"}', Keys("a", "1")),
        ('{"line": "a", "do": "key", "key": 1}', Keys("a", "1")),
        ('{"line": "a", "do": "keys", "keys": "12#"}', Keys("a", "12#")),
        ('{"line": "a", "do": "key", "keys": "12#"}', Keys("a", "12#")),
        ('{"line": "a", "do": "speak", "file": "x.wav"}', Speak("a", "x.wav")),
        ('{"line": "a", "do": "hang_up"}', HangUp("a")),
        ('{"line": "a", "do": "give_up"}', HangUp("a")),
        ('{"line": "a", "do": "unplug"}', Plug("a", plugged=False)),
        ('{"line": "a", "do": "replug"}', Plug("a", plugged=True)),
        ('{"line": "a", "do": "tone", "kind": "busy"}', PlayTone("a", ToneKind.BUSY)),
        ('{"line": "a", "do": "quiet"}', PlayTone("a", None)),
        ('{"number": "110", "answers": "no_answer"}', SetFarEnd(None, "110", Answers.NO_ANSWER, 2)),
        ('{"line": "a", "do": "far_end", "answers": "busy"}', SetFarEnd("a", None, Answers.BUSY, 2)),
        ('{"do": "far_end", "answers": "answer", "rings": 0}', SetFarEnd(None, None, Answers.ANSWER, 0)),
        ('{"power": "mains", "on": false}', SetMains(on=False)),
        ('{"power": "battery_low"}', SetBatteryLow(low=True)),
        ('{"do": "battery_low", "on": false}', SetBatteryLow(low=False)),
        ('{"power": "battery", "percent": 40}', SetBattery(40.0, 20.0, 10.0)),
        ('{"power": "battery", "watt_hours": 5, "watts": 2.5}', SetBattery(100.0, 5.0, 2.5)),
        ('{"power": "replace_battery"}', SetReplaceBattery(replace=True)),
        ('{"power": "silent", "on": false}', SetSilent(silent=False)),
        ('{"power": "flap", "seconds": 0.003}', Flap(0.003, 1)),
        ('{"power": "flap", "seconds": 2, "times": 5}', Flap(2.0, 5)),
        ('{"power": "never_cuts"}', SetNeverCuts(never=True)),
        ('{"power": "contact", "name": "door"}', SetContact("door", active=True)),
    ],
)
def test_every_command_is_understood(text: str, command: object) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("7", "JSON object"),
        ("{}", "nothing called None"),
        ('{"do": ["ring"]}', "nothing called"),
        ('{"line": "a", "do": "fly"}', "'fly'"),
        ('{"do": "ring"}', "which line"),
        ('{"line": 3, "do": "hang_up"}', "line is text"),
        ('{"line": "a", "do": "key", "key": "1Z"}', "cannot be keyed"),
        ('{"line": "a", "do": "key"}', "cannot be keyed"),
        ('{"line": "a", "do": "speak"}', "wants a file"),
        ('{"line": "a", "do": "tone", "kind": "howler"}', "kind is one of dial"),
        ('{"line": "a", "do": "ring", "caller_id": null}', "caller_id is one of"),
        ('{"answers": "maybe"}', "answers is one of"),
        ('{"answers": "answer", "rings": true}', "rings is a number"),
        ('{"power": "mains"}', "true or false"),
        ('{"line": "\\ud800", "do": "hang_up"}', "no text"),
        ('{"line": "a", "do": "speak", "file": "\\u0000"}', "no text"),
        ('{"power": "solar"}', "mains or battery_low"),
        ('{"power": ["mains"]}', "mains or battery_low"),
        ('{"power": "battery", "percent": 101}', "at most 100"),
        ('{"power": "battery", "watts": 0}', "more than 0"),
        ('{"power": "battery", "percent": NaN}', "a number from 0 on"),
        ('{"power": "flap", "times": 1.5}', "whole number"),
        ('{"power": "contact"}', "which contact"),
    ],
)
def test_a_bad_command_gets_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadCommand, match=reason):
        parse_command(text)


@given(text=st.text() | JSON.map(json.dumps) | st.dictionaries(FIELD, WORD | JSON, max_size=6).map(json.dumps))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    with contextlib.suppress(BadCommand):
        assert isinstance(parse_command(text), Command)
