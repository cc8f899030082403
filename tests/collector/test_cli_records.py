"""The command line, as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.collector.importing.folders import add_audio, add_records, export_to
from tests.collector.records.wire import wire


def run(*arguments: str, url: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {"LINEKEEPER_COLLECTOR_DATABASE": url} if url else {}
    command = [sys.executable, "-c", "from collector.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_migrate_then_list(database_url: str) -> None:
    first = run("migrate", url=database_url)
    assert first.returncode == 0, first.stderr
    assert "001_records" in first.stdout
    again = run("migrate", "--database", database_url)
    assert again.stdout == "applied nothing; made no months\n"
    listed = run("records", "list", "--json", url=database_url)
    assert json.loads(listed.stdout) == []


def test_errors_are_one_line_and_a_status(database_url: str) -> None:
    unmigrated = run("records", "list", url=database_url)
    assert unmigrated.returncode == 1
    assert unmigrated.stderr.count("\n") == 1
    assert "linekeeper-collector migrate" in unmigrated.stderr
    nowhere = run("records", "list", "--database", "postgresql://postgres@127.0.0.1:9/none")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
    assert run("records", "list").returncode == 2


def test_import_then_look(database_url: str, tmp_path: Path) -> None:
    place = export_to(tmp_path / "stick")
    blob = add_audio(place, b"RIFFsound")
    add_records(place, [wire(1), wire(3, kind="message", blob=blob)])
    command = ("import", str(tmp_path / "stick"), "--blobs", str(tmp_path / "blobs"), "--company", "Acme")
    first = run(*command, url=database_url)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == "1 appliances, 1 recordings; records: 2 stored\n"
    assert json.loads(run(*command, "--json", url=database_url).stdout)["duplicate"] == 2
    kept = [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [b"RIFFsound"]
    gaps = run("gaps", "office", "--json", url=database_url)
    assert json.loads(gaps.stdout) == [{"first": 2, "last": 2, "count": 1}]
    listed = json.loads(run("records", "list", "--kind", "message", "--json", url=database_url).stdout)
    assert [(row["seq"], row["device"], row["blob"]) for row in listed] == [(3, "office", blob["sha256"])]


def test_a_damaged_folder_is_told_by_the_status(database_url: str, tmp_path: Path) -> None:
    place = export_to(tmp_path)
    add_records(place, [wire(1)]).write_bytes(b"{\n")
    result = run("import", str(tmp_path), "--blobs", str(tmp_path / "blobs"), url=database_url)
    assert result.returncode == 1
    assert "line 1, is cut or damaged" in result.stderr
