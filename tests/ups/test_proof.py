"""A profile is proved by a pulled plug and nothing less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.ups.proof import PULL_WITHIN_SECONDS, RETURN_WITHIN_SECONDS, Proof, ProofStep

Levels = list[tuple[float, bool | None]]


def run(levels: Levels, until: float) -> Proof:
    """Levels as they change, told again every second as a source does."""
    proof = Proof(0.0)
    level: bool | None = None
    changes = dict(levels)
    moments = sorted({*changes, *(float(second) for second in range(int(until) + 1))})
    for at in moments:
        level = changes.get(at, level)
        proof.heard(level, at)
        proof.passed(at)
    return proof


def test_plug_pulled_and_put_back_proves() -> None:
    proof = run([(0.0, True), (10.0, False), (20.0, True)], 30)
    assert proof.step is ProofStep.PROVED


@pytest.mark.parametrize(
    ("levels", "advice"),
    [
        ([(0.0, True)], "jumper"),
        ([(0.0, False)], "never told good mains"),
        ([(0.0, None)], "never told good mains"),
        ([(0.0, True), (10.0, False), (11.0, True)], "no loss"),  # wiggled only
        ([(0.0, True), (10.0, False)], "never as back"),
        ([(0.0, True), (10.0, False), (20.0, True), (21.0, False)], "never as back"),
    ],
)
def test_anything_less_fails_with_advice(levels: Levels, advice: str) -> None:
    proof = run(levels, PULL_WITHIN_SECONDS + RETURN_WITHIN_SECONDS + 20)
    assert proof.step is ProofStep.FAILED
    assert advice in proof.advice


def test_the_step_tells_what_to_do_next() -> None:
    proof = Proof(0.0)
    steps = [proof.step]
    for at, level in [(1.0, True), (5.0, False), (7.5, False), (9.0, True), (12.5, True)]:
        proof.heard(level, at)
        steps.append(proof.step)
    assert steps == [
        ProofStep.NO_MAINS_YET,
        ProofStep.PULL_THE_PLUG,
        ProofStep.PULL_THE_PLUG,
        ProofStep.PUT_IT_BACK,
        ProofStep.PUT_IT_BACK,
        ProofStep.PROVED,
    ]


@given(st.lists(st.tuples(st.floats(0, 400), st.sampled_from([True, False, None])), max_size=30))
def test_whatever_is_told_nothing_is_proved_without_two_seconds_of_loss(levels: Levels) -> None:
    changes = sorted(dict(levels).items())
    proof = run(changes, 420)
    away, lost_at = 0.0, None
    for at, level in [*changes, (420.0, True)]:
        gone = level is False
        if gone and lost_at is None:
            lost_at = at
        elif not gone and lost_at is not None:
            away, lost_at = max(away, at - lost_at), None
    if proof.step is ProofStep.PROVED:
        assert away >= 2.0
