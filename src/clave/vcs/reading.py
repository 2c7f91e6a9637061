"""Reading many objects of a repository, a few processes of git for all of them.

Nothing is interpreted here beyond git's own formats, and nothing comes from the work tree. Objects that are not there
are left out of an answer: who asked for them says what that means.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, OutputTooLarge
from clave.model.text import printable
from clave.vcs.git import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clave.vcs.git import Repository

LARGEST = 256 << 20  # bytes of a blob that is read; a secret is small
_AT_ONCE = 5_000  # objects that one process gives
_LIMIT = 512 << 20  # bytes that one process may give
_ROW = {size: re.compile(rb"([0-7]+) ([^\0/]+)\0.{%d}" % size, re.DOTALL) for size in (20, 32)}  # of a tree


class Changed(NamedTuple):
    """A path that differs between two commits, and what the second has there; `mode` and `blob` are "" for nothing."""

    path: str
    mode: str
    blob: str


class Compared(NamedTuple):
    """What a commit changed; `broken` says of a tree in it that git would not have made it, "" if it would have."""

    changed: tuple[Changed, ...]
    broken: str = ""


def parents(repository: Repository, tip: str, *, after: str = "") -> dict[str, tuple[str, ...]]:
    """Return the parents of a commit and of all commits before it, without what comes before `after` ("": all).

    Raises GitFailed for what is no commit.
    """
    excluded = [f"^{after}^@"] if after else []
    rows = repository.run("rev-list", "--parents", tip, *excluded, "--").out.decode().splitlines()
    split = (row.split(" ") for row in rows)
    return {commit: tuple(before) for commit, *before in split}


def commits(
    repository: Repository, ids: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[dict[str, bytes], dict[str, Compared]]:
    """Return commits as they are, and what each first of a pair changed, seen from the second.

    Renames are not guessed, and submodules are never passed over. A tree that is missing is a GitFailed.

    A tree in which a name stands twice, or at a wrong place, is one thing for one git and another for the next. If the
    second of a pair is whole, such names are new in the first, or not in order: only what has new names is looked at.
    """
    lines = "".join(f"{commit} {parent}\n" for commit, parent in pairs).encode()
    options = ("--stdin", "-r", "-t", "-z", "--raw", "--no-renames", "--no-abbrev", "--always")
    shown = ("--no-ext-diff", "--ignore-submodules=none")
    with repository.start("diff-tree", *options, *shown, input=lines) as comparing:
        raw = dict(objects(repository, ids, "commit"))
        result = comparing.finish()
    if result.code != 0:
        raise failure("diff-tree", result)
    found: dict[str, Compared] = {}
    grown: dict[str, str] = {}
    for commit, rows in _rows(result.out).items():
        found[commit] = Compared(tuple(row.changed for row in rows if not row.is_tree), _order_problem(rows))
        grown |= dict.fromkeys(_grown(rows, raw.get(commit, b"")), commit)
    for tree, data in objects(repository, grown, "tree"):
        if not _is_whole(data, len(tree) // 2):
            here = found[grown[tree]]
            found[grown[tree]] = here._replace(broken=here.broken or f"its tree {tree[:12]} is not as git makes trees")
    return raw, found


class _Compared(NamedTuple):
    """A row of a comparison. `key` is where git sorts it."""

    key: bytes
    is_tree: bool
    is_new: bool
    changed: Changed


def _rows(out: bytes) -> dict[str, list[_Compared]]:
    fields = out.split(b"\0")[:-1]
    found: dict[str, list[_Compared]] = {}
    current: list[_Compared] = []
    at = 0
    while at < len(fields):
        if not fields[at].startswith(b":"):
            current = found.setdefault(fields[at].strip().decode(), [])
            at += 1
            continue
        old, mode, _, blob, status = fields[at][1:].decode().split(" ")
        path = fields[at + 1]
        is_tree = "040000" in (old, mode)
        changed = Changed(os.fsdecode(path), *(("", "") if status == "D" else (mode, blob)))
        current.append(_Compared(path + b"/" * is_tree, is_tree, status == "A", changed))
        at += 2
    return found


def _order_problem(rows: Sequence[_Compared]) -> str:
    for before, after in pairwise(rows):
        if before.key >= after.key:
            return f"{printable(after.changed.path)} stands twice in it, or at a wrong place"
    return ""


def _grown(rows: Sequence[_Compared], commit: bytes) -> set[str]:
    """Return the ids of the trees that have new names, also further below: a name with a slash seems to be there."""
    new = [row.changed.path for row in rows if row.is_new]
    if not new:
        return set()
    above = {path[:at] for path in new for at, c in enumerate(path) if c == "/"}
    top = commit.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii", "replace")
    return {top, *(row.changed.blob for row in rows if row.is_tree and row.changed.path in above)}


def _is_whole(tree: bytes, size: int) -> bool:
    """Tell whether the names of a tree are each there once, and sorted; `size` is that of an id in it."""
    rows = _ROW[size].findall(tree)
    keys = [name + b"/" if mode in (b"40000", b"040000") else name for mode, name in rows]
    names = {name for _, name in rows}
    length = sum(len(mode) + len(name) + 2 + size for mode, name in rows)
    return length == len(tree) and len(names) == len(rows) and keys == sorted(keys)


def newest(repository: Repository, tip: str, count: int) -> list[str]:
    """Return a commit and the newest before it, at most so many."""
    return repository.run("rev-list", f"--max-count={count}", tip, "--").out.decode().splitlines()


def additions(repository: Repository, tip: str, folder: str) -> dict[str, tuple[str, int]]:
    """Return the commit that added each file of a folder, and its committer's time."""
    options = ("--format=%x00%H %ct", "-z", "--name-only", "--diff-filter=A", "--no-renames", "--no-ext-diff")
    out = os.fsdecode(repository.run("log", *options, tip, "--", folder).out)
    found: dict[str, tuple[str, int]] = {}
    commit, time = "", 0
    for field in filter(None, out.replace("\n", "\0").split("\0")):
        head, blank, seconds = field.partition(" ")
        if blank and len(head) in (40, 64) and seconds.isdecimal():
            commit, time = head, int(seconds)
        else:
            found[field] = (commit, time)
    return found


