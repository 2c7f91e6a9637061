r"""The CSV of KeePass 1: every cell in quotes; `\"` is a quote and `\\` a backslash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clave.exchange.formats._tables import Column, CsvFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.exchange.format import WriteOptions
    from clave.exchange.item import Item
    from clave.exchange.limits import Table

_ESCAPED = re.compile(r'\\([\\"])')


class KeePass1Csv(CsvFormat):
    """The table of KeePass 1."""

    name = "keepass1-csv"
    title = "KeePass 1 (CSV)"
    required = ("Account", "Login Name", "Password", "Web Site", "Comments")
    columns = (
        Column("Account", "title"),
        Column("Login Name", "user"),
        Column("Password", "password"),
        Column("Web Site", "urls"),
        Column("Comments", "notes"),
    )

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - none of them mean anything
        """Return the table."""
        rows = [self.header(), *self.rows(items)]
        return "".join(",".join(map(_quoted, row)) + "\n" for row in rows).encode()

    def _table(self, data: bytes) -> Table:
        from clave.exchange.limits import table, text

        plain = _ESCAPED.sub(lambda match: '""' if match[1] == '"' else "\\", text(data))
        return table(plain.encode())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


FORMATS = (KeePass1Csv(),)
