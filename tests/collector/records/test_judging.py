"""What becomes of records in any order: nothing of it depends on when what arrived."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.records.incoming import IncomingRecord
from collector.records.judging import Kept, Outcome, after, judge
from tests.collector.records.wire import incoming, record_id

NAME = record_id()
VERSIONS = {version: incoming(version, id=NAME, body={"version": version}) for version in range(1, 8)}
GONE = incoming(9, id=NAME, erased=True)
CLASH = incoming(3, id=NAME, body={"version": "another"})


def taken(records: list[IncomingRecord]) -> tuple[Kept | None, list[Outcome]]:
    kept: Kept | None = None
    outcomes = []
    for record in records:
        outcome, _ = judge(kept, record, blob_there=True)
        outcomes.append(outcome)
        if outcome is Outcome.STORED:
            kept = after(kept, record)
    return kept, outcomes


@given(st.lists(st.sampled_from(sorted(VERSIONS)), min_size=1))
def test_the_highest_version_is_kept_and_each_step_up_is_stored_once(versions: list[int]) -> None:
    kept, outcomes = taken([VERSIONS[version] for version in versions])
    assert kept is not None
    assert (kept.version, kept.body_hash) == (max(versions), VERSIONS[max(versions)].body_hash)
    steps = [version for place, version in enumerate(versions) if version > max(versions[:place], default=0)]
    assert outcomes.count(Outcome.STORED) == len(steps)
    assert set(outcomes) <= {Outcome.STORED, Outcome.DUPLICATE}


@given(st.lists(st.sampled_from([*VERSIONS.values(), GONE, CLASH])))
def test_what_was_erased_stays_erased(records: list[IncomingRecord]) -> None:
    kept, outcomes = taken([*records, GONE, *records])
    assert kept is not None
    assert kept.erased
    assert kept.body_hash is None
    assert set(outcomes[len(records) + 1 :]) <= {Outcome.DUPLICATE}


def test_a_contradiction_changes_nothing() -> None:
    kept, outcomes = taken([VERSIONS[3], CLASH, VERSIONS[3]])
    assert outcomes == [Outcome.STORED, Outcome.CONFLICT, Outcome.DUPLICATE]
    assert kept == after(None, VERSIONS[3])
    other_kind = incoming(8, id=NAME, kind="callback", body={})
    assert judge(kept, other_kind, blob_there=True)[0] is Outcome.CONFLICT


def test_audio_is_asked_for_only_where_the_record_would_be_stored() -> None:
    spoken = incoming(4, id=NAME, blob={"sha256": "ab" * 32, "bytes": 1})
    assert judge(None, spoken, blob_there=False)[0] is Outcome.NEED_BLOB
    assert judge(after(None, VERSIONS[5]), spoken, blob_there=False)[0] is Outcome.DUPLICATE


def test_audio_that_was_delivered_stays_when_the_appliance_has_it_no_more() -> None:
    spoken = incoming(4, id=NAME, blob={"sha256": "ab" * 32, "bytes": 1})
    kept = after(after(None, spoken), VERSIONS[5])
    assert (kept.version, kept.blob_sha256) == (5, bytes.fromhex("ab" * 32))
    assert after(kept, GONE).blob_sha256 is None