def files(repository: Repository, commit: str, below: Sequence[str] = ()) -> list[Changed]:
    """Return all files of a commit, or those below some folders, also symlinks and submodules.

    A path that a broken tree has twice comes twice.
    """
    out = os.fsdecode(repository.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *below).out)
    found: list[Changed] = []
    for row in out.split("\0")[:-1]:
        about, _, path = row.partition("\t")
        mode, _, blob = about.split(" ")
        found.append(Changed(path, mode, blob))
    return found


def objects(repository: Repository, ids: Iterable[str], kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield id and content of each of the objects that is there, is of this kind, and is no larger than LARGEST."""
    wanted = list(dict.fromkeys(ids))
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        try:
            yield from _batch(repository, some, kind)
        except OutputTooLarge:
            yield from _one_by_one(repository, some, kind)


def _batch(repository: Repository, ids: Sequence[str], kind: str) -> Iterator[tuple[str, bytes]]:
    out = memoryview(_cat(repository, "--batch", ids, _LIMIT))
    at = 0
    while at < len(out):
        end = at + bytes(out[at : at + 200]).index(b"\n")
        head = bytes(out[at:end]).decode().split(" ")
        at = end + 1
        if len(head) != 3:
            continue  # "<id> missing"
        size = int(head[2])
        if head[1] == kind and size <= LARGEST:
            yield head[0], bytes(out[at : at + size])
        at += size + 1


def _one_by_one(repository: Repository, ids: Sequence[str], kind: str) -> Iterator[tuple[str, bytes]]:
    for row in _cat(repository, "--batch-check", ids, None).decode().splitlines():
        head = row.split(" ")
        if len(head) == 3 and head[1] == kind and int(head[2]) <= LARGEST:
            yield from _batch(repository, head[:1], kind)


def _cat(repository: Repository, how: str, ids: Sequence[str], limit: int | None) -> bytes:
    lines = "".join(f"{each}\n" for each in ids).encode()
    with repository.start("cat-file", how, "--buffer", input=lines, limit=limit) as git:
        result = git.finish()
    if result.code != 0:
        raise failure("cat-file", result)
    return result.out


def blobs(repository: Repository, tip: str, wanted: Callable[[str], bool]) -> list[str]:
    """Return the blobs of all files with a wanted path that a commit or one before it has."""
    rows = os.fsdecode(repository.run("rev-list", "--objects", tip, "--").out).split("\n")
    return [blob for blob, _, path in (row.partition(" ") for row in rows) if path and wanted(path)]


def resolve(repository: Repository, revision: str) -> str | None:
    """Return the id of the commit that a revision means, None for what is none."""
    result = repository.run("rev-parse", "-q", "--verify", "--end-of-options", f"{revision}^{{commit}}", check=False)
    return result.out.decode().strip() if result.code == 0 else None


def require_commit(repository: Repository, revision: str) -> str:
    """Return the id of the commit that a revision means. Raises GitFailed for what is none."""
    commit = resolve(repository, revision)
    if commit is None:
        raise GitFailed(f"there is no commit '{revision}'", "See: clave log.")
    return commit
