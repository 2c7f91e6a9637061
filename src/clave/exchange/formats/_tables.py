"""The base of formats that are a CSV file with a header.

A subclass gives its columns in the order in which they are written, each with the part of an item that it is; a column
without a part is a field of its own name. Rules:

1. A file is of the format if it has all the required columns, and no others than the columns and `also`. Upper and
   lower case in their names are alike.
2. What a cell holds is in the item as it stands. A cell that its column cannot mean (a date that is none) becomes a
   field of the column's name.
3. A row without a title is called by the host of its address, or by its user.
4. What `write` cannot carry is found by reading each row back as it is written: see `_parts.told`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from clave.exchange.format import BadFile, Format
from clave.exchange.formats._parts import NO_PLACE, at, host, seed, since, split_path, told
from clave.exchange.item import Field, Item, Lost, Parsed
from clave.exchange.shape import moment, moment_text
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.limits import Table


class Kind(NamedTuple):
    """How a cell is read and written: `read` returns None for what it does not understand."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


def separated(separator: str) -> Kind:
    """Return the kind of a cell with several values, or the levels of a folder."""
    return Kind(lambda text: split_path(text, separator), separator.join)


def _millis(text: str) -> datetime | None:
    return at(int(text), 1000) if text.isascii() and text.isdigit() and len(text) < 20 else None


TEXT = Kind(str, str)
ONE = Kind(lambda text: (text,), lambda values: values[0] if values else "")  # the first of several
PATH = separated("/")
DATE = Kind(moment, moment_text)
MILLIS = Kind(_millis, lambda value: str(since(value, 1000)))
_KINDS = {"urls": ONE, "otp": ONE, "folder": PATH, "created": DATE, "modified": DATE, "expires": DATE}


class Column(NamedTuple):
    """A column: its name, the part of an item that it is (`""`: a field), and how it is read."""

    name: str
    part: str = ""
    kind: Kind | None = None
    off: str = ""  # of a field: what stands in the cell where there is none
    public: bool = False  # of a field: whether everybody may see it


