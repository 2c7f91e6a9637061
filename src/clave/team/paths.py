"""What a path in a team store is, who may change it, and which paths there may be.

| path | who may change it |
|---|---|
| `a/b.gpg` | who may write the folder |
| `.clave/pending/a/b` (a rotation under way) | the same: who may write the folder of `a/b` |
| `.clave/accepted/a/b` (its value stays as it is) | the same |
| `.public-keys/FINGERPRINT` | whose key it is, and admins |
| `.clave/log/FINGERPRINT/YYYY-MM.jsonl` | that key alone, and only by adding lines |
| `.gpg-id`, `.clave/`, anything else | admins |

A tree holds ordinary files alone (mode 100644). A name is UTF-8 in NFC, printable, of at most 200 bytes, does not begin
with a dash or blank or end with a dot or blank, and no other name beside it differs only in case or in Unicode's forms.
`.git`, `.gitmodules` and `.extensions` are refused, and so is what a file system may take for a name with a meaning.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import is_normalized, normalize

from clave.model.text import printable
from clave.team.roster import ADMIN, MAX_COMPONENT
from clave.team.tree import ORDINARY, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.team.roster import Roster
    from clave.team.tree import File

RECIPIENTS = ".gpg-id"
CERTIFICATES = ".public-keys"
ROSTERS = ".clave/roster"
POLICY = ".clave/policy.toml"

_REFUSED = frozenset((".git", ".gitmodules", ".extensions"))
_WITH_MEANING = frozenset((".clave", RECIPIENTS, CERTIFICATES, ".gitattributes", ".gitignore"))
_FINGERPRINT = r"([0-9A-F]{40}(?:[0-9A-F]{24})?)"
_CERTIFICATE = re.compile(rf"\.public-keys/{_FINGERPRINT}")
_LOG = re.compile(rf"\.clave/log/{_FINGERPRINT}/\d{{4}}-\d{{2}}\.jsonl", re.ASCII)
_ROSTER = re.compile(r"\.clave/roster/(\d{5})\.toml(\.sig)?", re.ASCII)
_PENDING = ".clave/pending/"
ACCEPTED = ".clave/accepted"
_SUFFIX = ".gpg"


class Kind(StrEnum):
    """What a path is."""

    ENTRY = "entry"
    PENDING = "pending"
    ACCEPTED = "accepted"
    CERTIFICATE = "certificate"
    LOG = "log"
    RECIPIENTS = "recipients"
    ROSTER = "roster"
    OTHER = "other"


class Place(NamedTuple):
    """What a path is, and whose: `folder` says whose rights hold (entry, pending, accepted), else `fpr` whose key."""

    kind: Kind
    folder: str = ""
    fpr: str = ""


@lru_cache(maxsize=1 << 16)
def place(path: str) -> Place:
    """Tell what a path is."""
    folder, _, name = path.rpartition("/")
    if name == RECIPIENTS:
        return Place(Kind.RECIPIENTS)
    if match := _CERTIFICATE.fullmatch(path):
        return Place(Kind.CERTIFICATE, fpr=match[1])
    if match := _LOG.fullmatch(path):
        return Place(Kind.LOG, fpr=match[1])
    if path.startswith(f"{ROSTERS}/"):
        return Place(Kind.ROSTER)
    entry = path.removeprefix(_PENDING)
    visible = not any(part.startswith(".") for part in entry.split("/"))
    if visible and entry != path:
        return Place(Kind.PENDING, folder=entry.rpartition("/")[0])
    accepted = path.removeprefix(f"{ACCEPTED}/")
    if accepted != path and not any(part.startswith(".") for part in accepted.split("/")):
        return Place(Kind.ACCEPTED, folder=accepted.rpartition("/")[0])
    if visible and name.endswith(_SUFFIX):
        return Place(Kind.ENTRY, folder=folder)
    return Place(Kind.OTHER)


def may_change(roster: Roster, fingerprint: str, path: str) -> bool:
    """Tell whether the owner of a key may change a path, by the table above."""
    member = roster.who(fingerprint)
    if member is None:
        return False
    kind, folder, fpr = place(path)
    if kind in (Kind.ENTRY, Kind.PENDING, Kind.ACCEPTED):
        return member.name in roster.writers(folder)
    if kind is Kind.LOG:
        return fpr == fingerprint
    if kind is Kind.CERTIFICATE and roster.who(fpr) == member:
        return True
    return member.role == ADMIN


def is_protected(path: str) -> bool:
    """Tell whether a path decides whom the store trusts: only a signature of its author's own may change it."""
    return path.startswith((".clave/", f"{CERTIFICATES}/")) or place(path).kind is Kind.RECIPIENTS


