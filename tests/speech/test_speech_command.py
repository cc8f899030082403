"""`linekeeper speech`, as a technician gives it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.speech.model_site import NAME, Site, archive, serving

COMMAND = "import firmware.cli.speech; from firmware.cli import main; main()"


async def linekeeper(folder: Path, speech: str, *arguments: str) -> tuple[int, str, str]:
    configuration = folder / "linekeeper.yaml"
    configuration.write_text(
        f"data_dir: {folder}\nrun_dir: {folder}\nlanguages: [en]\nlines: [{{name: one, port: auto}}]\n{speech}"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, "--config", str(configuration), "speech", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def test_fetch_brings_a_model_and_the_lines_for_the_configuration(tmp_path: Path) -> None:
    with serving(Site(archive())) as site:
        status, out, _ = await linekeeper(tmp_path, "", "fetch", "--base-url", site.url)
        assert status == 0
        assert out.endswith(f"speech:\n  engine: vosk\n  models:\n    en: {tmp_path}/speech/{NAME}\n")
        assert (tmp_path / "speech" / NAME / "am/final.mdl").exists()
        site.status = 503  # a second time nothing is asked for
        status, again, _ = await linekeeper(tmp_path, "", "fetch", "--base-url", site.url)
        assert (status, again) == (0, out)


async def test_fetch_without_a_network_fails_with_what_to_do(tmp_path: Path) -> None:
    with serving(Site(b"")) as closed:
        pass
    status, out, error = await linekeeper(tmp_path, "", "fetch", "--base-url", closed.url)
    assert status == 1
    assert out == ""
    assert "on another computer download" in error


async def test_check_tells_what_a_model_does_not_know(tiny_model: Path, tmp_path: Path) -> None:
    speech = f"speech:\n  engine: vosk\n  models:\n    en: {tiny_model}\n"
    status, out, error = await linekeeper(tmp_path, speech, "check")
    assert status == 1
    assert out == "understood: en\n"
    assert "the speech model for English does not know: " in error


async def test_check_of_a_broken_model_fails(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    speech = f"speech:\n  engine: vosk\n  models:\n    en: {tmp_path}/model\n"
    status, out, error = await linekeeper(tmp_path, speech, "check")
    assert status == 1
    assert out == "understood: nothing\n"
    assert "not complete" in error


async def test_check_without_speech_is_good(tmp_path: Path) -> None:
    status, out, _ = await linekeeper(tmp_path, "", "check")
    assert status == 0
    assert "engine` is none" in out
