"""Reading many objects of a repository, a few processes of git for all of them.

Nothing is interpreted here beyond git's own formats, and nothing comes from the work tree. Objects that are not there
are left out of an answer: who asked for them says what that means.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, OutputTooLarge
from clave.vcs.git import failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clave.vcs.git import Repository

LARGEST = 256 << 20  # bytes of a blob that is read; a secret is small
_AT_ONCE = 500  # objects that one process gives
_LIMIT = 512 << 20  # bytes that one process may give


class Changed(NamedTuple):
    """A path that differs between two commits, and what the second has there; `mode` and `blob` are "" for nothing."""

    path: str
    mode: str
    blob: str


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
) -> tuple[dict[str, bytes], dict[str, tuple[Changed, ...]]]:
    """Return commits as they are, and what each first of a pair changed, seen from the second.

    Renames are not guessed. A tree that is missing is a GitFailed.
    """
    lines = "".join(f"{commit} {parent}\n" for commit, parent in pairs).encode()
    options = ("--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--always")
    with repository.start("diff-tree", *options, input=lines) as comparing:
        raw = dict(objects(repository, ids, "commit"))
        result = comparing.finish()
    if result.code != 0:
        raise failure("diff-tree", result)
    return raw, _changes(result.out)


def _changes(out: bytes) -> dict[str, tuple[Changed, ...]]:
    fields = os.fsdecode(out).split("\0")[:-1]
    found: dict[str, list[Changed]] = {}
    current: list[Changed] = []
    at = 0
    while at < len(fields):
        if not fields[at].startswith(":"):
            current = found.setdefault(fields[at].strip(), [])
            at += 1
            continue
        _, mode, _, blob, _ = fields[at].split(" ")
        gone = not blob.strip("0")
        current.append(Changed(fields[at + 1], "" if gone else mode, "" if gone else blob))
        at += 2
    return {commit: tuple(each) for commit, each in found.items()}


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
