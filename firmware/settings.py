"""The configuration file: a frozen typed tree, checked once, with every mistake told at once.

Fixed points: the section and key names below are relied on by installers and the rig; add, never rename.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from firmware.alert_settings import AlertSettings
from firmware.email_settings import EmailSettings
from firmware.errors import ConfigurationError, Problem
from firmware.power_settings import PowerSettings
from firmware.retention_settings import RetentionSettings
from firmware.settings_section import Folder, Section
from firmware.sync_settings import SyncSettings
from firmware.yaml_source import Path, YamlSource, did_you_mean, parse_yaml

AUTO = "auto"
Language = Literal["zh", "en"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'no time zone is called "{name}"; a name like Asia/Shanghai is needed') from error
    return name


class LineSettings(Section):
    """One telephone line."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    """How records and people call this line."""
    port: Annotated[str, Field(min_length=1)]
    """Any tty, best a stable one below /dev/serial/by-path; or "auto" for a modem nobody else was given."""
    profile: str = AUTO
    """Chipset profile by file name, or "auto" to ask the modem."""
    triple_dle: bool | None = None
    """Overrides the profile where a modem leaves voice data only on three DLEs (modem-reference 6.3)."""


class OfficeSettings(Section):
    """The office pages."""

    listen: Annotated[str, Field(pattern=r"^[^\s:]+:\d{1,5}$")] = "127.0.0.1:8080"
    """Host and port."""


class SpeechSettings(Section):
    """What understands speech."""

    engine: Literal["none", "pocketsphinx", "vosk"] = "none"
    models: dict[Language, Folder] = Field(default_factory=dict)
    """A model's folder per language. pocketsphinx carries an English one; vosk models come by `speech fetch`."""
    confirm_below: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Words that were understood with less confidence are confirmed with the caller."""
    ignore_below: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Words with less confidence than this count as not understood."""
    end_silence_seconds: Annotated[float, Field(ge=0.2, le=3)] = 0.6
    """Silence after which an answer is over."""
    longest_answer_seconds: Annotated[float, Field(ge=1, le=30)] = 6.0
    transcripts: bool = True
    """Write down messages after the call, where the language has a model."""


class CallSettings(Section):
    """Limits of one call; every figure is a default of the requirements."""

    longest_seconds: Annotated[float, Field(ge=30, le=7200)] = 900.0
    """A call is ended in good form after this time, whatever the caller does."""
    longest_message_seconds: Annotated[float, Field(ge=5, le=1800)] = 180.0
    silence_ends_message_seconds: Annotated[float, Field(ge=1, le=60)] = 5.0
    silence_below_dbfs: Annotated[float, Field(ge=-60, le=-10)] = -38.0
    """Audio quieter than this counts as silence; the noise of 8-bit samples lies near -50."""
    no_input_seconds: Annotated[float, Field(ge=1, le=30)] = 5.0
    """Silence after a prompt that counts as no answer."""
    keep_free_megabytes: Annotated[int, Field(ge=1)] = 64
    """Below this much free disk no new voice is taken; callback digits still are."""


class BackupSettings(Section):
    """Where backups go every week, and before an update."""

    folder: Folder | None = None
    """A mounted USB stick or any other folder; none where nobody wants backups by themselves."""
    keep: Annotated[int, Field(ge=1, le=1000)] = 5
    """So many of the newest stay."""
    same_disk: bool = False
    """Whether the folder may be on the disk of the records. Otherwise that says that the stick is not plugged in."""


def _some_lines(lines: tuple[LineSettings, ...]) -> tuple[LineSettings, ...]:
    if not lines:
        raise ValueError("no lines are configured")
    return lines


def _some_languages(languages: tuple[Language, ...]) -> tuple[Language, ...]:
    if not languages:
        raise ValueError("no languages are configured")
    return languages