class CsvFormat(Format):
    """A format that is a CSV file."""

    writes = True
    columns: ClassVar[tuple[Column, ...]]
    required: ClassVar[tuple[str, ...]]
    also: ClassVar[tuple[Column, ...]] = ()  # read where they are there, never written

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the header says it
        """Tell by the header."""
        header = first_row(head)
        known = {each.name.casefold() for each in (*self.columns, *self.also)}
        return header is not None and set(_folded(self.required)) <= set(header) <= known

    def read(self, source: Source) -> Parsed:
        """Return an item a row."""
        from clave.exchange.limits import MAX_TEXT

        table = self._table(source.read(MAX_TEXT))
        header = [each.casefold() for each in table.header]
        self._check(header)
        items: list[Item] = []
        lost: list[Lost] = []
        skipped: list[Lost] = []
        for row in table.rows:
            origin = f"row {row.number}"
            cells = dict(zip(header, row.cells.values(), strict=True))
            if not any(cells.values()):
                continue
            why = self.skips(cells, deleted=source.options.include_deleted)
            if why:
                skipped.append(Lost(f"{origin} '{self.called(cells)}'", "the whole item", why))
            else:
                items.append(replace(self.item(cells), origin=origin))
        return Parsed(tuple(items), tuple(lost), tuple(skipped))

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what of the items is not in what is read again."""
        return [each for item in items for each in self._told(item)]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - none of them mean anything
        """Return the table."""
        from clave.exchange.limits import write_table

        return write_table(self.header(), self.rows(items))

    def rows(self, items: Sequence[Item]) -> list[list[str]]:
        """Return the rows of those items that are read again."""
        rows = [self._as_read(item) for item in items]
        return [list(row.values()) for row in rows if self._left_out(row) is None]

    def header(self) -> list[str]:
        """Return the columns that are written."""
        return [each.name for each in self.columns]

    def skips(self, cells: Mapping[str, str], *, deleted: bool) -> str | None:  # noqa: ARG002 - a default
        """Return why a row is left out on purpose, None where it is not; `deleted`: what is deleted is wanted."""
        return None

    def called(self, cells: Mapping[str, str]) -> str:
        """Return how the user would call a row."""
        return self.item(cells).title

    def item(self, cells: Mapping[str, str]) -> Item:
        """Return the item that a row is; the cells by the column's name in lower case."""
        parts: dict[str, Any] = {}
        fields: list[Field] = []
        columns = {each.name.casefold(): each for each in (*self.columns, *self.also)}
        for name, text in cells.items():
            column = columns.get(name, Column(name))
            kind = column.kind or _KINDS.get(column.part, TEXT)
            value = kind.read(text) if column.part and column.part not in parts and text else None
            if value:
                parts[column.part] = value
            elif text and text != column.off:
                fields.append(Field(column.name, text, not column.public))
        uri = parts.get("otp")
        if uri:
            found = seed(uri[0], parts.get("title", ""), parts.get("user", ""))
            column_name = next(each.name for each in columns.values() if each.part == "otp")
            parts["otp"] = (found,) if found else ()
            fields += [] if found else [Field(column_name, uri[0])]
        item = self.finished(Item(**{"title": "", **parts, "fields": tuple(fields)}))
        return item if item.title else replace(item, title=host(item.urls[0]) if item.urls else item.user or "")

    def finished(self, item: Item) -> Item:
        """Return the item with what more than one cell says."""
        return item

    def cells(self, item: Item) -> dict[str, str]:
        """Return the row of an item, by the column's name in lower case; empty ones may be left out."""
        fields = list(reversed(item.fields))
        found: dict[str, str] = {}
        for column in self.columns:
            kind = column.kind or _KINDS.get(column.part, TEXT)
            value = getattr(item, column.part) if column.part else self._field(fields, column)
            found[column.name.casefold()] = kind.write(value) if value else column.off
        return found

    def clean(self, item: Item) -> dict[str, str]:
        """Return the row of an item; what no CSV file can hold is left out."""
        return {name: "" if "\0" in text else text for name, text in self.cells(item).items()}

    def _as_read(self, item: Item) -> dict[str, str]:
        """Return the row of an item as `read` finds it."""
        row = self.clean(item)
        return {name.casefold(): row.get(name.casefold(), "") for name in self.header()}

    def _told(self, item: Item) -> list[Lost]:
        row = self._as_read(item)
        why = self._left_out(row)
        return told(item, self.item(row)) if why is None else [Lost(item.origin, "the whole item", why)]

    def _left_out(self, row: Mapping[str, str]) -> str | None:
        """Return why a row that is written would not be read again."""
        return self.skips(row, deleted=True) if any(row.values()) else NO_PLACE

    @staticmethod
    def _field(fields: Sequence[Field], column: Column) -> str:
        return next((each.value for each in reversed(fields) if each.name == column.name), "")

    def _table(self, data: bytes) -> Table:
        from clave.exchange.limits import table

        return table(data)

    def _check(self, header: Sequence[str]) -> None:
        missing = [each for each in self.required if each.casefold() not in header]
        if missing:
            raise BadFile(f"the header has no column '{missing[0]}'", f"It is no file of {self.title}.")
        twice = [each for each in header if header.count(each) > 1]
        if twice:
            raise BadFile(f"the header has '{printable(twice[0])}' twice", "Rename one of the columns.")


def _folded(names: Sequence[str]) -> list[str]:
    return [each.casefold() for each in names]


def first_row(head: bytes) -> list[str] | None:
    """Return the header of a CSV file that begins so, in lower case; None where it is none."""
    import csv

    from clave.exchange.limits import text

    try:
        line = text(head.split(b"\n", 1)[0] if head[:1] not in (b"\xff", b"\xfe") else head[: len(head) // 2 * 2])
        return _folded(next(csv.reader([line.split("\n", 1)[0].rstrip("\r")], strict=True), []))
    except (BadFile, csv.Error):
        return None
