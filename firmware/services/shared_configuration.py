"""Settings that the company gives all its appliances: a few that can neither cut one off nor open it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firmware.durable_files import make_folder, plain_errors, write_durably
from firmware.errors import ConfigurationError, Problem
from firmware.journal import journal
from firmware.settings import Settings
from firmware.uplink_contract.shared_kinds import CONFIGURATION_KEYS

_MOST_BYTES = 10_000


def configuration_file(data_dir: Path) -> Path:
    """Where they lie; it need not exist."""
    return data_dir / "shared" / "configuration.json"


def with_shared(settings: Settings) -> Settings:
    """The configuration with what the company set; without it where that does not fit any more. Never raises."""
    values = shared_values(settings.data_dir)
    if not values:
        return settings
    try:
        return applied(settings, values)
    except ConfigurationError as error:
        journal("settings").warning("what the company set is not used", problem=str(error))
        return settings


def applied(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The configuration with these values by dotted name. Raises: ConfigurationError."""
    tree = settings.model_dump(mode="json")
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        (tree[section] if section else tree)[key] = value
    try:
        return Settings.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        problems = [Problem(".".join(map(str, one["loc"])), 0, one["msg"]) for one in error.errors()]
        raise ConfigurationError(problems) from error


def shared_values(data_dir: Path) -> dict[str, Any]:
    """What the company set, by dotted name. Never raises: what cannot be read counts as nothing."""
    try:
        with configuration_file(data_dir).open("rb") as file:
            values = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: values[name] for name in CONFIGURATION_KEYS & values.keys()} if isinstance(values, dict) else {}


def keep_value(settings: Settings, name: str, value: Any) -> None:
    """Set one, or with None let the file's own count again. Raises: ConfigurationError, StorageError."""
    values = {**shared_values(settings.data_dir), name: value}
    values = {key: kept for key, kept in values.items() if kept is not None}
    applied(settings, values)
    file = configuration_file(settings.data_dir)
    with plain_errors(file):
        make_folder(file.parent)
        write_durably(file, json.dumps(values).encode())
