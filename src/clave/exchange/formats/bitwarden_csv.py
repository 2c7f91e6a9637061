"""Bitwarden's CSV: of a person (with and without the newer columns), and of an organisation.

It holds logins and notes only; the JSON holds everything. Rules:

1. Own fields are lines `name: value` in one cell; a line without a name goes on with the value before.
2. Several addresses stand in one cell with commas between. A comma is such a one if another address begins behind it,
   or if no part is more than a host.
3. An item of an organisation lies in the folder of its first collection; others are fields `collection`.
4. `type` follows from the rest, and is a field only where it does not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from clave.exchange.formats._parts import ARCHIVED, split_path
from clave.exchange.formats._tables import Column, CsvFormat, Kind
from clave.exchange.item import Field, Item
from clave.model.secret import is_secret_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PUBLIC = ("collection",)  # our own name for what everybody may see
_NEXT = re.compile(r",(?=[A-Za-z][A-Za-z0-9+.-]*://)")


def _split(text: str) -> tuple[str, ...]:
    parts = _NEXT.split(text) if "://" in text else text.split(",")
    return tuple(filter(None, parts))


class BitwardenCsv(CsvFormat):
    """Bitwarden's table of logins and notes."""

    name = "bitwarden-csv"
    title = "Bitwarden (CSV)"
    required = ("type", "name", "notes", "fields", "login_uri", "login_username", "login_password", "login_totp")
    columns = (
        Column("folder", "folder"),
        Column("favorite", off="0", public=True),
        Column("type", public=True),
        Column("name", "title"),
        Column("notes", "notes"),
        Column("fields"),
        Column("reprompt", off="0", public=True),
        Column("archivedDate", public=True),
        Column("login_uri", "urls", Kind(_split, ",".join)),
        Column("login_username", "user"),
        Column("login_password", "password"),
        Column("login_totp", "otp"),
    )
    also = (Column("collections"),)

    def skips(self, cells: Mapping[str, str], *, deleted: bool) -> str | None:
        """Leave out what is in the archive."""
        return ARCHIVED if cells.get("archiveddate") and not deleted else None

    def item(self, cells: Mapping[str, str]) -> Item:
        """Return the item of a row, with its own fields behind the columns."""
        item = super().item({**cells, "fields": "", "collections": ""})
        folder, *others = [each for each in cells.get("collections", "").split(",") if each] or [""]
        fields = [each for each in item.fields if each != Field("type", _type(item), protected=False)]
        fields += [Field("collection", each, protected=False) for each in others]
        return replace(
            item, folder=item.folder or split_path(folder), fields=(*fields, *_fields(cells.get("fields", "")))
        )

    def cells(self, item: Item) -> dict[str, str]:
        """Return the row of an item."""
        found = super().cells(item)
        found["type"] = found["type"] or _type(item)
        left = list(item.fields)
        for name in ("favorite", "type", "reprompt", "archivedDate"):
            own = next((each for each in left if each.name == name and each.value == found[name.casefold()]), None)
            if own:
                left.remove(own)
        return {**found, "fields": "\n".join(_lines(left))}


def _type(item: Item) -> str:
    return "login" if item.user or item.password or item.urls or item.otp else "note"


def _fields(cell: str) -> list[Field]:
    found: list[Field] = []
    for line in cell.split("\n") if cell else ():
        name, colon, value = line.partition(": ")
        if colon:
            found.append(Field(name, value, name not in _PUBLIC and is_secret_field(name)))
        elif found:
            found[-1] = found[-1]._replace(value=f"{found[-1].value}\n{line}")
        else:
            found.append(Field("fields", line))
    return found


def _lines(fields: Iterable[Field]) -> list[str]:
    """Return the lines of the fields that lines can hold."""
    lines = ((each, f"{each.name}: {each.value}") for each in fields)
    return [line for each, line in lines if [own[:2] for own in _fields(line)] == [each[:2]]]


FORMATS = (BitwardenCsv(),)
