"""`.env` files: one entry whose fields are the variables, or (`--split`) an entry a variable, its password the value.

A value that the readers of such files read differently is refused when it is read, and told as lost when it would be
written; comments have no place in a store.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.exchange import limits
from clave.exchange.format import Format, Source, WriteOptions
from clave.exchange.item import Field, Item, Lost, Parsed
from clave.model import dotenv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LARGEST = 1 << 20  # bytes of a file


class Dotenv(Format):
    """The format `dotenv`."""

    name = "dotenv"
    title = "variables (.env)"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - any text may look like it
        """Recognise the name: `.env`, `.env.local`, `prod.env`."""
        return name == ".env" or name.startswith(".env.") or name.endswith(".env")

    def read(self, source: Source) -> Parsed:
        """Return the variables."""
        data = limits.text(source.read(_LARGEST)).encode()
        found = dotenv.parse(data, source.path)
        if source.options.split:
            return Parsed(tuple(Item(each.name, password=each.value, origin=f"line {each.line}") for each in found))
        if not found:
            return Parsed(())
        title = os.path.basename(source.path).lstrip(".") if source.path != limits.STANDARD_INPUT else "env"
        return Parsed((Item(title, fields=tuple(Field(each.name, each.value) for each in found), origin=title),))

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return all but passwords and fields that a variable can hold."""
        return self._lines(items)[1]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - it has none
        """Return the file."""
        return "".join(self._lines(items)[0]).encode()

    def _lines(self, items: Sequence[Item]) -> tuple[list[str], list[Lost]]:
        lines: list[str] = []
        lost: list[Lost] = []
        taken: set[str] = set()
        for item in items:
            lost += _unwritten(item)
            if len(items) > 1 and item.fields:
                lost.append(Lost(item.origin, "its name", "fields become variables, which belong to nothing"))
            for name, value in _variables(item):
                problem = _problem(name, value, taken)
                if problem:
                    lost.append(Lost(item.origin, name, problem))
                else:
                    taken.add(name)
                    lines.append(f"{name}={dotenv.quoted(value)}\n")
        return lines, lost


def _variables(item: Item) -> Iterator[tuple[str, str]]:
    """Yield a variable of the password, which has the title's name, and one of each field."""
    if item.password:
        yield item.title, item.password
    for field in item.fields:
        yield field.name, field.value


def _problem(name: str, value: str, taken: set[str]) -> str | None:
    if not dotenv.NAME.fullmatch(name):
        return "no variable can be called so"
    if name in taken:
        return "another variable is called so"
    if "\0" in value:
        return "it holds a NUL, where every variable ends"
    try:
        dotenv.quoted(value)
    except dotenv.Unwritable as why:
        return str(why)
    return None


def _unwritten(item: Item) -> Iterator[Lost]:
    """Yield the parts of an item that are no variables. Of a single one its name is the file's, and no loss."""
    why = "only passwords and fields become variables"
    parts = {
        "user": item.user, "urls": item.urls, "notes": item.notes, "one-time codes": item.otp, "tags": item.tags,
        "attachments": item.attachments, "history": item.history, "created": item.created, "modified": item.modified,
        "expires": item.expires,
    }  # fmt: skip
    yield from (Lost(item.origin, what, why) for what, value in parts.items() if value)


FORMATS = (Dotenv(),)
