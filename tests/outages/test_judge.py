"""The judge must be able to condemn: each kind of wrong is found, and nothing is found where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from outages.collected import Collected, Progress, Row
from outages.judge import violations
from outages.truth import Truth

_DEVICE = "d"
_TRUTH = Truth(
    bodies={"c": ("call", {"id": "c", "line": "front"}), "r": ("recording", {"id": "r"})},
    audio={"r": "aa"},
    erased=frozenset({"gone", "tape"}),
    queued=0,
    quarantined=0,
)
_CALL = Row("c", _DEVICE, "call", 3, 1, erased=False, blob_sha256=None, body={"id": "c", "line": "front", "more": 1})
_RECORDING = Row("r", _DEVICE, "recording", 4, 2, erased=False, blob_sha256="aa", body={"id": "r"})
_GONE = Row("gone", _DEVICE, "message", 5, 3, erased=True, blob_sha256=None, body=None)
_RIGHT = Collected([_CALL, _RECORDING, _GONE], [Progress(3, 0, [1, 4])], {(_DEVICE, "aa"): 9}, frozenset(), 0)
_EVER = {"r": "aa", "tape": "bb"}


def shelf(*names: str) -> Callable[[str, str], str | None]:
    return lambda device, sha256: sha256 if sha256 in names else None


def judged(truth: Truth = _TRUTH, collected: Collected = _RIGHT, *names: str) -> list[str]:
    return violations(truth, collected, shelf(*(names or ("aa",))), _EVER)


def test_what_is_right_is_not_condemned() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([_RECORDING, _GONE], "missing"),
        ([_CALL, _CALL, _RECORDING, _GONE], "2 times"),
        ([replace(_CALL, body={"id": "c", "line": "old"}), _RECORDING, _GONE], "last version: line"),
        ([replace(_CALL, body=None), _RECORDING, _GONE], "no body"),
        ([replace(_CALL, kind="message"), _RECORDING, _GONE], "as message"),
        ([_CALL, _RECORDING, replace(_GONE, body={}, erased=False)], "still there"),
        ([_CALL, _RECORDING, _GONE, replace(_CALL, record_id="x", seq=9)], "nobody's"),
        ([_CALL, replace(_RECORDING, blob_sha256=None), _GONE], "as its audio"),
        ([_CALL, replace(_RECORDING, seq=1), _GONE], "number 1 stands at 2"),
    ],
)
def test_a_wrong_record_is_found(rows: list[Row], word: str) -> None:
    found = judged(_TRUTH, replace(_RIGHT, rows=rows))
    assert any(word in violation for violation in found), found


def test_missing_damaged_and_unerased_audio_is_found() -> None:
    assert "missing" in judged(_TRUTH, _RIGHT, "zz")[0]
    assert "damaged" in violations(_TRUTH, _RIGHT, lambda *_: "ff", {})[0]
    assert "still there" in judged(_TRUTH, _RIGHT, "aa", "bb")[0]
    assert judged(_TRUTH, replace(_RIGHT, doomed=frozenset({"bb"})), "aa", "bb") == []


def test_what_is_left_in_the_queue_is_found() -> None:
    assert judged(replace(_TRUTH, queued=1)) == ["1 records are still queued"]
    assert judged(replace(_TRUTH, quarantined=1)) == ["1 records were set aside"]


def test_a_gap_in_the_order_is_found() -> None:
    assert "gaps" in judged(_TRUTH, replace(_RIGHT, progress=[Progress(3, 0, [1, 2, 3, 4])]))[0]
    assert judged(_TRUTH, replace(_RIGHT, progress=[])) == ["0 appliances are known there, not 1"]
