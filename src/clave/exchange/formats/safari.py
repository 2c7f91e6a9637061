"""The passwords of Safari and of Apple's Passwords. Older versions write no notes, or `Url`."""

from __future__ import annotations

from clave.exchange.formats._tables import Column, CsvFormat


class Safari(CsvFormat):
    """Apple's table of passwords."""

    name = "safari"
    title = "Safari, Apple Passwords (CSV)"
    required = ("Title", "URL", "Username", "Password", "OTPAuth")
    columns = (
        Column("Title", "title"),
        Column("URL", "urls"),
        Column("Username", "user"),
        Column("Password", "password"),
        Column("Notes", "notes"),
        Column("OTPAuth", "otp"),
    )


FORMATS = (Safari(),)
