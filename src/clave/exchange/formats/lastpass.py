r"""The CSV of LastPass, and of its command line tool.

A secure note stands there with the address `http://sn`; folders are separated by `\`. LastPass is known to spoil
`&`, `<`, `>`, `$` and quotes in some of its exports; what stands in the file is what is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clave.exchange.formats._tables import DATE, Column, CsvFormat, separated

if TYPE_CHECKING:
    from clave.exchange.item import Item

_NOTE = "http://sn"


class LastPass(CsvFormat):
    """LastPass's table."""

    name = "lastpass"
    title = "LastPass (CSV)"
    required = ("url", "username", "password", "extra", "name", "grouping", "fav")
    columns = (
        Column("url", "urls"),
        Column("username", "user"),
        Column("password", "password"),
        Column("totp", "otp"),
        Column("extra", "notes"),
        Column("name", "title"),
        Column("grouping", "folder", separated("\\")),
        Column("fav", off="0", public=True),
    )
    also = (
        Column("id", public=True),
        Column("group", public=True),
        Column("fullname", public=True),
        Column("last_touch", public=True),
        Column("last_modified_gmt", "modified", DATE),
        Column("attachpresent", off="0", public=True),
    )

    def finished(self, item: Item) -> Item:
        """Leave out the address that says that it is a note."""
        return replace(item, urls=()) if item.urls == (_NOTE,) else item

    def cells(self, item: Item) -> dict[str, str]:
        """Return the row: without an address, a user and a password it is a note."""
        found = super().cells(item)
        is_note = not (item.urls or item.user or item.password)
        return {**found, "url": _NOTE} if is_note else found


FORMATS = (LastPass(),)
