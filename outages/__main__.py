"""`python -m outages [--records N ...]`: delivery over a network that breaks, and a line of figures.

Needs root: it makes network namespaces, all of them inside one of its own that ends with it. Exit status 1 where
anything was lost, doubled, damaged, or left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.quiet import journal_to
from outages.backlog import Backlog, PastClock, make_backlog
from outages.careless import WAYS, programs
from outages.figures import Figures
from outages.laboratory import Order, run

_INSIDE = "LINEKEEPER_OUTAGES_INSIDE"
_NAMESPACE = (
    "unshare",
    "--net",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
_STEP = timedelta(milliseconds=50)


def main() -> int:
    """Start again in namespaces of its own, and work there."""
    options = _options()
    if os.geteuid() != 0:
        print("only root can make network namespaces; run this as root", file=sys.stderr)
        return 2
    if not os.environ.get(_INSIDE):
        # Become it: whoever ends this process ends all of them.
        command = [*_NAMESPACE, sys.executable, "-m", "outages", *sys.argv[1:]]
        os.execvpe(command[0], command, {**os.environ, _INSIDE: "1"})
    with tempfile.TemporaryDirectory(prefix="linekeeper-outages-") as folder:
        # PostgreSQL's user looks into folders below it.
        Path(folder).chmod(0o755)
        return _work(Path(folder), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m outages", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="about so many wait at the start")
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--breaks", type=int, default=50)
    parser.add_argument("--lasting", type=float, default=1.0, help="a factor for how long each break lasts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--blobs", choices=("folder", "s3"), action="append", help="both, one after the other, by default"
    )
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two calls or erasures meanwhile")
    parser.add_argument("--longest", type=float, default=1800.0, help="seconds after which a run is given up")
    parser.add_argument("--careless", choices=WAYS, help="run a sender or collector that is broken on purpose")
    parser.add_argument("--json", action="store_true", help="each run as one JSON value on a line")
    return parser.parse_args()


def _work(folder: Path, options: argparse.Namespace) -> int:
    data = folder / "data"
    data.mkdir()
    with journal_to(folder / "journal.txt"):
        backlog = asyncio.run(make_backlog(data, PastClock(_STEP), options.records, options.recordings, options.seed))
        runs = [_run(folder, data, backlog, options, blobs) for blobs in options.blobs or ("folder", "s3")]
    return 1 if any(figures.violations for figures in runs) else 0


def _run(folder: Path, data: Path, backlog: Backlog, options: argparse.Namespace, blobs: str) -> Figures:
    place = folder / blobs
    place.mkdir()
    sender, collector = programs(options.careless)
    order = Order(
        breaks=options.breaks,
        lasting=options.lasting,
        seed=options.seed,
        s3=blobs == "s3",
        pause_seconds=options.pause,
        longest_seconds=options.longest,
        sender=sender,
        collector=collector,
    )
    figures = asyncio.run(run(place, data, backlog, order))
    print(json.dumps(figures.as_json()) if options.json else figures.sentence(), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
