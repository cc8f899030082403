"""Flows that the company shares: `flow: shared:NAME` in the configuration follows one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, default_folder, load_catalogue
from firmware.audio.own_versions import own_files, own_folder
from firmware.durable_files import make_folder, plain_errors, remove_durably, write_durably
from firmware.errors import ConfigurationError, ServiceAbsent
from firmware.ivr.flow import Flow
from firmware.ivr.loader import Prompts, load_flow, parse_flow
from firmware.journal import journal
from firmware.settings import Settings

SHARED = "shared:"
FALLBACK = "builtin:office"
"""Until the shared flow is there."""
RELOAD = "reload_flow"
"""The action of `calls`."""


def flow_file(data_dir: Path, name: str) -> Path:
    """Where a shared flow lies once it came."""
    return data_dir / "shared" / "flows" / f"{name}.yaml"


def chosen_flow(settings: Settings, prompts: Prompts) -> Flow:
    """The flow that the configuration names; the built-in one while a shared one is not there or cannot be used.

    Raises: ConfigurationError.
    """
    if not settings.flow.startswith(SHARED):
        return load_flow(settings.flow, prompts, settings.time_zone)
    file = flow_file(settings.data_dir, settings.flow.removeprefix(SHARED))
    if not file.exists():
        journal("flow").info("callers hear the built-in flow until the collector sends theirs", flow=settings.flow)
        return load_flow(FALLBACK, prompts, settings.time_zone)
    try:
        return load_flow(str(file), prompts, settings.time_zone)
    except ConfigurationError as error:
        journal("flow").warning("callers hear the built-in flow", flow=settings.flow, problem=str(error))
        return load_flow(FALLBACK, prompts, settings.time_zone)


def keep_flow(settings: Settings, name: str, text: str) -> None:
    """Check a flow and put it in place of the last one. Raises: ConfigurationError, StorageError."""
    parse_flow(name, text, _known_prompts(settings.data_dir), settings.time_zone)
    file = flow_file(settings.data_dir, name)
    with plain_errors(file):
        make_folder(file.parent)
        write_durably(file, text.encode("utf-8"))


def remove_flow(file: Path) -> None:
    """Nothing happens where there is none. Raises: StorageError."""
    with plain_errors(file):
        if file.parent.is_dir():
            remove_durably(file)


async def reload_flow(ask: Callable[..., Awaitable[object]]) -> None:
    """Let calls that begin from now on follow the new one; a service that does not run reads it at its start.

    Raises: ServiceError.
    """
    try:
        await ask("calls", RELOAD)
    except ServiceAbsent:
        return


def _known_prompts(data_dir: Path) -> Mapping[str, frozenset[str]]:
    """By language; only names, no sound."""
    ours = own_folder(data_dir)
    known = frozenset(load_catalogue(default_folder()).prompts)
    with plain_errors(ours):
        known |= {prompt for _, prompt in own_files(ours)} if ours.is_dir() else frozenset()
    return dict.fromkeys(LANGUAGES, known)
