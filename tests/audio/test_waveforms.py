"""The pictures in docs/ are those of the prompts that callers hear."""

from __future__ import annotations

import math
import re
from array import array
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.waveforms import PICTURED, PICTURES, draw_all, picture
from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.pcm import from_array

SVG = "{http://www.w3.org/2000/svg}"
FILES = [PICTURES / f"prompt-{language}-{prompt}.svg" for language in ("zh", "en") for prompt in PICTURED]
# Where the wave's picture has its middle and, above it, the peak limit of -6 dBFS.
COLUMN = re.compile(r"M([\d.]+) ([\d.]+)V([\d.]+)")


def tone(peak: float, seconds: float = 1.0) -> bytes:
    samples = (round(32767 * peak * math.sin(2 * math.pi * 500 * at / 8000)) for at in range(int(8000 * seconds)))
    return from_array(array("h", samples))


def part(svg: str, style: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f"{SVG}path[@class='{style}']")


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def limits(svg: str) -> list[float]:
    return [float(re.findall(r"[\d.]+", line.attrib["d"])[1]) for line in part(svg, "limit")]


def test_the_committed_pictures_are_those_of_the_shipped_prompts(tmp_path: Path) -> None:
    drawn = draw_all(tmp_path)
    assert sorted(path.name for path in drawn) == sorted(path.name for path in FILES)
    for path in drawn:
        assert path.read_bytes() == (PICTURES / path.name).read_bytes(), "run: python -m benchmarks.waveforms"


def test_three_prompts_in_each_language_are_shown() -> None:
    document = (PICTURES.parent / "prompts.md").read_text(encoding="utf-8")
    assert len(FILES) == 6
    assert all(f"(pictures/{path.name})" in document for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_shows_words_and_level(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")
    assert len(svg.encode()) < 40_000
    _, language, prompt = path.stem.split("-")
    assert load_catalogue(default_folder()).prompts[prompt].texts[language].split(" ")[0] in "".join(texts(svg))
    assert any(re.fullmatch(r"active -(19|20|21)\.\d", text) for text in texts(svg))


def test_a_wave_at_the_limit_reaches_its_line() -> None:
    svg = picture("en", "tone", "a tone", tone(10 ** (-6 / 20)))
    upper, lower = limits(svg)
    columns = COLUMN.findall(part(svg, "wave")[0].attrib["d"])
    assert min(float(top) for _, top, _ in columns) == pytest.approx(upper, abs=0.6)
    assert max(float(bottom) for _, _, bottom in columns) == pytest.approx(lower, abs=0.6)


def test_a_wave_above_the_limit_shows_above_its_line() -> None:
    svg = picture("en", "tone", "a tone", tone(10 ** (-5 / 20)))
    columns = COLUMN.findall(part(svg, "wave")[0].attrib["d"])
    assert min(float(top) for _, top, _ in columns) < min(limits(svg)) - 4


def test_the_level_is_told_in_figures() -> None:
    svg = picture("en", "tone", "a tone", tone(0.1))
    assert {"peak -20.0", "active -23.0"} <= set(texts(svg))


def test_the_shortest_sound_fills_the_picture() -> None:
    svg = picture("en", "click", "a click", tone(0.1, seconds=0.03))
    assert len(COLUMN.findall(part(svg, "wave")[0].attrib["d"])) > 700


def test_words_with_marks_stay_words() -> None:
    assert "<now> & here" in texts(picture("en", "marks", "<now> & here", tone(0.1)))