def roster_path(number: int) -> str:
    """Return the path of a roster; that of its signature ends with `.sig` in addition."""
    return f"{ROSTERS}/{number:05}.toml"


def roster_number(path: str) -> int | None:
    """Return the number of the roster at a path, None for the path of anything else (a signature too)."""
    match = _ROSTER.fullmatch(path)
    return int(match[1]) if match and not match[2] and int(match[1]) else None


def certificate_path(fingerprint: str) -> str:
    """Return the path of somebody's certificate."""
    return f"{CERTIFICATES}/{fingerprint}"


def tree_problem(tree: Tree, before: Tree, folder: str = "") -> str | None:
    """Return why a tree is not allowed, None if it is. What is in `before` was looked at already."""
    if tree is before:
        return None
    added = tree.nodes.keys() - before.nodes.keys()
    problem = next(filter(None, map(_name_problem, sorted(added))), None) or _twins(tree, added)
    if problem:
        return f"{printable(folder) or '.'}: {problem}"
    there = before.nodes.get
    for name, node in [(name, node) for name, node in tree.nodes.items() if there(name) is not node]:
        old = there(name)
        path = f"{folder}/{name}" if folder else name
        if isinstance(node, Tree):
            problem = tree_problem(node, old if isinstance(old, Tree) else Tree(), path)
        elif node != old:
            problem = _file_problem(path, node)
        if problem:
            return problem
    return None


def _file_problem(path: str, file: File) -> str | None:
    if file.mode != ORDINARY:
        return f"{printable(path)} is no ordinary file (mode {printable(file.mode)})"
    if path.startswith(_PENDING) and path.endswith(_SUFFIX):
        return f"{printable(path)} is pending and may not look like an entry"
    return None


def _name_problem(name: str) -> str | None:
    if name in ("", ".", ".."):
        return f"'{name}' leads elsewhere"
    if not name.isprintable():  # false for what is not UTF-8, too: such bytes are surrogates
        return f"'{printable(name)}' holds what cannot be shown"
    folded = caseless(name)
    if folded in _REFUSED:
        return f"{folded} may not be in a store"
    if folded in _WITH_MEANING and name != folded:
        return f"'{name}' is {folded} on other systems"
    if not is_normalized("NFC", name):
        return f"'{name}' is not in Unicode's NFC form"
    if len(name.encode()) > MAX_COMPONENT:
        return f"'{name[:20]}…' has more than {MAX_COMPONENT} bytes"
    if name[0] in "- ":
        return f"'{name}' begins with a dash or blank"
    if name[-1] in ". " or name.removesuffix(_SUFFIX)[-1:] in (".", " "):
        return f"'{name}' ends with a dot or blank"
    return None


def _twins(folder: Tree, added: Iterable[str]) -> str | None:
    """Return that a new name in a folder is, for some systems, the same as another one."""
    if not added:
        return None
    folded: dict[str, str] = {}
    for name in folder.nodes:
        other = folded.setdefault(caseless(name), name)
        if other != name:
            return f"'{printable(name)}' and '{printable(other)}' differ only in case or form"
    return None


def caseless(name: str) -> str:
    """Return what is equal for names that a file system may take for one (Unicode's canonical caseless matching)."""
    if name.isascii():
        return name.lower()
    return normalize("NFD", normalize("NFD", name).casefold())
