"""The passwords of Chrome, and of Edge, Brave, Opera and Vivaldi, which write the same file.

Apps of Android stand there as `android://…@package/`; that stays as it is.
"""

from __future__ import annotations

from clave.exchange.formats._tables import Column, CsvFormat


class Chrome(CsvFormat):
    """A browser's table of passwords."""

    name = "chrome"
    title = "Chrome, Edge, Brave, Opera (CSV)"
    required = ("name", "url", "username", "password")
    columns = (
        Column("name", "title"),
        Column("url", "urls"),
        Column("username", "user"),
        Column("password", "password"),
        Column("note", "notes"),
    )


FORMATS = (Chrome(),)
