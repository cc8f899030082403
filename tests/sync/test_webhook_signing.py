from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from firmware.sync.webhook_signing import read_secret, signature


@given(st.binary(min_size=16, max_size=64), st.text(min_size=1, max_size=40), st.text(max_size=200), st.integers(1, 90))
def test_signatures_are_those_of_the_convention(secret: bytes, delivery_id: str, body: str, cut: int) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    pieces = [body.encode()[:cut], body.encode()[cut:]]
    good = standardwebhooks.Webhook(secret).sign(delivery_id, at, body)
    assert signature(secret, delivery_id, int(at.timestamp()), pieces) == good


def test_a_secret_is_read_with_and_without_prefix() -> None:
    raw = b"sixteen bytes at least"
    assert read_secret("whsec_" + base64.b64encode(raw).decode() + "\n") == raw
    assert read_secret("whsec_" + base64.b64encode(raw).decode().rstrip("=")) == raw
    assert read_secret("  a plain long password \n") == b"a plain long password"


@pytest.mark.parametrize("text", ["", "short", "whsec_", "whsec_!!!!", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|base64"):
        read_secret(text)
