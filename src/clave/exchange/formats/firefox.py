"""The passwords of Firefox. It has no names: an item is called by the host of its address.

`timePasswordChanged` says how old the password is; it is the date of the last change. What Firefox keeps for its own
account (`chrome://FirefoxAccounts`) is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.exchange.formats._tables import MILLIS, Column, CsvFormat

if TYPE_CHECKING:
    from collections.abc import Mapping


class Firefox(CsvFormat):
    """Firefox's table of passwords."""

    name = "firefox"
    title = "Firefox (CSV)"
    required = ("url", "username", "password", "httpRealm", "formActionOrigin", "guid", "timeCreated")
    columns = (
        Column("url", "urls"),
        Column("username", "user"),
        Column("password", "password"),
        Column("httpRealm", public=True),
        Column("formActionOrigin", public=True),
        Column("guid", public=True),
        Column("timeCreated", "created", MILLIS),
        Column("timeLastUsed", public=True),
        Column("timePasswordChanged", "modified", MILLIS),
    )

    def skips(self, cells: Mapping[str, str], *, deleted: bool) -> str | None:  # noqa: ARG002 - there are none
        """Leave out what belongs to the browser."""
        return "it is the browser's own account" if cells["url"].startswith("chrome://FirefoxAccounts") else None


FORMATS = (Firefox(),)
