"""The sync section of the configuration: where records are delivered, and how gently."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from firmware.settings_section import Folder, Section

_NEEDED = {"off": (), "webhook": ("url", "secret_file"), "collector": ("url",), "folder": ("path",)}
_ALLOWED = {
    "off": (),
    "webhook": ("url", "secret_file"),
    "collector": ("url", "claim", "claim_file"),
    "folder": ("path",),
}


def _off_without_quotes(value: object) -> object:
    # YAML reads a bare `off` as false.
    return "off" if value is False else value


Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=500)]
"""Without user, password, query or fragment."""


class SyncSettings(Section):
    """Where records are delivered."""

    mode: Annotated[Literal["off", "webhook", "collector", "folder"], BeforeValidator(_off_without_quotes)] = "off"
    url: Url | None = None
    """webhook, collector: where. Plain http is for this machine itself only."""
    secret_file: Folder | None = None
    """webhook: a file with the secret that requests are signed with."""
    claim: Annotated[str, Field(min_length=8, max_length=64)] | None = None
    """collector: the one-time code that this appliance enrols with. Of no use to anybody afterwards."""
    claim_file: Folder | None = None
    """collector: a file with that code, instead."""
    path: Folder | None = None
    """folder: a USB stick or a network share."""
    same_disk: bool = False
    """folder: whether it may be on the disk of the records. Otherwise that says that the stick is not plugged in."""
    proxy: Url | None = None
    """An HTTP proxy; the environment's otherwise."""
    authority_file: Folder | None = None
    """PEM of the authority that signed the far end's TLS certificate, where that is no public one."""
    most_kilobytes_per_second: Annotated[float, Field(gt=0)] | None = None
    """So that telephone lines over the same connection, and the office, keep theirs."""
    spread_seconds: Annotated[float, Field(ge=0, le=3600)] = 600.0
    """After a long outage, wait a random part of this, so that a whole region does not come at once."""
    request_timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 60.0
    refusals: Annotated[int, Field(ge=1, le=1000)] = 5
    """A record that is refused so often is set aside for a person."""
    health_every_seconds: Annotated[float, Field(ge=1, le=86_400)] = 3600.0
    """How often the appliance says how it is."""

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        for key in _NEEDED[self.mode]:
            if getattr(self, key) is None:
                raise ValueError(f"mode {self.mode} needs {key}")
        for key in ("url", "secret_file", "claim", "claim_file", "path"):
            if getattr(self, key) is not None and key not in _ALLOWED[self.mode]:
                raise ValueError(f"{key} means nothing in mode {self.mode}")
        if self.same_disk and self.mode != "folder":
            raise ValueError(f"same_disk means nothing in mode {self.mode}")
        if self.claim and self.claim_file:
            raise ValueError("claim and claim_file are two ways to say the same; keep one")
        return self
