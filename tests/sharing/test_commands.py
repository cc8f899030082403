"""The commands of both ends."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.cli import main as collector_main
from firmware.cli import main as appliance_main

CSV = "number,name,note,fax\n138 0013-8000,王 Wang,vip,1\nnobody,Zhao,,\n+8613800138001,Li Wei,,\n"


Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in this process, which has loaded everything already; what it printed."""

    def command(main: Callable[[], None], *arguments: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert ended.value.code == status, told.err
        return told.out if status == 0 else told.err

    return command


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "data").mkdir()
    file = tmp_path / "linekeeper.yaml"
    file.write_text(f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: /dev/none}}]\n")
    return str(file)


def test_people_at_a_branch_set_list_and_remove(config: str, tmp_path: Path, run: Run) -> None:
    def branch(*arguments: str, status: int = 0) -> str:
        return run(appliance_main, "--config", config, *arguments, status=status)

    def listed(kind: str) -> Any:
        return json.loads(branch(kind, "list", "--json"))

    branch("contacts", "set", "138 0013-8000", "--name", "王 Wang", "--note", "vip")
    branch("contacts", "set", "+86 13800138000", "--note", "")
    (contact,) = listed("contacts")
    assert (contact["number"], contact["name"], contact["note"]) == ("+8613800138000", "王 Wang", None)
    branch("blocked", "add", "010*", "--reason", "advertises")
    assert [entry["entry"] for entry in listed("blocked")] == ["010*"]
    branch("blocked", "remove", "010*")
    assert listed("blocked") == []
    assert "is a number" in branch("contacts", "set", "Wang", "--name", "Wang", status=1)
    assert "there is no contact" in branch("contacts", "remove", "13900000000", status=1)
    with closing(sqlite3.connect(tmp_path / "data" / "linekeeper.db")) as db:
        db.execute(
            "INSERT INTO call (id, line, caller_number, number_absence, started_at, clock_trusted)"
            " VALUES ('01a1ee5d-7a10-7000-8000-000000000001', 'a', '13800138000', '', '2026-03-01T08:00:00Z', 1)"
        )
        db.commit()
    (call,) = json.loads(branch("calls", "list", "--json"))
    assert call["caller_name"] == "王 Wang"


def test_people_at_the_collector_set_list_import_and_erase(database_url: str, tmp_path: Path, run: Run) -> None:
    def collector(*arguments: str, status: int = 0) -> str:
        place = ["--database", database_url]
        return run(collector_main, *arguments, *place, status=status)

    collector("migrate")
    collector("claim", "front", "--company", "Acme")
    flow, contacts = tmp_path / "office.yaml", tmp_path / "contacts.csv"
    flow.write_text("name: Ours\n")
    contacts.write_text(CSV, encoding="utf-8")
    company = ("--company", "Acme")
    collector("shared", "set", "flow", "office", "--file", str(flow), *company)
    collector("shared", "set", "configuration", "rings", "value=3", *company)
    assert f"{contacts}:3" in collector("shared", "import", str(contacts), *company, status=1)
    items = json.loads(collector("shared", "list", "--json"))
    assert {(item["kind"], item["key"]) for item in items} == {
        ("flow", "office"),
        ("configuration", "rings"),
        ("contact", "+8613800138000"),
        ("contact", "+8613800138001"),
    }
    shown = json.loads(collector("shared", "show", "configuration", "rings", "--json", *company))
    assert (shown["body"], shown["refusals"]) == ({"value": 3}, [])
    collector("shared", "remove", "configuration", "rings", *company)
    assert json.loads(collector("shared", "conflicts", "--json")) == []
    assert "no company" in collector("shared", "set", "contact", "+861", "name=Li", "--company", "Other", status=1)
    told = json.loads(collector("erase", "+8613800138000", "--json", *company))
    assert told["counts"]["shared"] == 1
    (order,) = json.loads(collector("erasures", "list", "--json"))
    assert order["receipt"] == told["receipt"]
    assert "13800138000" not in json.dumps([order, told, json.loads(collector("shared", "list", "--json"))])
