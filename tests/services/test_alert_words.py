from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware.ports import Telling, What
from firmware.services.alert_words import AlertWords

WORDS = AlertWords(("zh", "en"), ZoneInfo("Asia/Shanghai"), "Front office")
INCIDENT = {
    "id": "i1",
    "kind": "power",
    "place": "mains",
    "summary": "mains is away; the battery carries us",
    "started_at": "2026-03-01T08:00:00.000+00:00",
    "ended_at": None,
    "effect": None,
    "drill": False,
    "clock_trusted": False,
    "actions": [{"at": "2026-03-01T08:00:01.000+00:00", "action": "the first tier of loads is shed at once"}],
}


def test_a_fault_is_told_in_both_languages_with_local_time_and_what_was_done() -> None:
    subject, text = WORDS(Telling("t", What.BEGAN, 0, [INCIDENT]))
    assert subject == "故障：停电（mains） / Fault: power failure (mains) - Front office"
    for words in (
        "市电中断，由电池供电",
        "mains is away; the battery carries us",
        "2026-03-01 16:00:00",
        "still going on",
        "the clock was not known to be right",
        "2026-03-01 16:00:01  the first tier of loads is shed at once",
        "立即停用第一级负载",
    ):
        assert words in text
    assert "drill" not in text


def test_a_drill_says_so_before_everything() -> None:
    subject, text = WORDS(Telling("t", What.BOTH, 0, [{**INCIDENT, "drill": True}]))
    assert subject.startswith("[演练] ")
    assert "[DRILL] Fault, over already" in subject
    assert text.startswith("这是一次演练")


def test_a_summary_lists_all_and_tells_how_many_more_there_are() -> None:
    over = {**INCIDENT, "ended_at": "2026-03-01T08:10:00.000+00:00"}
    subject, text = WORDS(Telling("t", What.SUMMARY, 0, [over, INCIDENT], more=5))
    assert "7 faults in a short time" in subject
    assert "2026-03-01 16:00:00 - 2026-03-01 16:10:00" in text
    assert "5 more are not listed" in text


odd = st.none() | st.text(max_size=40) | st.integers() | st.booleans()


@pytest.mark.parametrize("what", list(What))
@example(incident={"kind": "\xa0", "place": "\u3000"})
@given(incident=st.dictionaries(st.sampled_from([key for key in INCIDENT if key != "actions"]), odd))
def test_any_incident_gives_words(what: What, incident: dict[str, object]) -> None:
    subject, text = WORDS(Telling("t", what, 0, [incident]))
    assert subject.isprintable()
    assert text
