"""What breaks, when, and for how long: a plan from a seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


class Kind(Enum):
    """A way to break."""

    LINK = "link cut"
    SILENCE = "silent drop"
    LOSS = "30 % loss"
    SLOW = "64 kbit/s"
    SENDER = "sender killed"
    COLLECTOR = "collector killed"
    DATABASE = "PostgreSQL killed"


class Moment(Enum):
    """An instant on the wire that a break can wait for."""

    ANY = "any time"
    MID_BLOB = "in the middle of a part of audio"
    MID_BATCH = "in the middle of a batch"
    STORING = "while the collector has the batch"
    COMMITTED = "between commit and answer"
    BLOB_KEPT = "between the last part and its answer"


@dataclass(frozen=True, slots=True)
class Break:
    """`share` is how much of the work is done by then; `delay_seconds` runs from the moment on."""

    share: float
    kind: Kind
    moment: Moment
    delay_seconds: float
    lasts_seconds: float


# The least and most seconds that each lasts. A slow or lossy wire must last, or nothing is under way in it.
_LASTS = {
    Kind.LINK: (0.2, 4.0),
    Kind.SILENCE: (0.5, 6.0),
    Kind.LOSS: (2.0, 8.0),
    Kind.SLOW: (2.0, 8.0),
    Kind.SENDER: (0.0, 1.0),
    Kind.COLLECTOR: (0.0, 2.0),
    Kind.DATABASE: (0.0, 2.0),
}
_WITHIN_SECONDS = 0.02


def plan(seed: int, count: int, lasting: float = 1.0) -> list[Break]:
    """So many breaks in order of their share; every kind and every moment comes, where there are enough.

    `lasting` makes all of them longer or shorter.
    """
    choose = random.Random(seed)
    kinds = _shuffled(choose, list(Kind), count)
    moments = _shuffled(choose, list(Moment), count)
    shares = sorted(choose.uniform(0.01, 0.97) for _ in range(count))
    return [
        Break(
            share,
            kind,
            moment,
            choose.choice((0.0, choose.uniform(0, _WITHIN_SECONDS))),
            lasting * choose.uniform(*_LASTS[kind]),
        )
        for share, kind, moment in zip(shares, kinds, moments, strict=True)
    ]


def _shuffled(choose: random.Random, every: Sequence[T], count: int) -> list[T]:
    many = [every[number % len(every)] for number in range(count)]
    choose.shuffle(many)
    return many
