"""An acoustic model for wide-band sound, turned into one for the telephone band. Runs in the worker process only.

Pocketsphinx carries a model for 16 kHz sound; telephone sound has no power above 3.4 kHz, and the model takes that
emptiness for a feature of every word. A model is a set of mean cepstra, and cepstra are a linear image of the
logarithms of 25 mel filters. So the image is undone, the filters outside of the telephone band are left out, and the
image is made again with the rest: the result decodes 8 kHz sound as it is. `docs/speech.md` has the figures.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware.units import SAMPLE_RATE_HZ

Matrix = NDArray[np.float64]

# The wide-band model's front end: its feat.params (-lowerf, -upperf, -nfilt, -lifter) and 13 cepstra.
_LOWEST_HZ, _HIGHEST_HZ, _FILTERS, _LIFTER, _CEPSTRA = 130.0, 6800.0, 25, 22, 13
# Filters 2 to 17 span 283 to 3446 Hz. With more cepstra than these, what the wide-band model never knew is made up.
_FIRST_FILTER, _LAST_FILTER, _KEPT_CEPSTRA = 2, 17, 8
_UNCHANGED = ("mdef", "noisedict", "sendump", "transition_matrices")
# sphinxbase s3file.c: text header, byte-order mark, then the numbers.
_HEADER = b"s3\nversion 1.0\nendhdr\n"
_HEADER_END = b"endhdr\n"
_BYTE_ORDER = 0x11223344


def make_telephone_model(source: Path, target: Path, cepstral_mean: str) -> None:
    """Write the telephone form of the model in `source` to the folder `target`. Raises: OSError, ValueError."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _UNCHANGED:
        shutil.copy(source / name, target / name)
    change = _change()
    _write(target / "means", _read(source / "means") @ change.T)
    _write(target / "variances", _read(source / "variances") @ (change**2).T)
    (target / "feat.params").write_text(_parameters(cepstral_mean), encoding="ascii")


def _change() -> Matrix:
    """From the wide-band model's cepstra to those of the telephone band."""
    filters = _cosines(_FILTERS, _CEPSTRA).T / _lifter(_CEPSTRA)
    kept = filters[_FIRST_FILTER : _LAST_FILTER + 1]
    change: Matrix = _lifter(_KEPT_CEPSTRA)[:, None] * (_cosines(len(kept), _KEPT_CEPSTRA) @ kept)
    return change


def _cosines(filters: int, cepstra: int) -> Matrix:
    """The orthonormal cosine transform (`-transform dct`)."""
    at = np.arange(filters)
    matrix = np.cos(np.pi * np.arange(cepstra)[:, None] * (at + 0.5) / filters) * np.sqrt(2 / filters)
    matrix[0] = np.sqrt(1 / filters)
    return np.asarray(matrix, dtype=np.float64)


def _lifter(cepstra: int) -> Matrix:
    weights: Matrix = 1 + _LIFTER / 2 * np.sin(np.arange(cepstra) * np.pi / _LIFTER)
    return weights


def _edge_hz(number: int) -> float:
    """Where a mel filter begins."""
    low, high = _mel(_LOWEST_HZ), _mel(_HIGHEST_HZ)
    mel = low + number * (high - low) / (_FILTERS + 1)
    return float(700 * (10 ** (mel / 2595) - 1))


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _parameters(cepstral_mean: str) -> str:
    kept = _KEPT_CEPSTRA
    values = {
        "lowerf": f"{_edge_hz(_FIRST_FILTER):.4f}",
        "upperf": f"{_edge_hz(_LAST_FILTER + 2):.4f}",
        "nfilt": _LAST_FILTER - _FIRST_FILTER + 1,
        "transform": "dct",
        "lifter": _LIFTER,
        "feat": "1s_c_d_dd",
        "svspec": f"0-{kept - 1}/{kept}-{2 * kept - 1}/{2 * kept}-{3 * kept - 1}",
        "agc": "none",
        "cmn": "live",
        "cmninit": cepstral_mean,
        "varnorm": "no",
        "model": "ptm",
        "remove_noise": "yes",
        "ncep": kept,
        "ceplen": kept,
        "samprate": SAMPLE_RATE_HZ,
    }
    return "".join(f"-{name} {value}\n" for name, value in values.items())


def _read(path: Path) -> Matrix:
    content = path.read_bytes()
    at = content.index(_HEADER_END) + len(_HEADER_END)
    mark, codebooks, streams, densities = struct.unpack_from("<4i", content, at)
    lengths = struct.unpack_from(f"<{streams}i", content, at + 16)
    if mark != _BYTE_ORDER or set(lengths) != {_CEPSTRA}:
        raise ValueError(f"{path} is no file of Gaussians with {_CEPSTRA} cepstra in each stream")
    shape = (codebooks, streams, densities, _CEPSTRA)
    # A checksum may follow the numbers.
    values = np.frombuffer(content, "<f4", count=int(np.prod(shape)), offset=at + 20 + 4 * streams)
    matrix: Matrix = values.reshape(shape).astype(np.float64)
    return matrix


def _write(path: Path, values: Matrix) -> None:
    codebooks, streams, densities, length = values.shape
    sizes = struct.pack(
        f"<{5 + streams}i", _BYTE_ORDER, codebooks, streams, densities, *[length] * streams, values.size
    )
    path.write_bytes(_HEADER + sizes + values.astype("<f4").tobytes())
