"""What a commit says about itself: pass's subjects, and clave's trailers below them.

A commit of clave reads

    Add given password for work/db to store.

    Clave-Op: insert
    Clave-Change: part work/db.gpg

The subject is for people and is exactly pass's where pass has one. The trailers (git's own notion: the last
paragraph, `git log --format='%(trailers)'` shows them) are for programs. They carry, for every file whose
blob the commit changed, the path in the repository, as git names it, and what became of the secret in it:

    value  every secret field is new            meta   no secret field is new
    part   some are                             rekey  same plaintext, new recipients
    same   the plaintext is that of another blob (restored, moved, copied), named behind `from`

Removing a file needs no line: git knows. `Clave-Due: <YYYY-MM-DD> <path>` is the end that an entry has of its own: the
date in its text, or of a certificate in it. `Clave-Endorse: <full id>` says that the author of this commit stands for
another one, which is not signed. Trailers are a claim of the author; whoever uses one asks git first whether that path
changed at all.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

# DESIGN.md, Store format.
OPERATIONS = frozenset(
    (
        "copy",
        "edit",
        "endorse",
        "generate",
        "import",
        "insert",
        "merge",
        "move",
        "policy",
        "rekey",
        "remove",
        "restore",
        "rotate",
        "team",
        "undo",
    )
)
KINDS = frozenset(("meta", "part", "rekey", "same", "value"))

_OPERATION = "Clave-Op"
_CHANGE = "Clave-Change"
_DUE = "Clave-Due"
_ENDORSE = "Clave-Endorse"
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Change(NamedTuple):
    """One file that a commit changed: kind (of KINDS), path in the repository, the source blob of `same`."""

    kind: str
    path: str
    source: str | None = None


class Note(NamedTuple):
    """What a commit message says.

    `operation` is one of OPERATIONS, from the trailer or else from a subject of pass, pass-otp or gopass;
    None where neither says. `name` is the entry or folder that the subject names (`""` the whole store), for
    a move or a copy the new one. `moves` holds every way to read such a subject as (old, new): names may
    contain ` to `, so there can be several, and git has to tell which. `endorses` are the ids of commits that this
    one endorses, `dues` the ends of entries: date (ISO 8601, perhaps none of the calendar) and path. Nothing in here is
    safe to print.
    """

    subject: str
    operation: str | None = None
    changes: tuple[Change, ...] = ()
    name: str | None = None
    moves: tuple[tuple[str, str], ...] = ()
    endorses: tuple[str, ...] = ()
    dues: tuple[tuple[str, str], ...] = ()


def compose(
    subject: str,
    operation: str,
    changes: Iterable[Change],
    *,
    endorses: Iterable[str] = (),
    dues: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the commit message: the subject on one line, then the trailers.

    Control characters of a name in the subject are written as escapes; the trailers hold the exact path.
    Raises ValueError for an operation, kind or source that DESIGN does not know, for what is no id of a commit, and for
    what is no date.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"'{operation}' is no operation")
    lines = [printable(subject).strip(), "", f"{_OPERATION}: {operation}"]
    for change in changes:
        if change.kind not in KINDS or (change.kind == "same") != bool(change.source):
            raise ValueError(f"'{change.kind}' is no kind of change")
        origin = f" from {change.source}" if change.source else ""
        lines.append(f"{_CHANGE}: {change.kind} {encode(change.path)}{origin}")
    for day, path in dues:
        if not _DATE.fullmatch(day):
            raise ValueError(f"'{day}' is no date")
        lines.append(f"{_DUE}: {day} {encode(path)}")
    for commit in endorses:
        if not _COMMIT.fullmatch(commit):
            raise ValueError(f"'{commit}' is no id of a commit")
        lines.append(f"{_ENDORSE}: {commit}")
    return "\n".join(lines) + "\n"


def parse(message: str) -> Note:
    """Read a commit message, of any author and any program. Never raises; what is malformed is not there."""
    subject = message.lstrip("\n").partition("\n")[0].rstrip()
    read = _read_subject(subject)
    said = trailers(message)
    return said._replace(subject=subject, operation=said.operation or read.operation, name=read.name, moves=read.moves)


def encode(path: str) -> str:
    """Return a path as it stands in a trailer: every byte but `!` to `~` without `%` becomes `%XX`.

    So a path has no blank, no newline, and one spelling. Bytes that are not UTF-8 are surrogates, as
    `os.fsdecode` makes them.
    """
    return "".join(chr(b) if 0x21 <= b <= 0x7E and b != 0x25 else f"%{b:02X}" for b in os.fsencode(path))


def decode(text: str) -> str | None:
    """Return the path that `encode` wrote, None for what it would not have written."""
    if text.isascii() and text.isprintable() and not ("%" in text or " " in text):
        return text or None
    if not re.fullmatch(r"(?:[!-$&-~]|%[0-9A-F]{2})+", text):
        return None
    path = os.fsdecode(re.sub(rb"%(..)", lambda m: bytes((int(m[1], 16),)), text.encode()))
    return path if encode(path) == text else None


def trailers(message: str) -> Note:
    """Return what the trailers say: those of the last paragraph, if it is not the first and holds nothing else.

    The subject is left out of it. Never raises.
    """
    paragraphs = re.split(r"\n\s*\n", message.strip())
    if len(paragraphs) < 2:
        return Note("")
    operations: list[str] = []
    changes: list[Change] = []
    endorses: list[str] = []
    dues: list[tuple[str, str]] = []
    for line in paragraphs[-1].split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", key):
            return Note("")
        value = value.strip()
        if key == _OPERATION:
            operations.append(value)
        elif key == _CHANGE and (change := _read_change(value)):
            changes.append(change)
        elif key == _DUE and (due := _read_due(value)):
            dues.append(due)
        elif key == _ENDORSE and _COMMIT.fullmatch(value):
            endorses.append(value)
    operation = operations[0] if len(operations) == 1 and operations[0] in OPERATIONS else None
    return Note("", operation, tuple(changes), endorses=tuple(endorses), dues=tuple(dues))


def _read_due(value: str) -> tuple[str, str] | None:
    day, _, encoded = value.partition(" ")
    path = decode(encoded)
    return (day, path) if path and _DATE.fullmatch(day) else None


def _read_change(value: str) -> Change | None:
    kind, _, rest = value.partition(" ")
    encoded, origin, source = rest.partition(" from ")
    path = decode(encoded)
    if path is None or kind not in KINDS or (kind == "same") != bool(origin):
        return None
    if origin and not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", source):
        return None
    return Change(kind, path, source or None)


# What pass 1.7.4, pass-otp 1.1.1 and gopass (1.9 to 1.15) write. The group `name` is the entry or folder.
# Names may hold the words around them: greedy where the words after the name are pass's last ones.
_MAX_SUBJECT = 10_000  # characters: two of the longest names; bounds the ways to split one at ` to `
_SAVED = r"Save secret (?:to )?(?P<name>.+?): "
# Compiled when first used, by `re`: a write needs none of them.
_SUBJECTS = (
    (r"Add given password for (?P<name>.+) to store\.", "insert"),
    (r"(?:Add|Edit) password for (?P<name>.+) using .*\.", "edit"),
    (r"(?:Add|Replace) generated password for (?P<name>.+)\.", "generate"),
    (r"(?:Add|Append|Replace) OTP secret for (?P<name>.+?)(?: to store)?\.", "edit"),
    (r"Remove (?P<name>.+) from store\.", "remove"),
    (r"Remove (?P<name>.+)\.", "remove"),  # pass's mv into another repository
    (r"(?:Set GPG id to|Reencrypt password store using new GPG id) .*\((?P<name>[^()]+)\)\.", "rekey"),
    (r"Deinitialize .*\((?P<name>[^()]+)\)\.", "rekey"),
    (r"(?:Set GPG id to|Reencrypt password store using new GPG id|Deinitialize) .*(?P<name>)\.", "rekey"),
    (r"Signing new GPG id with .*\.", "rekey"),
    (r"Add current contents? of password store\.?", "import"),
    (rf"{_SAVED}(?:Added|Removed) Recipient .*", "rekey"),
    (rf"{_SAVED}Generated [Pp]assword.*", "generate"),
    (rf"{_SAVED}(?:Read secret from STDIN|Inserted user supplied password|Created new entry)", "insert"),
    (rf"{_SAVED}.*", "edit"),
    (r"(?:Added?|Removed?) [Rr]ecipient .*|(?:Re-encrypt|Initialize) Store for .*", "rekey"),
)
_MOVES = (
    (r"Rename (.+)\.", "move"),
    (r"Copy (.+)\.", "copy"),
    (r"(?:Save secret .+: )?(?:Move|Moved) (?:from )?(.+)", "move"),
    (r"(?:Save secret .+: )?(?:Copy|Copied) (?:from )?(.+)", "copy"),
)


def _read_subject(subject: str) -> Note:
    if len(subject) > _MAX_SUBJECT:
        return Note(subject)
    for expression, operation in _MOVES:
        if match := re.fullmatch(expression, subject):
            parts = match[1].split(" to ")
            moves = tuple(
                (" to ".join(parts[:i]).strip("/"), " to ".join(parts[i:]).strip("/")) for i in range(1, len(parts))
            )
            if moves:
                return Note(subject, operation, name=moves[0][1], moves=moves)
    for expression, operation in _SUBJECTS:
        if match := re.fullmatch(expression, subject):
            name = match.groupdict().get("name")
            return Note(subject, operation, name=None if name is None else name.strip("/"))
    return Note(subject)
