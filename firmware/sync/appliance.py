"""Who delivers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Appliance:
    """`device` is its id for good; `name` is for people."""

    device: str
    name: str
    version: str = ""
