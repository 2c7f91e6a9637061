"""RoboForm's CSV of logins. Folders begin with a slash."""

from __future__ import annotations

from clave.exchange.formats._parts import split_path
from clave.exchange.formats._tables import Column, CsvFormat, Kind

_FOLDER = Kind(split_path, lambda folder: "/" + "/".join(folder))


class RoboForm(CsvFormat):
    """RoboForm's table."""

    name = "roboform"
    title = "RoboForm (CSV)"
    required = ("Name", "Url", "Login", "Pwd", "Note", "Folder")
    columns = (
        Column("Name", "title"),
        Column("Url", "urls"),
        Column("Login", "user"),
        Column("Pwd", "password"),
        Column("Note", "notes"),
        Column("Folder", "folder", _FOLDER),
        Column("Rf_fields"),
    )
    also = (Column("MatchUrl", public=True), Column("RfFieldsV2"))


FORMATS = (RoboForm(),)
