"""`python -m benchmarks.waveforms` draws shipped prompts, so that anyone can see how even and how loud they are.

Plain SVG, made from the samples alone: the same prompts give the same bytes, and a test compares.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from firmware.audio.catalogue import LANGUAGES, default_folder, load_catalogue
from firmware.audio.files import wav_path
from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.audio.sound_rules import HIGHEST_DBFS, HIGHEST_PEAK_DBFS, LOWEST_DBFS
from firmware.audio.wav_files import load_s16
from firmware.pcm import SampleFormat, level_dbfs, to_array
from firmware.units import samples_to_seconds, seconds_to_samples

PICTURED = ("greeting", "main_menu_spoken", "digit_7")
"""Plain sentences, the longest menu, and one short word."""
PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"

_WIDTH, _HEIGHT = 900, 412
_LEFT, _RIGHT = 52, 818
# The wave: full height is a little more than the peak limit, so that a peak above it would show.
_WAVE_MIDDLE, _WAVE_HALF, _WAVE_FULL = 148, 82, 10 ** (-4 / 20)
# The level of each 20 ms below it, from 0 dBFS down.
_LEVEL_TOP, _LEVEL_BOTTOM, _LOWEST_SHOWN_DBFS = 250, 368, -60.0
_FRAME_BYTES = 2 * seconds_to_samples(0.02)
_CAPTION_LETTERS = {"zh": 58, "en": 118}
_LEGEND = (
    "seconds. Above, in dBFS: the samples, and the highest peak allowed (red); "
    "the level of each 20 ms, the active level, and the band for it (green)"
)
_STYLE = """\
  <style>
    text { fill: #1f2328; }
    .small { font-size: 12px; fill: #424a53; }
    .axis { stroke: #8c959f; fill: none; }
    .grid { stroke: #d8dee4; }
    .wave { stroke: #0969da; fill: none; }
    .limit { stroke: #cf222e; stroke-dasharray: 5 4; }
    .band { fill: #dafbe1; }
    .active { stroke: #1a7f37; stroke-width: 2; }
    .level { stroke: #57606a; fill: none; }
  </style>"""


def picture(language: str, prompt: str, text: str, s16: bytes) -> str:
    """The SVG of one prompt: its words, its wave against the peak limit, its level against the band that we keep."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        _STYLE,
        f'  <rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_caption(language, prompt, text),
        *_wave(s16),
        *_levels(s16),
        *_time_axis(samples_to_seconds(len(s16) // 2)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def draw_all(folder: Path) -> list[Path]:
    """Write all pictures into a folder. Raises: ConfigurationError, NotAWav, OSError."""
    prompts = default_folder()
    catalogue = load_catalogue(prompts)
    drawn = []
    for language in LANGUAGES:
        for prompt in PICTURED:
            path = folder / f"prompt-{language}-{prompt}.svg"
            s16 = load_s16(wav_path(prompts, (language, prompt)))
            path.write_text(picture(language, prompt, catalogue.prompts[prompt].texts[language], s16), encoding="utf-8")
            drawn.append(path)
    return drawn


def _caption(language: str, prompt: str, text: str) -> Iterator[str]:
    yield f'  <text x="{_LEFT}" y="22" font-size="14" font-weight="bold">{language}/{prompt}</text>'
    for row, line in enumerate(textwrap.wrap(text, _CAPTION_LETTERS[language])):
        yield f'  <text x="{_LEFT}" y="{40 + 16 * row}" font-size="13">{escape(line)}</text>'


def _wave(s16: bytes) -> Iterator[str]:
    yield f'  <path class="wave" d="{"".join(_columns(s16))}"/>'
    limit = 10 ** (HIGHEST_PEAK_DBFS / 20)
    for amplitude in (limit, -limit):
        y = _wave_y(amplitude)
        yield f'  <path class="limit" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield _label(y, f"{HIGHEST_PEAK_DBFS:.0f}")
    yield _label(_WAVE_MIDDLE, "dBFS")
    yield _note(_wave_y(limit), f"peak {_figure(peak_dbfs(s16))}")


def _columns(s16: bytes) -> Iterator[str]:
    """One upright stroke for each column, from the lowest to the highest sample in it."""
    samples = to_array(s16)
    columns = _RIGHT - _LEFT
    for column in range(columns):
        # The last sample of the neighbour joins the strokes into one line where a column has few of its own.
        first, after = len(samples) * column // columns, len(samples) * (column + 1) // columns
        part = samples[max(first - 1, 0) : max(after, first + 1)]
        top, bottom = _wave_y(max(part) / 32768), _wave_y(min(part) / 32768)
        yield f"M{_LEFT + column + 0.5} {top:.1f}V{max(bottom, top + 0.5):.1f}"


def _levels(s16: bytes) -> Iterator[str]:
    top, bottom = _level_y(HIGHEST_DBFS), _level_y(LOWEST_DBFS)
    yield f'  <rect class="band" x="{_LEFT}" y="{top:.1f}" width="{_RIGHT - _LEFT}" height="{bottom - top:.1f}"/>'
    for dbfs in (0, -20, -40, -60):
        y = _level_y(dbfs)
        yield f'  <path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield _label(y, f"{dbfs}")
    yield f'  <path class="level" d="{_level_path(s16)}"/>'
    active = active_level_dbfs(s16)
    yield f'  <path class="active" d="M{_LEFT} {_level_y(active):.1f}H{_RIGHT}"/>'
    yield _note(_level_y(active), f"active {_figure(active)}")


def _level_path(s16: bytes) -> str:
    frames = [s16[at : at + _FRAME_BYTES] for at in range(0, len(s16), _FRAME_BYTES)]
    step = (_RIGHT - _LEFT) * _FRAME_BYTES / len(s16)
    levels = (_level_y(level_dbfs(frame, SampleFormat.S16)) for frame in frames)
    return "M" + "L".join(f"{min(_LEFT + step * (at + 0.5), _RIGHT):.1f} {y:.1f}" for at, y in enumerate(levels))


def _time_axis(seconds: float) -> Iterator[str]:
    yield f'  <path class="axis" d="M{_LEFT} {_LEVEL_BOTTOM}H{_RIGHT}"/>'
    step = 0.1 if seconds < 2 else 1.0
    for mark in range(int(seconds / step) + 1):
        x = _LEFT + (_RIGHT - _LEFT) * mark * step / seconds
        yield f'  <path class="axis" d="M{x:.1f} {_LEVEL_BOTTOM}v5"/>'
        at = f'x="{x:.1f}" y="{_LEVEL_BOTTOM + 19}"'
        yield f'  <text class="small" {at} text-anchor="middle">{mark * step:g}</text>'
    place = f'x="{(_LEFT + _RIGHT) / 2:.0f}" y="{_HEIGHT - 6}"'
    yield f'  <text class="small" {place} text-anchor="middle">{_LEGEND}</text>'


def _wave_y(amplitude: float) -> float:
    return _WAVE_MIDDLE - _WAVE_HALF * amplitude / _WAVE_FULL


def _level_y(dbfs: float) -> float:
    return _LEVEL_TOP + (_LEVEL_BOTTOM - _LEVEL_TOP) * max(dbfs, _LOWEST_SHOWN_DBFS) / _LOWEST_SHOWN_DBFS


def _figure(dbfs: float) -> str:
    return f"{dbfs:.1f}"


def _label(y: float, text: str) -> str:
    return f'  <text class="small" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'


def _note(y: float, text: str) -> str:
    return f'  <text class="small" x="{_RIGHT + 4}" y="{y + 4:.1f}">{text}</text>'


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    for made in draw_all(PICTURES):
        sys.stdout.write(f"{made.relative_to(PICTURES.parents[1])}, {made.stat().st_size / 1000:.0f} kB\n")