class Settings(Section):
    """The whole file."""

    data_dir: Folder
    run_dir: Folder
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CN"
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    languages: Annotated[tuple[Language, ...], AfterValidator(_some_languages)] = ("zh", "en")
    rings: Annotated[int, Field(ge=1, le=9)] = 2
    lines: Annotated[tuple[LineSettings, ...], AfterValidator(_some_lines)]
    flow: Annotated[str, Field(min_length=1)] = "builtin:office"
    calls: CallSettings = CallSettings()
    office: OfficeSettings = OfficeSettings()
    power: PowerSettings = PowerSettings()
    sync: SyncSettings = SyncSettings()
    email: EmailSettings = EmailSettings()
    alerts: AlertSettings = AlertSettings()
    speech: SpeechSettings = SpeechSettings()
    backup: BackupSettings = BackupSettings()
    retention: RetentionSettings = RetentionSettings()

    @model_validator(mode="after")
    def _alerts_have_a_mail_server(self) -> Self:
        if self.alerts.needs_mail and self.email.server is None:
            raise ValueError("alerts by email need email.server and email.sender")
        return self


def load_settings(path: FilePath) -> Settings:
    """Read and check the file.

    Raises: ConfigurationError with every mistake and its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(path), 0, f"cannot be read: {error}")]) from error
    return parse_settings(str(path), text)


def parse_settings(name: str, text: str) -> Settings:
    """Check configuration text. Raises: ConfigurationError."""
    problems: list[Problem] = []
    source = parse_yaml(name, text, problems)
    if not isinstance(source.value, dict):
        raise ConfigurationError([*problems, Problem(name, 0, "it holds no settings")])
    problems += _used_twice(source, source.value)
    try:
        settings = Settings.model_validate_json(_as_json(source.value))
    except ValidationError as error:
        problems += [_problem(source, details) for details in error.errors()]
        raise ConfigurationError(problems) from error
    if problems:
        raise ConfigurationError(problems)
    return settings


def _used_twice(source: YamlSource, value: dict[Any, Any]) -> Iterator[Problem]:
    """Names, ports and languages that stand twice, told at their second place."""
    lines = _list_of(value.get("lines"))
    for key in ("name", "port"):
        named = [(("lines", at, key), line.get(key)) for at, line in enumerate(lines) if isinstance(line, dict)]
        yield from _second_places(source, f"this line {key}", [(place, word) for place, word in named if word != AUTO])
    languages = [(("languages", at), word) for at, word in enumerate(_list_of(value.get("languages")))]
    yield from _second_places(source, "this language", languages)


def _second_places(source: YamlSource, what: str, named: Sequence[tuple[Path, object]]) -> Iterator[Problem]:
    seen: list[object] = [None]
    for place, word in named:
        if word in seen[1:]:
            yield source.problem(place, f"{what} is used twice: {word}")
        seen.append(word)


def _list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_json(value: object) -> str:
    # Strict mode still takes a JSON array for a tuple and a JSON string for a path, and nothing else by accident.
    return json.dumps(value, default=str)


def _problem(source: YamlSource, details: Any) -> Problem:
    place = tuple(details["loc"])
    text = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        word = str(place[-1])
        return source.problem(place, f'unknown key "{word}"{did_you_mean(word, _keys_at(place[:-1]))}')
    if details["type"] == "missing":
        return source.problem(place[:-1], f'"{place[-1]}" is missing')
    return source.problem(place, f"{'.'.join(map(str, place))}: {text}" if place else text)


def _keys_at(place: tuple[str | int, ...]) -> list[str]:
    section: type[BaseModel] = Settings
    for step in place:
        if isinstance(step, str):
            section = _section_type(section.model_fields[step].annotation)
    return list(section.model_fields)


def _section_type(annotation: Any) -> type[BaseModel]:
    if get_origin(annotation) in (tuple, types.UnionType):
        annotation = get_args(annotation)[0]
    assert isinstance(annotation, type)
    return annotation
