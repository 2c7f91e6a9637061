"""Entry names: what may be one, and what file it is.

A name is what a user types (`work/db`); its file is `work/db.gpg` below the store's folder. Names come
from users, from other people's commits and from import files, so one function decides for all of them.
"""

from __future__ import annotations

from clave.errors import UsageError

SUFFIX = ".gpg"
# A rotation of the entry `a/b` that is under way is kept at `.clave/pending/a/b.new`: as long as `.gpg`, so that it
# fits where that fits, and a file beside the folder of the entries `a/b/…`. pass takes no notice of it.
PENDING = ".clave/pending/"
_PENDING_SUFFIX = ".new"

# The longest component: ext4, XFS, APFS and Btrfs hold 255 bytes, of which `.gpg` takes four. pass
# writes such names, so we do too; a team store allows 200 (DESIGN, rule 4).
MAX_COMPONENT = 255 - len(SUFFIX)
MAX_NAME = 4096 - 256  # bytes: PATH_MAX, with room for the store's own path


def check(name: str) -> str:
    """Return the entry or folder name in its plain form (no leading, trailing or doubled slash).

    Raises UsageError for what cannot be a name: empty, absolute outside of the store's view, with `..`
    or `.`, with a hidden component (`.git`, `.gpg-id`), a leading `-`, control characters, too long.
    """
    parts = [part for part in name.split("/") if part]
    if not parts:
        raise UsageError(f"'{name}' is not a name of an entry", "A name looks like 'folder/entry'.")
    if name.startswith("/"):
        raise UsageError(f"'{name}' is not a name of an entry", "Names are relative to the store.")
    if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
        raise UsageError(f"a name of {len(name)} characters is too long", "Choose a shorter one.")
    for part in parts:
        _check_component(name, part)
    return "/".join(parts)


def check_folder(name: str) -> str:
    """Like `check`, but `""` and `/` are the store's own folder."""
    return check(name) if name.strip("/") else ""


def _check_component(name: str, part: str) -> None:
    if part in (".", ".."):
        raise UsageError("You've attempted to pass a sneaky path to pass. Go home", f"'{name}' leads out of the store.")
    if part.startswith("."):
        raise UsageError(f"'{name}' is not a name of an entry", "A component may not begin with a dot.")
    if part.startswith("-"):
        raise UsageError(f"'{name}' is not a name of an entry", "A component may not begin with a dash.")
    if any(c < " " or "\x7f" <= c <= "\x9f" for c in part):
        raise UsageError(f"'{name}' is not a name of an entry", "It holds a control character.")
    if len(part.encode("utf-8", "surrogateescape")) > MAX_COMPONENT:
        raise UsageError(f"'{name}' is too long", f"A component holds at most {MAX_COMPONENT} bytes.")


def is_below(name: str, folder: str) -> bool:
    """Tell whether a name is that of a folder (or entry) or below it; `""` is the whole store."""
    return not folder or name == folder or name.startswith(f"{folder}/")


def split_field(argument: str) -> tuple[str, str | None]:
    """Split `NAME#field`; the field is None where there is no `#` or nothing behind it."""
    name, separator, field = argument.rpartition("#")
    return (name, field) if separator and name and field else (argument, None)


def check_new(name: str) -> str:
    """Like `check`, for an entry about to be made: a name that every reader's system can hold.

    Raises UsageError also for text that is not UTF-8, not NFC, not printable, or ends with a dot or blank.
    """
    plain = check(name)
    if not plain.isprintable():
        raise UsageError(f"'{name}' is not a name of an entry", "It holds a character that cannot be shown.")
    if not plain.isascii():
        from unicodedata import is_normalized  # loaded only for the names that need its tables

        if not is_normalized("NFC", plain):
            raise UsageError(f"'{name}' is not in Unicode's NFC form", "Type it again instead of pasting it.")
    for part in plain.split("/"):
        if part[-1] in ". " or part[0] == " ":
            raise UsageError(f"'{name}' is not a name of an entry", "A component begins or ends with a blank or dot.")
    return plain


def pending_path(name: str) -> str:
    """Return where a rotation of an entry that is under way is kept, relative to the store."""
    return f"{PENDING}{name}{_PENDING_SUFFIX}"


def pending_name(path: str) -> str | None:
    """Return the entry whose rotation a path keeps, None for any other path."""
    inside = path.startswith(PENDING) and path.endswith(_PENDING_SUFFIX)
    return path[len(PENDING) : -len(_PENDING_SUFFIX)] or None if inside else None


def entry_folder(path: str) -> str:
    """Return the folder whose readers a file is for: that of the entry (name or path), or of one that is rotated."""
    return (pending_name(path) or path).rpartition("/")[0]
