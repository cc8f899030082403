from __future__ import annotations

from outages.breaks import Kind, Moment, plan


def test_fifty_breaks_meet_every_kind_and_every_moment_in_order() -> None:
    breaks = plan(1, 50)
    assert len(breaks) == 50
    assert {planned.kind for planned in breaks} == set(Kind)
    assert {planned.moment for planned in breaks} == set(Moment)
    shares = [planned.share for planned in breaks]
    assert shares == sorted(shares)


def test_a_seed_gives_its_plan_again_and_another_seed_another_one() -> None:
    assert plan(7, 20) == plan(7, 20)
    assert plan(7, 20) != plan(8, 20)
