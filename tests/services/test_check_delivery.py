"""`linekeeper check` finds what cannot work in the sections of delivery, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.services.check_delivery import delivery_problems, delivery_sentences
from firmware.services.doctor_delivery import delivery_finding
from firmware.services.sync_commands import sync_status
from firmware.settings import Settings, parse_settings


def settings(folder: Path, more: str) -> Settings:
    base = f"data_dir: {folder}/data\nrun_dir: {folder}/run\nlines: [{{name: a, port: /dev/none}}]\n"
    return parse_settings("linekeeper.yaml", base + more.replace("DIR", str(folder)))


def problems(folder: Path, more: str) -> list[str]:
    return [problem.text for problem in delivery_problems(settings(folder, more))]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("sync: {mode: webhook, url: 'https://a.test/x', secret_file: DIR/none}", "cannot be read (No such file"),
        ("sync: {mode: webhook, url: 'https://a.test/x', secret_file: DIR/short}", "shorter than 16 bytes"),
        ("sync: {mode: webhook, url: 'http://a.test/x', secret_file: DIR/secret}", "write https"),
        ("sync: {mode: collector, url: 'https://a.test'}", "not enrolled"),
        ("sync: {mode: collector, url: 'https://a.test', claim_file: DIR/none}", "claim_file"),
        ("sync: {mode: collector, url: 'https://a.test', claim: AAAA-BBBB, authority_file: DIR/secret}", "(PEM)"),
        ("sync: {mode: folder, path: DIR/none}", "is not there; plug the stick in"),
        ("email: {server: m.test, sender: a@a.test, to: [b@a.test], user: u, password_file: DIR/empty}", "is empty"),
        (
            "alerts: {steps: [{after_minutes: 0, webhook: {url: 'http://a.test/x', secret_file: DIR/secret}}]}",
            "alerts, step 1, webhook.url",
        ),
    ],
)
def test_each_mistake_is_told(tmp_path: Path, more: str, words: str) -> None:
    (tmp_path / "secret").write_text("a secret of sixteen bytes and more")
    (tmp_path / "short").write_text("short")
    (tmp_path / "empty").write_text("\n")
    (told,) = problems(tmp_path, more)
    assert words in told


def test_what_is_good_is_told_in_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + "QUJD" * 8)
    more = (
        "sync: {mode: webhook, url: 'https://a.test/x', secret_file: DIR/secret}\n"
        "email: {server: m.test, sender: a@a.test, to: [b@a.test]}\n"
        "alerts: {steps: [{after_minutes: 0, email: [b@a.test]}, {after_minutes: 10, email: [c@a.test]}]}\n"
    )
    assert problems(tmp_path, more) == []
    assert delivery_sentences(settings(tmp_path, more)) == [
        "delivery: webhook at a.test",
        "e-mail: each new message to b@a.test by m.test",
        "alerts: 2 steps, after 0, 10 min",
    ]


def test_an_enrolled_appliance_needs_no_claim(tmp_path: Path) -> None:
    (tmp_path / "data" / "sync").mkdir(parents=True)
    (tmp_path / "data" / "sync" / "device.json").write_text("{}")
    assert problems(tmp_path, "sync: {mode: collector, url: 'https://a.test'}") == []


def test_doctor_never_takes_a_fresh_appliance_for_one_that_keeps_its_records(tmp_path: Path) -> None:
    status = sync_status(settings(tmp_path, "sync: {mode: collector, url: 'https://a.test', claim: AAAA-BBBB}"))
    finding = delivery_finding(status)
    assert not finding.good
    assert finding.sentence == ("the sync service is not running; start it with: linekeeper run sync (nothing waits)")
