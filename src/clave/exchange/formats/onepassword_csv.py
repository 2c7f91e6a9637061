"""1Password's CSV, which holds logins and passwords only; the 1PUX holds everything.

What is archived there is left out, unless deleted items are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.exchange.formats._parts import ARCHIVED
from clave.exchange.formats._tables import Column, CsvFormat, separated

if TYPE_CHECKING:
    from collections.abc import Mapping


class OnePasswordCsv(CsvFormat):
    """1Password's table of logins."""

    name = "1password-csv"
    title = "1Password (CSV)"
    required = ("Title", "Url", "Username", "Password", "Favorite", "Archived", "Tags", "Notes")
    columns = (
        Column("Title", "title"),
        Column("Url", "urls"),
        Column("Username", "user"),
        Column("Password", "password"),
        Column("OTPAuth", "otp"),
        Column("Favorite", off="false", public=True),
        Column("Archived", off="false", public=True),
        Column("Tags", "tags", separated(";")),
        Column("Notes", "notes"),
    )

    def skips(self, cells: Mapping[str, str], *, deleted: bool) -> str | None:
        """Leave out what is in the archive."""
        return ARCHIVED if cells["archived"].casefold() == "true" and not deleted else None


FORMATS = (OnePasswordCsv(),)
