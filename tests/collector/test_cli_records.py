"""The command line, as a person uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.postgres import free_port
from collector.cli import _run_guarded
from tests.collector.importing.folders import add_audio, add_records, export_to
from tests.collector.records.wire import wire


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, in a thread that has no event loop yet."""

    def command(*arguments: str, url: str | None = None) -> Done:
        monkeypatch.setattr(sys, "argv", ["linekeeper-collector", *arguments])
        monkeypatch.delenv("LINEKEEPER_COLLECTOR_DATABASE", raising=False)
        if url:
            monkeypatch.setenv("LINEKEEPER_COLLECTOR_DATABASE", url)
        with ThreadPoolExecutor(1) as thread:
            status = thread.submit(_run_guarded).result()
        return Done(status, *capsys.readouterr())

    return command


def test_migrate_then_list(run: Run, database_url: str) -> None:
    first = run("migrate", url=database_url)
    assert (first.status, first.err) == (0, "")
    assert "001_records" in first.out
    assert run("migrate", "--database", database_url).out == "applied nothing; made no months\n"
    assert json.loads(run("records", "list", "--json", url=database_url).out) == []


def test_errors_are_one_line_and_a_status(database_url: str, run: Run) -> None:
    command = [sys.executable, "-c", "from collector.cli import main; main()", "records", "list"]
    unmigrated = subprocess.run(
        [*command, "--database", database_url], capture_output=True, text=True, env={}, check=False
    )
    assert (unmigrated.returncode, unmigrated.stdout, unmigrated.stderr.count("\n")) == (1, "", 1)
    assert "linekeeper-collector migrate" in unmigrated.stderr
    nowhere = run("records", "list", url=f"postgresql://postgres:secret@127.0.0.1:{free_port()}/none")
    assert (nowhere.status, nowhere.err.count("\n")) == (1, 1)
    assert "secret" not in nowhere.err
    for wrong in (("records", "list"), ("records", "list", "--database", "x", "--limit", "0"), ("no",)):
        assert run(*wrong).status == 2
    assert run("records", "list", url="nonsense://x").status == 1


def test_import_then_look(run: Run, migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = export_to(tmp_path / "stick")
    blob = add_audio(place, b"RIFFsound")
    add_records(place, [wire(1), wire(3, kind="message", blob=blob)])
    command = ("import", str(tmp_path / "stick"), "--blobs", str(tmp_path / "blobs"), "--company", "Acme")
    first = run(*command, url=migrated_url)
    assert first == Done(0, "1 appliance, 1 recording; records: 2 stored\n", "")
    monkeypatch.setenv("LINEKEEPER_COLLECTOR_BLOBS", str(tmp_path / "blobs"))
    assert json.loads(run(*command[:2], "--json", url=migrated_url).out)["duplicate"] == 2
    kept = [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [b"RIFFsound"]
    gaps = run("gaps", "office", "--json", url=migrated_url)
    assert json.loads(gaps.out) == [{"first": 2, "last": 2, "count": 1}]
    listed = json.loads(run("records", "list", "--kind", "message", "--json", url=migrated_url).out)
    assert [(row["seq"], row["device"], row["blob"]) for row in listed] == [(3, "office", blob["sha256"])]
    assert run("records", "list", "--device", "nobody", url=migrated_url).status == 1


def test_a_damaged_folder_is_told_by_the_status(run: Run, migrated_url: str, tmp_path: Path) -> None:
    place = export_to(tmp_path)
    add_records(place, [wire(1)]).write_bytes(b"{\n")
    result = run("import", str(tmp_path), "--blobs", str(tmp_path / "blobs"), url=migrated_url)
    assert result.status == 1
    assert "line 1, is cut or damaged" in result.err
