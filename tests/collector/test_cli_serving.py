"""The commands of a collector that runs: serving with TLS, codes, the deny list."""

from __future__ import annotations

import json
import signal
import ssl
from pathlib import Path

import httpx
import trustme

from benchmarks.postgres import free_port
from tests.collector.clients import enrol
from tests.collector.serving import claim, command, program, served


async def test_an_appliance_enrols_over_tls_and_can_be_denied_and_allowed(module_url: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(key)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    place = f"127.0.0.1:{free_port()}"
    more = ("--tls-certificate", str(chain), "--tls-key", str(key), "--authority", str(tmp_path / "authority"))
    with served(module_url, str(tmp_path / "blobs"), place, *more) as process:
        async with httpx.AsyncClient(base_url=f"https://{place}", verify=trusted, trust_env=False) as web:
            appliance = await enrol(web, claim(module_url))
            listed = json.loads(command("devices", "list", "--json", database=module_url).stdout)
            assert [(one["id"], one["company"], one["denied_at"]) for one in listed] == [
                (appliance.device, "Acme", None)
            ]
            for do, status in (("deny", 403), ("allow", 200)):
                assert command(do, appliance.device, database=module_url).returncode == 0
                assert (await appliance.send(web, "GET")).status_code == status
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (tmp_path / "authority" / "authority.key").stat().st_mode & 0o777 == 0o600


def test_mistakes_are_told_in_a_line(module_url: str, tmp_path: Path) -> None:
    serve = ("serve", "--blobs", str(tmp_path / "blobs"))
    told = program(*serve, "--listen", "0.0.0.0:0", database=module_url)
    assert (told.returncode, told.stdout) == (1, "")
    assert "--tls-certificate" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    told = command("deny", "nobody", database=module_url)
    assert (told.returncode, "devices list" in told.stderr) == (1, True)
