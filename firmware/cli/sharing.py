"""What all appliances of a company know of callers: contacts, and who is blocked or always let through."""

from __future__ import annotations

from typing import Annotated

import typer

from firmware.cli.frame import Json, group, print_records, say, settings_of
from firmware.uplink_contract.shared_kinds import ALLOWED, BLOCKED, CONTACT

_contacts = group("contacts", "who callers are; shared with the company's other appliances")
_blocked = group("blocked", "callers who are not wanted; shared with the company's other appliances")
_allowed = group("allowed", "callers who are always wanted; shared with the company's other appliances")
Entry = Annotated[str, typer.Argument(help="a number, the beginning of numbers with a * behind it, or anonymous")]
Text = Annotated[str | None, typer.Option()]


@_contacts.command("list")
def contacts_list(context: typer.Context, as_json: Json = False) -> None:
    """List every contact; one that is not `delivered` waits for the network."""
    _list(context, CONTACT, as_json)


@_contacts.command("set")
def contacts_set(
    context: typer.Context,
    number: str,
    name: Text = None,
    organisation: Text = None,
    language: Annotated[str | None, typer.Option(help="zh or en")] = None,
    note: Text = None,
) -> None:
    """Set fields of a contact; the others stay, an empty text takes one away."""
    fields = {"name": name, "organisation": organisation, "language": language, "note": note}
    _set(context, CONTACT, number, fields)


@_contacts.command("remove")
def contacts_remove(context: typer.Context, number: str) -> None:
    """Remove a contact from every appliance of the company."""
    _remove(context, CONTACT, number)


@_blocked.command("list")
def blocked_list(context: typer.Context, as_json: Json = False) -> None:
    """List who is blocked."""
    _list(context, BLOCKED, as_json)


@_blocked.command("add")
def blocked_add(context: typer.Context, entry: Entry, reason: Text = None) -> None:
    """Add a number, a beginning of numbers, or anonymous callers."""
    _set(context, BLOCKED, entry, {"reason": reason})


@_blocked.command("remove")
def blocked_remove(context: typer.Context, entry: Entry) -> None:
    """Remove an entry from every appliance of the company."""
    _remove(context, BLOCKED, entry)


@_allowed.command("list")
def allowed_list(context: typer.Context, as_json: Json = False) -> None:
    """List who is always let through."""
    _list(context, ALLOWED, as_json)


@_allowed.command("add")
def allowed_add(context: typer.Context, entry: Entry, reason: Text = None) -> None:
    """Add a number or a beginning of numbers."""
    _set(context, ALLOWED, entry, {"reason": reason})


@_allowed.command("remove")
def allowed_remove(context: typer.Context, entry: Entry) -> None:
    """Remove an entry from every appliance of the company."""
    _remove(context, ALLOWED, entry)


def _list(context: typer.Context, kind: str, as_json: bool) -> None:
    from firmware.services.shared_lists import list_entries

    print_records(list_entries(settings_of(context), kind), as_json)


def _set(context: typer.Context, kind: str, entry: str, fields: dict[str, str | None]) -> None:
    from firmware.services.shared_lists import set_entry

    given = {name: value for name, value in fields.items() if value is not None}
    say(set_entry(settings_of(context), kind, entry, given))


def _remove(context: typer.Context, kind: str, entry: str) -> None:
    from firmware.services.shared_lists import remove_entry

    remove_entry(settings_of(context), kind, entry)
