"""Documents that are made from the code, or that name parts of it, stay true."""

from __future__ import annotations

import re
from pathlib import Path

from firmware.ivr.loader import load_flow
from firmware.ivr.machine import draw_mermaid

ROOT = Path(__file__).parent.parent


def test_drawn_call_flow_is_the_machine_that_calls_run_on() -> None:
    drawn = draw_mermaid(load_flow("builtin:office"))
    document = (ROOT / "docs" / "call-flow.md").read_text(encoding="utf-8")
    assert drawn.strip() in document, "run: linekeeper flow draw builtin:office, and put it into docs/call-flow.md"


def test_modules_named_in_the_architecture_exist() -> None:
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package, row in re.findall(r"^\| `(\w+)/` \| ([^|]+)", document, re.MULTILINE):
        names = [name for name in re.findall(r"`([a-z_]+)/?`", row) if name != package]
        assert names, package
        for name in names:
            folder = ROOT / "firmware" / package
            assert (folder / f"{name}.py").exists() or (folder / name).is_dir(), f"{package}/{name}"


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("hil/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
