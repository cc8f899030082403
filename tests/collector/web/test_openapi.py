"""schemathesis judges the running service by its own OpenAPI document: as a stranger, and as an enrolled appliance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from benchmarks.postgres import free_port
from tests.collector.clients import new_key, signing_request
from tests.collector.serving import ROOT, claim, served

_EXAMPLES = os.environ.get("LINEKEEPER_SCHEMATHESIS_EXAMPLES", "")
"""By hand: so many per address, a stranger's in all phases, too; a hundred take some minutes."""
# A text that is too long may make the whole too long: that is refused before it is looked at.
_CONFIGURATION = "[checks]\nnegative_data_rejection.expected-statuses = ['4xx', '5xx']\n"
_SEED = [] if _EXAMPLES else ["--seed", "1"]
_PHASES = ("coverage,fuzzing", "coverage,fuzzing") if _EXAMPLES else ("fuzzing", "coverage,fuzzing")


@pytest.fixture(scope="module")
def address(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = f"127.0.0.1:{free_port()}"
    with served(module_url, str(tmp_path_factory.mktemp("blobs")), place):
        yield f"http://{place}"


@pytest.fixture
def appliance_file(address: str, module_url: str, tmp_path: Path) -> Path:
    key = new_key()
    asked = {"code": claim(module_url), "csr_pem": signing_request(key)}
    told = httpx.post(f"{address}/v1/enrol", json=asked, trust_env=False).json()
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "appliance.json"
    file.write_text(json.dumps({**told, "key_pem": key.private_bytes(*formats).decode()}))
    return file


def _judge(address: str, folder: Path, phases: str, **environment: str) -> subprocess.CompletedProcess[str]:
    options = ["--max-examples", _EXAMPLES or "4", "--phases", phases, "--no-color", *_SEED]
    (folder / "schemathesis.toml").write_text(_CONFIGURATION)
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", *options],
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_stranger_finds_nothing(address: str, tmp_path: Path) -> None:
    judged = _judge(address, tmp_path, _PHASES[0])
    assert judged.returncode == 0, judged.stdout


def test_an_enrolled_appliance_finds_nothing(address: str, appliance_file: Path) -> None:
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.collector.web.signing_hooks",
        "LINEKEEPER_TEST_APPLIANCE": str(appliance_file),
    }
    judged = _judge(address, appliance_file.parent, _PHASES[1], **hooks)
    assert judged.returncode == 0, judged.stdout
