"""NordPass's table of passwords, notes, cards and people. A folder without items is a row there, which is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.exchange.formats._tables import Column, CsvFormat

if TYPE_CHECKING:
    from collections.abc import Mapping


class NordPass(CsvFormat):
    """NordPass's table."""

    name = "nordpass"
    title = "NordPass (CSV)"
    required = ("name", "url", "username", "password", "note", "cardholdername", "cardnumber", "cvc", "folder")
    columns = (
        Column("name", "title"),
        Column("url", "urls"),
        Column("username", "user"),
        Column("password", "password"),
        Column("note", "notes"),
        Column("cardholdername"),
        Column("cardnumber"),
        Column("cvc"),
        Column("expirydate"),
        Column("zipcode"),
        Column("folder", "folder"),
        Column("full_name"),
        Column("phone_number"),
        Column("email"),
        Column("address1"),
        Column("address2"),
        Column("city"),
        Column("country"),
        Column("state"),
    )
    also = (Column("type", public=True), Column("additional_urls", public=True), Column("custom_fields"))

    def skips(self, cells: Mapping[str, str], *, deleted: bool) -> str | None:  # noqa: ARG002 - there are none
        """Leave out folders."""
        return "it is a folder, not an item" if cells.get("type") == "folder" else None


FORMATS = (NordPass(),)
