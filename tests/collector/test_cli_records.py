"""The command line, as a person uses it."""

import json
import subprocess
import sys


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
