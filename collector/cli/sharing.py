"""What the appliances of a company share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.frame import DatabaseUrl, Json, cell, group, in_json, print_rows, say, with_database

if TYPE_CHECKING:
    from collector.database import Database

_shared = group("shared", "contacts, lists, flows, prompts and settings that all appliances of a company have")
Company = Annotated[str, typer.Option("--company", help="whose")]
AnyCompany = Annotated[str | None, typer.Option("--company", help="of one company")]
Kind = Annotated[str, typer.Argument(help="contact, blocked, allowed, flow, prompt or configuration")]
Key = Annotated[str, typer.Argument(help="a number, a flow's name, language/prompt, or a setting")]
Fields = Annotated[list[str] | None, typer.Argument(help="FIELD=VALUE; an empty value takes the field away")]


@_shared.command("list")
def shared_list(
    url: DatabaseUrl,
    company: AnyCompany = None,
    kind: Annotated[str | None, typer.Option(help="of one kind")] = None,
    as_json: Json = False,
) -> None:
    """List what is shared now."""
    from collector.sharing.editing import list_items

    async def work(database: Database) -> list[dict[str, Any]]:
        return await list_items(database, company, kind)

    print_rows(with_database(url, work), as_json, _for_people)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    names = ("company", "kind", "key", "version", "changed_at", "conflicts", "refused_by")
    says = {
        name: value if name != "text" else f"{len(value.splitlines())} lines" for name, value in row["body"].items()
    }
    return {**{name: row[name] for name in names}, "says": [f"{name}: {cell(value)}" for name, value in says.items()]}


@_shared.command("show")
def shared_show(url: DatabaseUrl, kind: Kind, key: Key, company: Company, as_json: Json = False) -> None:
    """Show one item, and which appliances cannot use it."""
    from collector.errors import NotFound
    from collector.sharing.editing import list_items, list_refusals

    async def work(database: Database) -> dict[str, Any]:
        for item in await list_items(database, company, kind):
            if item["key"] == key:
                return {**item, "refusals": await list_refusals(database, company, kind, key)}
        raise NotFound(f"{company} shares no {kind} {key!r}; `shared list` shows what there is")

    found = with_database(url, work)
    if as_json:
        say(in_json(found))
        return
    body, refusals = found.pop("body"), found.pop("refusals")
    for name, value in (*found.items(), *body.items()):
        say(f"{name.replace('_', ' ')}: {cell(value)}")
    for refusal in refusals:
        say(f"cannot be used by {refusal['appliance']}: {refusal['reason']}")


@_shared.command("set")
def shared_set(
    url: DatabaseUrl,
    kind: Kind,
    key: Key,
    company: Company,
    fields: Fields = None,
    file: Annotated[Path | None, typer.Option(help="a flow's YAML or a prompt's WAV")] = None,
) -> None:
    """Set fields of an item, or its file; its other fields stay."""
    from collector.sharing.editing import set_item

    body, content = _content(kind, _parsed(kind, fields or []), file)

    async def work(database: Database) -> int:
        return await set_item(database, company, kind, key, body, content)

    version = with_database(url, work)
    say(f"version {version}; appliances get it with their next delivery, or within 15 minutes")


@_shared.command("remove")
def shared_remove(url: DatabaseUrl, kind: Kind, key: Key, company: Company) -> None:
    """Take an item away from every appliance."""
    from collector.sharing.editing import remove_item

    async def work(database: Database) -> None:
        await remove_item(database, company, kind, key)

    with_database(url, work)


@_shared.command("conflicts")
def shared_conflicts(
    url: DatabaseUrl,
    company: AnyCompany = None,
    seen: Annotated[int | None, typer.Option(help="take this one off the list, by its number")] = None,
    as_json: Json = False,
) -> None:
    """List what branches wanted and did not get, as somebody else had changed the same meanwhile."""
    from collector.sharing.editing import list_conflicts, settle_conflict

    async def work(database: Database) -> list[dict[str, Any]]:
        if seen is not None:
            await settle_conflict(database, seen)
        return await list_conflicts(database, company)

    print_rows(with_database(url, work), as_json)


@_shared.command("import")
def shared_import(
    url: DatabaseUrl,
    file: Annotated[Path, typer.Argument(help="CSV with a head line: number, name, organisation, language, note")],
    company: Company,
) -> None:
    """Set contacts from a file; each line by itself."""
    from collector.cli.frame import complain
    from collector.errors import Malformed
    from collector.sharing.contacts_file import read_contacts
    from collector.sharing.editing import set_item

    async def work(database: Database) -> tuple[int, int]:
        good = bad = 0
        for place, number, fields in read_contacts(file):
            try:
                await set_item(database, company, "contact", number, fields)
                good += 1
            except Malformed as error:
                complain(f"{file}:{place}: {error}")
                bad += 1
        return good, bad

    good, bad = with_database(url, work)
    say(f"{good} contacts set, {bad} lines refused")
    if bad:
        raise typer.Exit(1)


def _parsed(kind: str, fields: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise typer.BadParameter(f"{field!r} is no FIELD=VALUE")
        body[name] = _number_or_truth(value) if kind == "configuration" else value
    return body


def _number_or_truth(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no number, true or false") from error


def _content(kind: str, body: dict[str, Any], file: Path | None) -> tuple[dict[str, Any], bytes | None]:
    from collector.sharing.editing import MOST_FILE_BYTES

    if file is None:
        return body, None
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_FILE_BYTES + 1)
        return ({**body, "text": content.decode("utf-8")}, None) if kind == "flow" else (body, content)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
