"""`python -m cuts [POINTS] [--only NAME]`: cuts the store's work short, and prints a line of figures.

Needs root: it mounts file systems, in a mount namespace of its own. Exit status 1 where anything acknowledged was lost.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cuts.cut import Shim, compile_shim
from cuts.disk import Disk
from cuts.matrix import Cut, Trial, run
from cuts.workload import Workload
from cuts.workloads import broken, workloads
from firmware.journal import open_journal

_INSIDE = "LINEKEEPER_CUTS_FOLDER"
_SHOWN = 20


def main() -> int:
    """Start again in a mount namespace of its own with the shim loaded, and cut there."""
    options = _options()
    if folder := os.environ.get(_INSIDE):
        return _cut(Path(folder), options)
    with tempfile.TemporaryDirectory() as made:
        library = compile_shim(Path(made))
        environment = {**os.environ, "LD_PRELOAD": str(library), _INSIDE: made}
        namespace = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "cuts", *sys.argv[1:]]
        return subprocess.run(namespace, env=environment, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cuts", description=__doc__)
    parser.add_argument("points", nargs="?", type=int, default=240, help="how many cuts, in all")
    parser.add_argument("--only", action="append", default=[], help="a workload by name; may be given again")
    parser.add_argument("--json", action="store_true", help="the figures and every violation as one JSON value")
    parser.add_argument("--broken", action="store_true", help="cut a store that is broken on purpose")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Workload]:
    every = broken.workloads() if options.broken else workloads()
    return [workload for workload in every if workload.name in options.only or not options.only]


def _cut(folder: Path, options: argparse.Namespace) -> int:
    began = time.monotonic()
    shim = Shim()
    images = folder / "images"
    images.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(images)], check=True)
    # What the store has to say of its accidents is expected here, and told by the hundred.
    open_journal(stream=io.StringIO())
    trials = [Trial(workload, Disk(images, workload.name), shim) for workload in _chosen(options)]
    for trial in trials:
        trial.prepare()
    cuts = list(run(trials, options.points))
    bad = [cut for cut in cuts if cut.violations]
    figures = {
        "points": len(cuts),
        "violations": len(bad),
        "seconds": round(time.monotonic() - began, 1),
        "calls": {trial.workload.name: trial.points for trial in trials},
        "kinds": Counter(cut.kind.name.lower() for cut in cuts),
        "found": [str(cut) for cut in bad],
    }
    print(json.dumps(figures) if options.json else _sentence(figures, cuts, bad))
    return 1 if bad else 0


def _sentence(figures: dict[str, object], cuts: list[Cut], bad: list[Cut]) -> str:
    told = [str(cut) for cut in bad[:_SHOWN]]
    works = ", ".join(f"{name} {count}" for name, count in Counter(cut.workload for cut in cuts).items())
    last = f"{figures['points']} cut points ({works}), {figures['violations']} violations, {figures['seconds']} s"
    return "\n".join([*told, last])


if __name__ == "__main__":
    sys.exit(main())
