"""The sections sync, email and alerts: what does not fit together is told before anything is delivered."""

from __future__ import annotations

import pytest

from firmware.errors import ConfigurationError
from firmware.settings import Settings, parse_settings

MAIL = "email: {server: mail.office.test, sender: phone@office.test%s}\n"


def parsed(more: str) -> Settings:
    base = "data_dir: /var/lib/linekeeper\nrun_dir: /run/linekeeper\nlines: [{name: a, port: /dev/none}]\n"
    return parse_settings("linekeeper.yaml", base + more)


def test_the_ladder_of_four_steps() -> None:
    steps = "".join(
        f"    - {{after_minutes: {minutes}, email: [{who}@office.test]}}\n"
        for minutes, who in ((0, "desk"), (5, "supervisor"), (10, "manager"), (60, "supplier"))
    )
    settings = parsed(MAIL % "" + "alerts:\n  steps:\n" + steps)
    assert [step.after_minutes for step in settings.alerts.steps] == [0, 5, 10, 60]
    assert settings.email.port_used == 587


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("alerts: {steps: [{after_minutes: 0, email: [a@b.test]}]}", "alerts by email need email.server"),
        ("alerts: {steps: [{after_minutes: 5}]}", "tells nobody"),
        (
            MAIL % ""
            + "alerts: {steps: [{after_minutes: 5, email: [a@b.test]}, {after_minutes: 5, email: [a@b.test]}]}",
            "later",
        ),
        ("email: {to: [a@b.test]}", "mails need a server"),
        ("email: {server: mail.office.test}", "needs sender"),
        (MAIL % ", user: phone", "go together"),
        (MAIL % ", security: none", "unencrypted: true"),
        (MAIL % ', to: ["a@b.test, c@d.test"]', "should match pattern"),
        (MAIL % ', to: ["a@b.test\\nBcc: c@d.test"]', "should match pattern"),
        (MAIL % ", sevrer: x", 'did you mean "server"'),
        (
            "alerts: {steps: [{after_minutes: 0, webhook: {url: 'https://a.test', secret: x}}]}",
            'did you mean "secret_file"',
        ),
        (
            "sync: {mode: webhook, url: 'https://a.test/', secret_file: /etc/s, same_disk: true}",
            "same_disk means nothing",
        ),
    ],
)
def test_what_does_not_fit_is_told(more: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed(more)
    assert told in str(caught.value)
