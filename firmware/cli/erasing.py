"""Erasing what a caller asked to have erased. The lists are in `records`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from firmware.cli.frame import group, settings_of
from firmware.cli.records import messages

if TYPE_CHECKING:
    from pathlib import Path

    from firmware.storage.erasure import Receipt

_callers = group("callers", "people who called")


@messages.command("erase")
def messages_erase(context: typer.Context, message: str) -> None:
    """Erase one message, named by id or number, with its recording and transcript; services may run."""
    from firmware.clock import SystemClock
    from firmware.storage.erasure import erase_message

    settings = settings_of(context)
    _print(erase_message(settings.data_dir, message, SystemClock()), settings.backup.folder)


@_callers.command("erase")
def callers_erase(context: typer.Context, number: str) -> None:
    """Erase all that one number left, in every spelling: messages, recordings, requests, language, and who called."""
    from firmware.clock import SystemClock
    from firmware.storage.erasure import erase_caller

    settings = settings_of(context)
    _print(erase_caller(settings.data_dir, number, SystemClock(), settings.country), settings.backup.folder)


def _print(receipt: Receipt, backups: Path | None) -> None:
    erased = receipt.erased
    print(
        f"erased: {erased.messages} messages, {erased.recordings} recordings, {erased.callbacks} callback requests, "
        f"{erased.languages} remembered languages; {erased.calls} calls no longer say who called"
    )
    print(f"receipt {receipt.receipt}, {receipt.at}")
    for copy in receipt.copies:
        print(f"not erased in what was put aside: {copy}; remove it once nobody needs it")
    if backups is not None:
        print(f"backups in {backups} that were made before still hold it, until newer ones have replaced them")
