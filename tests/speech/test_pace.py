"""When a machine counts as too slow, and how long a failed worker rests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.speech.pace import Pace, Patience, Rests, SoundSent


def test_one_late_result_is_no_slow_machine_but_most_of_the_last_are() -> None:
    pace = Pace(late_seconds=1.0)
    assert not pace.result_came(1.5)
    assert pace.result_came(0.5)
    pace.result_came(1.5)
    assert not pace.too_slow
    pace.result_came(2.0)
    assert pace.too_slow
    for _ in range(3):
        pace.result_came(0.2)
    assert not pace.too_slow


def test_a_worker_that_fails_again_and_again_rests_longer() -> None:
    rests = Rests(Patience(restart_seconds=1.0, longest_restart_seconds=8.0))
    assert [rests.after_failure(0.1) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert rests.after_failure(3600.0) == 1.0


def test_a_slow_machine_rests_longer_every_time() -> None:
    rests = Rests(Patience(rest_seconds=10.0, longest_rest_seconds=30.0))
    assert [rests.after_slowness(1.0) for _ in range(4)] == [10.0, 20.0, 30.0, 30.0]
    assert rests.after_slowness(3600.0) == 10.0


@given(st.lists(st.integers(1, 4000), min_size=1), st.data())
def test_sound_is_remembered_until_it_is_done_with(pieces: list[int], data: st.DataObject) -> None:
    sent = SoundSent()
    for at, samples in enumerate(pieces):
        sent.sent(samples, float(at))
    done = data.draw(st.integers(0, sum(pieces)))
    sent.done(done)
    assert round(sent.unread_seconds * 8000) == sum(pieces) - done
    if done < sum(pieces):
        sample = data.draw(st.integers(done + 1, sum(pieces)))
        piece = next(at for at in range(len(pieces)) if sum(pieces[: at + 1]) >= sample)
        assert sent.sent_at(sample) == float(piece)
    else:
        assert sent.sent_at(done) is None
