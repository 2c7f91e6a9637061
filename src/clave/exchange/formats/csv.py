"""A table with a header: any column is what `--map` says; without it, what its name says. Other columns are fields.

Written are `folder,title,user,password,url,otp,notes,tags,created,modified,expires` and a column for each name of a
field; where several values are in a cell, each has a line. Cells are written as they are, also those that a
spreadsheet takes for formulas: whoever imports the table would take a mark against that for part of the password.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clave.errors import UsageError
from clave.exchange import limits, shape
from clave.exchange.format import BadFile, Format, Source, WriteOptions
from clave.exchange.formats._parts import host, seed, split_path, told
from clave.exchange.item import Field, Item, Lost, Parsed
from clave.model.secret import is_secret_field
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from clave.exchange.limits import Row

PARTS = ("folder", "title", "user", "password", "url", "otp", "notes", "tags", "created", "modified", "expires")
_SKIP, _FIELD = "skip", "field:"
_DATES = ("created", "modified", "expires")
# What other programs call the parts, lower case.
_CALLED = {
    **{part: part for part in PARTS},
    "group": "folder", "grouping": "folder", "path": "folder", "name": "title", "account": "title",
    "username": "user", "login": "user", "user name": "user", "login name": "user", "login_username": "user",
    "pwd": "password", "pass": "password", "login_password": "password",
    "urls": "url", "website": "url", "web site": "url", "site": "url", "login_uri": "url",
    "totp": "otp", "otpauth": "otp", "note": "notes", "comment": "notes", "comments": "notes",
}  # fmt: skip


class Csv(Format):
    """The format `csv`. A table can be anybody's: only those that clave has written are recognised."""

    name = "csv"
    title = "table (CSV)"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - what it is called says nothing
        """Recognise the header that `write` makes."""
        return head.startswith(limits.write_table(PARTS, ()).rstrip(b"\n"))

    def read(self, source: Source) -> Parsed:
        """Return an item a row."""
        table = limits.table(source.read(limits.MAX_TEXT))
        columns = _columns(table.header, source.options.mapping)
        skipped = [name for name in table.header if columns.get(name) == _SKIP]
        rows = (_item(row, columns) for row in table.rows if any(row.cells.values()))
        items = tuple(item if item.title else replace(item, title=_title(item)) for item in rows)
        return Parsed(items, (), tuple(Lost(f"column '{name}'", "all of it", "you left it out") for name in skipped))

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what is not so in what is read again."""
        header, rows = _written(items)
        columns = _columns(header, ())
        back = [_item(limits.Row(0, dict(zip(header, row, strict=True))), columns) for row in rows]
        return [lost for pair in zip(items, back, strict=True) for lost in told(*pair)]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - it has none
        """Return the table."""
        return limits.write_table(*_written(items))


def _written(items: Sequence[Item]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows."""
    fields = list(dict.fromkeys(_column(each.name) for item in items for each in item.fields if _fits(each.name)))
    return [*PARTS, *fields], [_row(item, fields) for item in items]


def _column(field: str) -> str:
    """Return the column of a field; one that would be read as a part says that it is none."""
    return f"{_FIELD}{field}" if not field or field.strip().lower() in _CALLED or field.startswith(_FIELD) else field


def _row(item: Item, fields: Sequence[str]) -> list[str]:
    several = {"url": "\n".join(item.urls), "otp": "\n".join(item.otp), "tags": ",".join(item.tags)}
    own: dict[str, str] = {
        "folder": "/".join(item.folder),
        **several,
        **{part: getattr(item, part) or "" for part in ("title", "user", "password", "notes")},
        **{part: shape.moment_text(date) for part in _DATES if (date := getattr(item, part))},
    }
    values = {_column(each.name): each.value for each in reversed(item.fields)}
    cells: list[str] = [own.get(part, "") for part in PARTS] + [values.get(name, "") for name in fields]
    return [cell if _fits(cell) else "" for cell in cells]


def _fits(cell: str) -> bool:
    return "\0" not in cell and len(cell) < limits.MAX_FIELD


def _columns(header: Sequence[str], mapping: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the part that each column is, for those that are one."""
    found: dict[str, str] = {}
    for part, column in mapping:
        if part not in (*PARTS, _SKIP):
            raise UsageError(f"'{printable(part)}' in --map is no part", f"Parts are {', '.join(PARTS)}, {_SKIP}.")
        if column not in header:
            there = ", ".join(printable(name) for name in header)
            raise UsageError(f"the table has no column '{printable(column)}'", f"It has: {there}.")
        found[column] = part
    if set(found.values()) <= {_SKIP}:
        for name in header:
            called = _CALLED.get(name.strip().lower())
            if called and name not in found and (called == "url" or called not in found.values()):
                found[name] = called
    if not {"title", "password", "url"} & set(found.values()):
        there = ", ".join(printable(name) for name in header)
        raise BadFile("no column is a title or a password", f"Say which: --map title=…,password=…; there are {there}.")
    return found


def _item(row: Row, columns: Mapping[str, str]) -> Item:
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    fields: list[Field] = []
    for name, value in row.cells.items():
        part = columns.get(name)
        if part in parts and value:
            parts[part].append(value)
        elif part is None and value:
            plain = name.removeprefix(_FIELD)
            fields.append(Field(plain, value, is_secret_field(plain)))
    one = {part: _one(parts[part], part, fields) for part in ("title", "user", "password", "notes")}
    urls = tuple(each for value in parts["url"] for each in value.split("\n") if each)
    return Item(
        title=one["title"] or "",
        folder=tuple(each for value in parts["folder"] for each in split_path(value)),
        password=one["password"],
        user=one["user"],
        urls=urls,
        notes=one["notes"],
        otp=tuple(_seeds(parts["otp"], one["title"] or "", one["user"] or "", fields)),
        tags=tuple(each.strip() for value in parts["tags"] for each in value.split(",") if each.strip()),
        created=_date(parts["created"], "created", fields),
        modified=_date(parts["modified"], "modified", fields),
        expires=_date(parts["expires"], "expires", fields),
        fields=tuple(fields),
        origin=f"row {row.number}",
    )


def _title(item: Item) -> str:
    return host(item.urls[0]) if item.urls else item.user or item.origin


def _one(values: Sequence[str], part: str, fields: list[Field]) -> str | None:
    """Return the one value of a part; further columns of it become fields."""
    fields += [Field(part, value, is_secret_field(part)) for value in values[1:]]
    return values[0] if values else None


def _seeds(values: Iterable[str], title: str, user: str, fields: list[Field]) -> list[str]:
    """Return the URIs of seeds; what is none becomes a field."""
    lines = [line for value in values for line in value.split("\n") if line]
    found = [seed(line, title, user) for line in lines]
    fields += [Field("otp", line) for line, uri in zip(lines, found, strict=True) if uri is None]
    return [uri for uri in found if uri]


def _date(values: Sequence[str], part: str, fields: list[Field]) -> datetime | None:
    """Return the first date; what is none, or a further one, becomes a field."""
    dates = [shape.moment(value) for value in values]
    first = next((date for date in dates if date), None)
    fields += [
        Field(part, value, protected=False)
        for value, date in zip(values, dates, strict=True)
        if date is None or date != first
    ]
    return first


FORMATS = (Csv(),)
