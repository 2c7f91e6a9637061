"""Dashlane's table of logins, `credentials.csv`. Its categories are folders."""

from __future__ import annotations

from clave.exchange.formats._tables import ONE, Column, CsvFormat, first_row


class Dashlane(CsvFormat):
    """Dashlane's table of logins."""

    name = "dashlane"
    title = "Dashlane (credentials.csv)"
    required = ("username", "title", "password", "note", "url", "category")
    columns = (
        Column("username", "user"),
        Column("username2"),
        Column("username3"),
        Column("title", "title"),
        Column("password", "password"),
        Column("note", "notes"),
        Column("url", "urls"),
        Column("category", "folder"),
        Column("otpUrl", "otp"),
    )
    also = (Column("otpSecret", "otp", ONE),)

    def recognise(self, head: bytes, name: str) -> bool:
        """Tell by the header, which begins with the user."""
        return (first_row(head) or [""])[0] == "username" and super().recognise(head, name)


FORMATS = (Dashlane(),)
