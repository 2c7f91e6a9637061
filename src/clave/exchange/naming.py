"""Names for what comes from elsewhere: safe in every store and on every system, and no two alike.

A component is NFC and printable, takes at most 180 bytes (with `.history.gpg` behind it still within the 200 of a
team's store), begins with no dash, dot or blank, ends with no dot or blank, holds no slash, and does not end like what
belongs to an entry (`NAME.files/`, `NAME.history`). Two names that differ in upper and lower case alone are alike.
What a name was is kept by `exchange.mapping`, where it had to change.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from clave.errors import UsageError
from clave.model.name import check_new
from clave.team.paths import caseless

MAX_BYTES = 180  # of a component
_ENTRY_BYTES = 196  # of a component of a team's store, without `.gpg`
MAX_FOLDERS = 12  # what lies deeper is taken together
FILES, HISTORY = ".files", ".history"

_SUFFIX = re.compile(r" \((\d+)\)\Z")  # of the second and further entries of a name


def component(text: str) -> str:
    """Return a safe component for any text; the same for the same text, and safe ones as they are."""
    blank = "".join(c if c.isprintable() and c != "/" else " " if c.isspace() else "_" for c in normalize("NFC", text))
    name = normalize("NFC", blank).strip(" ").rstrip(". ")
    if name[:1] in ("-", "."):
        name = "_" + name
    name = cut(name, MAX_BYTES)
    if name.casefold().endswith((FILES, HISTORY)):
        name += "_"
    return name or "unnamed"


def kept(text: str) -> str:
    """Return a component as it is if an entry of a store may be called so, else a safe one."""
    try:
        return check_new(text) if "/" not in text and len(text.encode()) <= _ENTRY_BYTES else component(text)
    except (UsageError, UnicodeEncodeError):
        return component(text)


def cut(name: str, size: int) -> str:
    """Return the beginning of a component that takes at most so many bytes."""
    return name.encode()[:size].decode(errors="ignore").rstrip(". ")


def folder(original: tuple[str, ...]) -> tuple[str, ...]:
    """Return the safe folder for one of a source; empty names are left out."""
    parts = tuple(component(each) for each in original if each.strip())
    if len(parts) > MAX_FOLDERS:
        parts = (*parts[: MAX_FOLDERS - 1], component(" - ".join(parts[MAX_FOLDERS - 1 :])))
    return parts


def without_number(name: str) -> str:
    """Return a component without the number that made it one of its own."""
    return _SUFFIX.sub("", name)


def order(name: str) -> tuple[str, str, int]:
    """Return by what names are sorted so that those that a number tells apart get the same numbers again."""
    folder, _, last = name.rpartition("/")
    number = _SUFFIX.search(last)
    return folder, without_number(last), int(number[1][:9]) if number else 0


class Names:
    """Names that are taken. Those of folders, and of the entries and what belongs to them, are kept apart."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._folders: dict[str, str] = {}  # caseless path → the path as it is spelled

    def add(self, name: str) -> None:
        """Take the name of an entry that is there, and its folders'."""
        self._taken.add(caseless(name))
        self.spelled(name.rpartition("/")[0])

    def spelled(self, path: str) -> str:
        """Return a folder's path as its folders are spelled already; new ones are taken so."""
        above, slash, last = path.rpartition("/")
        if not path:
            return ""
        if caseless(path) not in self._folders:
            self._folders[caseless(path)] = f"{self.spelled(above)}{slash}{last}"
        return self._folders[caseless(path)]

    def __contains__(self, name: str) -> bool:
        return caseless(name) in self._taken

    def free(self, name: str, first: int = 1) -> str:
        """Return the name, or the first of `NAME (2)`, `NAME (3)` … that is not taken; it is taken now."""
        number, found = max(first, 1), name if first < 2 else numbered(name, first)
        while found in self:
            number += 1
            found = numbered(name, number)
        self.add(found)
        return found


def numbered(name: str, number: int) -> str:
    """Return `NAME (number)`."""
    above, slash, last = name.rpartition("/")
    suffix = f" ({number})"
    return f"{above}{slash}{cut(last, MAX_BYTES - len(suffix))}{suffix}"
