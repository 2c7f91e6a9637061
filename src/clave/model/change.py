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

Removing a file needs no line: git knows. `Clave-Due: <day> <path>` says from which day on the secret in that file is
good for nothing, where it says so itself (`model.due`); it holds for that blob, and wherever its plaintext goes.
`Clave-Endorse: <full id>` says that the author of this commit stands for another one, which is not signed. Trailers are
a claim of the author; whoever uses one asks git first whether that path changed at all.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

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
_ENDORSE = "Clave-Endorse"
_DUE = "Clave-Due"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Change(NamedTuple):
    """One file that a commit changed: kind (of KINDS), path in the repository, the source blob of `same`."""

    kind: str
    path: str
    source: str | None = None


class Due(NamedTuple):
    """From which day on the secret in a file is good for nothing, as that says itself; the path in the repository."""

    day: date
    path: str


class Note(NamedTuple):
    """What a commit message says.

    `operation` is one of OPERATIONS, from the trailer or else from a subject of pass, pass-otp or gopass;
    None where neither says. `name` is the entry or folder that the subject names (`""` the whole store), for
    a move or a copy the new one. `moves` holds every way to read such a subject as (old, new): names may
    contain ` to `, so there can be several, and git has to tell which. `endorses` are the ids of commits that this
    one endorses, `dues` the ends of what it writes. Nothing in here is safe to print.
    """

    subject: str
    operation: str | None = None
    changes: tuple[Change, ...] = ()
    name: str | None = None
    moves: tuple[tuple[str, str], ...] = ()
    endorses: tuple[str, ...] = ()
    dues: tuple[Due, ...] = ()


def compose(
    subject: str,
    operation: str,
    changes: Iterable[Change],
    *,
    endorses: Iterable[str] = (),
    dues: Iterable[Due] = (),
) -> str:
    """Return the commit message: the subject on one line, then the trailers.

    Control characters of a name in the subject are written as escapes; the trailers hold the exact path.
    Raises ValueError for an operation, kind or source that DESIGN does not know, and for what is no id of a commit.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"'{operation}' is no operation")
    lines = [printable(subject).strip(), "", f"{_OPERATION}: {operation}"]
    for change in changes:
        if change.kind not in KINDS or (change.kind == "same") != bool(change.source):
            raise ValueError(f"'{change.kind}' is no kind of change")
        origin = f" from {change.source}" if change.source else ""
        lines.append(f"{_CHANGE}: {change.kind} {encode(change.path)}{origin}")
    lines += (f"{_DUE}: {due.day.isoformat()} {encode(due.path)}" for due in dues)
    for commit in endorses:
        if not _COMMIT.fullmatch(commit):
            raise ValueError(f"'{commit}' is no id of a commit")
        lines.append(f"{_ENDORSE}: {commit}")
    return "\n".join(lines) + "\n"


def parse(message: str) -> Note:
    """Read a commit message, of any author and any program. Never raises; what is malformed is not there."""
    subject = message.lstrip("\n").partition("\n")[0].rstrip()
    read = _read_subject(subject)
    said = _read_trailers(message)
    return said._replace(subject=subject, operation=said.operation or read.operation, name=read.name, moves=read.moves)


def encode(path: str) -> str:
    """Return a path as it stands in a trailer: every byte but `!` to `~` without `%` becomes `%XX`.

    So a path has no blank, no newline, and one spelling. Bytes that are not UTF-8 are surrogates, as
    `os.fsdecode` makes them.
    """
    return "".join(chr(b) if 0x21 <= b <= 0x7E and b != 0x25 else f"%{b:02X}" for b in os.fsencode(path))


def decode(text: str) -> str | None:
    """Return the path that `encode` wrote, None for what it would not have written."""
    if not re.fullmatch(r"(?:[!-$&-~]|%[0-9A-F]{2})+", text):
        return None
    path = os.fsdecode(re.sub(rb"%(..)", lambda m: bytes((int(m[1], 16),)), text.encode()))
    return path if encode(path) == text else None


def _read_trailers(message: str) -> Note:
    """Return what the trailers say: the last paragraph, if it is not the first, and every line in it a trailer."""
    paragraphs = re.split(r"\n\s*\n", message.strip())
    found: dict[str, list[str]] = {_OPERATION: [], _CHANGE: [], _DUE: [], _ENDORSE: []}
    for line in paragraphs[-1].split("\n") if len(paragraphs) > 1 else []:
        key, colon, value = line.partition(": ")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", key):
            return Note("")
        found.get(key, []).append(value.strip())
    operations = found[_OPERATION]
    return Note(
        "",
        operations[0] if len(operations) == 1 and operations[0] in OPERATIONS else None,
        changes=tuple(filter(None, map(_read_change, found[_CHANGE]))),
        endorses=tuple(each for each in found[_ENDORSE] if _COMMIT.fullmatch(each)),
        dues=tuple(filter(None, map(_read_due, found[_DUE]))),
    )


def _read_change(value: str) -> Change | None:
    kind, _, rest = value.partition(" ")
    encoded, origin, source = rest.partition(" from ")
    path = decode(encoded)
    if path is None or kind not in KINDS or (kind == "same") != bool(origin):
        return None
    if origin and not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", source):
        return None
    return Change(kind, path, source or None)


def _read_due(value: str) -> Due | None:
    day, _, encoded = value.partition(" ")
    path = decode(encoded)
    if path is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day, re.ASCII):
        return None
    from datetime import date

    with suppress(ValueError):
        return Due(date.fromisoformat(day), path)
    return None


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
