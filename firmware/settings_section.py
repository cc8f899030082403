"""What every section of the configuration shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """One part of the file: frozen, typed strictly, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _whole_path(folder: Path) -> Path:
    # A relative path would mean another place for every service and every command.
    if not folder.is_absolute():
        raise ValueError(f"{folder} is no whole path; begin it with /")
    return folder


Folder = Annotated[Path, AfterValidator(_whole_path)]
