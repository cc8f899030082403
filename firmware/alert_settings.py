"""The alerts section of the configuration: who is told of incidents, after how long, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware.email_settings import Address
from firmware.settings_section import Folder, Section
from firmware.sync_settings import Url

_MOST_STEPS = 10


class AlertHook(Section):
    """A web hook that is told of incidents."""

    url: Url
    secret_file: Folder
    """A file with the secret that requests are signed with."""


class AlertStep(Section):
    """Who is told when an incident has lasted so long. Requirement C6 has 0, 5, 10 and 60 minutes."""

    after_minutes: Annotated[float, Field(ge=0, le=10_080)]
    email: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    webhook: AlertHook | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.email and self.webhook is None:
            raise ValueError("this step tells nobody; give it email or webhook, or leave it out")
        return self


class AlertSettings(Section):
    """A ladder: each step tells more people, as long as the incident is open."""

    steps: Annotated[tuple[AlertStep, ...], Field(max_length=_MOST_STEPS)] = ()
    quiet_kinds: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=100)] = ()
    """Kinds of incidents that nobody is told of."""
    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(max_length=2)] = ()
    """The office's languages otherwise."""
    most_per_hour: Annotated[int, Field(ge=1, le=1000)] = 4
    """Faults of one kind at one place that a step tells one by one; more of them come in one summary."""

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        minutes = [step.after_minutes for step in self.steps]
        if minutes != sorted(set(minutes)):
            raise ValueError("each step comes later than the one before it")
        return self

    @property
    def needs_mail(self) -> bool:
        """Whether any step tells people by mail."""
        return any(step.email for step in self.steps)
