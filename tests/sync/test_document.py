"""What docs/delivery.md tells the author of a receiver."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firmware.settings import parse_settings
from firmware.sync.webhook_signing import signature

_PAGE = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")
_BASE = "data_dir: /var/lib/linekeeper\nrun_dir: /run/linekeeper\nlines: [{name: a, port: /dev/none}]\n"


def test_the_check_of_a_signature_holds() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    body, secret, now = b"RIFF\xff\x00", b"sixteen bytes at least", int(datetime.now(UTC).timestamp())
    headers = {"webhook-id": "id.1", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = signature(secret, "id.1", now, [body])
    assert names["is_good"](headers, body, secret)
    assert not names["is_good"](headers, body + b" ", secret)
    headers["webhook-timestamp"] = str(now - 600)
    headers["webhook-signature"] = signature(secret, "id.1", now - 600, [body])
    assert not names["is_good"](headers, body, secret)


def test_its_configurations_are_good_ones() -> None:
    hook, folder, email, alerts = re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    assert parse_settings("page", _BASE + hook).sync.mode == "webhook"
    assert parse_settings("page", _BASE + folder + email + alerts).alerts.steps[3].after_minutes == 60
