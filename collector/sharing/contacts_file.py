"""Contacts from a CSV file of an office program."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from collector.errors import ImportRefused

_FIELDS = ("name", "organisation", "language", "note")
_MOST_LINES = 100_000


def read_contacts(file: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    """The place, the number and the fields of each line; columns that we do not know are left out.

    Spaces and dashes in numbers are. Raises: ImportRefused where it is no such file.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            if "number" not in (reader.fieldnames or ()):
                raise ImportRefused(f"{file} has no column called number in its first line")
            for row in reader:
                if reader.line_num > _MOST_LINES:
                    raise ImportRefused(f"{file} has more than {_MOST_LINES} lines; part it")
                number = "".join(character for character in str(row["number"] or "") if character not in " -()")
                yield reader.line_num, number, {name: row[name].strip() for name in _FIELDS if row.get(name)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImportRefused(f"{file} cannot be read: {error}") from error
