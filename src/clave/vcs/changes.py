"""Every commit of a history with the files that it changed: one process of git for all that have one parent.

Nothing is interpreted beyond git's own formats. Merges are compared with each of their parents.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.vcs.git import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clave.vcs.git import Repository


class Change(NamedTuple):
    """A path that differs from a parent: the blobs before and after, "" for none."""

    path: str
    old: str
    new: str


class Commit(NamedTuple):
    """A commit: committer's time in Unix seconds, author's address and message (claims), and what it changed.

    A time that is none, or after the year 9999, is 0.

    `sides` has what differs from each parent; of a commit without one, all that it has.
    """

    id: str
    parents: tuple[str, ...]
    time: int
    email: str
    message: str
    sides: tuple[tuple[Change, ...], ...]


_SHOWN = "%x00%H%x00%P%x00%ct%x00%ae%x00%B%x00"
_FIELDS = 5
_LAST = 253402300799  # the last second of the year 9999
_COMPARED = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")


def commits(repository: Repository, tip: str, *, after: str = "") -> list[Commit]:
    """Return a commit and all before it, parents first; without `after` and what comes before that.

    Raises GitFailed for what is no commit.
    """
    excluded = [f"^{after}"] if after else []
    options = ("--topo-order", "--reverse", "--root", "--no-mailmap", "--no-notes", "--no-show-signature")
    out = repository.run("log", *options, *_COMPARED, f"--format={_SHOWN}", tip, *excluded, "--").out
    found = list(_read(os.fsdecode(out).split("\0")))
    sides = _of_merges(repository, [each for each in found if len(each.parents) > 1])
    return [each._replace(sides=sides[each.id]) if each.id in sides else each for each in found]


def all_blobs(repository: Repository) -> list[str]:
    """Return all blobs that the repository has, also those that no commit leads to."""
    shown = "--batch-check=%(objectname) %(objecttype)"
    rows = repository.run("cat-file", "--batch-all-objects", "--unordered", "--buffer", shown).out.decode().splitlines()
    return [row.removesuffix(" blob") for row in rows if row.endswith(" blob")]


def _read(fields: Sequence[str]) -> Iterator[Commit]:
    """Read what git log has written: for each commit its fields, then its changes."""
    at, end = 0, len(fields)
    while at < end:
        commit = fields[at].lstrip("\n")
        if not commit:
            at += 1
            continue
        _, parents, time, email, message = fields[at : at + _FIELDS]
        at += _FIELDS
        changes: list[Change] = []
        while at < end and (not (field := fields[at]) or ":" in field[:2]):
            if field:
                changes.append(_change(field, fields[at + 1]))
                at += 1
            at += 1
        yield Commit(commit, tuple(parents.split()), _seconds(time), email, message, (tuple(changes),))


def _of_merges(repository: Repository, merges: Sequence[Commit]) -> dict[str, tuple[tuple[Change, ...], ...]]:
    """Return what each merge changed, seen from each of its parents."""
    if not merges:
        return {}
    lines = "".join(f"{each.id} {parent}\n" for each in merges for parent in each.parents).encode()
    with repository.start("diff-tree", "--stdin", "-r", "--always", *_COMPARED, input=lines) as comparing:
        result = comparing.finish()
    if result.code != 0:
        raise failure("diff-tree", result)
    found: dict[str, list[list[Change]]] = {}
    fields = os.fsdecode(result.out).split("\0")
    at = 0
    current: list[Change] = []
    while at < len(fields):
        if fields[at].startswith(":"):
            current.append(_change(fields[at], fields[at + 1]))
            at += 1
        elif fields[at].strip():
            current = []
            found.setdefault(fields[at].strip(), []).append(current)
        at += 1
    return {commit: tuple(map(tuple, sides)) for commit, sides in found.items()}


def _seconds(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= len(str(_LAST)) and int(text) <= _LAST else 0


def _change(about: str, path: str) -> Change:
    """Read a row of git's raw format: modes, blobs, status."""
    _, _, old, new, _ = about.split(" ")
    return Change(path, old.strip("0") and old, new.strip("0") and new)
