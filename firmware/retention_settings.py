"""The retention section of the configuration: what becomes of audio that another place has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firmware.settings_section import Section


class RetentionSettings(Section):
    """Only audio that was delivered is ever removed; records stay."""

    delivered_audio_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """Delivered audio is removed here when it is older than this; none keeps it while there is room."""
    disk_high_percent: Annotated[float, Field(ge=10, le=99)] = 80.0
    """From so full a disk on, the oldest delivered audio goes (power-reference 3.2)."""
    disk_high_free_megabytes: Annotated[int, Field(ge=1)] | None = None
    """The same, said as the room that is left; the percentage does not count then."""
