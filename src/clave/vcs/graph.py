"""How two lines of history lie to each other: what came before both, what each has done since."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed
from clave.model.change import parse
from clave.model.name import SUFFIX
from clave.vcs import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.vcs.git import Repository

_MOST_MERGES = 20  # merges across each other, one above the other

# Mode and blob of every file of a commit.
Files = dict[str, "File"]


class File(NamedTuple):
    """What a commit has at a path: git's mode, and the blob."""

    mode: str
    blob: str


class Told(NamedTuple):
    """A commit as a user is told of it: author, message and time are claims, and not safe to print."""

    id: str
    parents: tuple[str, ...]
    author: str
    message: str
    time: int
    signed: bool

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.lstrip("\n").partition("\n")[0]


def reaches(repository: Repository, commit: str, ancestor: str) -> bool:
    """Tell whether a commit is another one, or has it before itself."""
    return repository.run("merge-base", "--is-ancestor", ancestor, commit, check=False).code == 0


def between(repository: Repository, old: str | None, new: str) -> list[Told]:
    """Return the commits that `new` has before itself and `old` (None: nothing) has not, the oldest first."""
    excluded = [f"^{old}"] if old else []
    ids = repository.run("rev-list", "--reverse", "--topo-order", new, *excluded, "--").out.decode().split()
    raw = dict(reading.objects(repository, ids, "commit"))
    return [_told(commit, raw[commit]) for commit in ids if commit in raw]


def commit(repository: Repository, commit_id: str) -> Told:
    """Return a commit. Raises GitFailed for one that is not there."""
    for each, raw in reading.objects(repository, [commit_id], "commit"):
        return _told(each, raw)
    raise GitFailed(f"git does not have the commit {commit_id[:12]}", "See what is lost: clave git fsck.")


def files(repository: Repository, commit: str) -> Files:
    """Return the files of a commit."""
    return {path: File(mode, blob) for path, mode, blob in reading.files(repository, commit)}


def files_before(repository: Repository, ours: str, theirs: str, depth: int = 0) -> Files:
    """Return the files that two commits began with.

    Where several commits are the last before both, a file is what it is in all of them, or what a clean merge of two
    makes of it; where that is not clear, it is one that nobody has: File("", "").
    """
    bases = repository.run("merge-base", "--all", ours, theirs, check=False).out.decode().split()
    if not bases:
        return {}
    trees = [files(repository, base) for base in bases]
    if len(bases) == 1:
        return trees[0]
    clear = len(bases) == 2 and depth < _MOST_MERGES
    older = files_before(repository, bases[0], bases[1], depth + 1) if clear else None
    found: Files = {}
    for path in {path for tree in trees for path in tree}:
        versions = {tree.get(path) for tree in trees}
        file = versions.pop() if len(versions) == 1 else _clean(path, trees, older)
        if file is not None:
            found[path] = file
    return found


def _clean(path: str, trees: Sequence[Files], older: Files | None) -> File | None:
    if older is not None:
        one, other = (tree.get(path) for tree in trees)
        old = older.get(path)
        if old in (one, other):
            return other if old == one else one
    return File("", "")


def moves(repository: Repository, old: Files, tip: str, excluded: str, now: Files) -> dict[str, str]:
    """Return where files of `old` are now, whose places are empty now: new paths by old ones.

    A move is seen where a commit removes a file and adds the same blob, or one that its trailer calls the same.
    """
    ids = repository.run("rev-list", "--reverse", "--topo-order", tip, f"^{excluded}", "--").out.decode().split()
    raw = dict(reading.objects(repository, ids, "commit"))
    origin: dict[str, str] = {}  # the old path of what is at a path
    for commit, rows in _changes(repository, [(each, _parents(raw[each])) for each in ids if each in raw]):
        message = raw[commit].partition(b"\n\n")[2].decode("utf-8", "surrogateescape")
        same = {change.path: change.source for change in parse(message).changes if change.source}
        removed = {before: path for path, before, after in rows if not after}
        for path, _, after in rows:
            source = removed.get(after) or removed.get(same.get(path) or "")
            if after and source:
                origin[path] = origin.pop(source, source)
    return {
        before: path
        for path, before in origin.items()
        if before != path and path.endswith(SUFFIX) and path in now and before in old and before not in now
    }


def _changes(
    repository: Repository, commits: Sequence[tuple[str, tuple[str, ...]]]
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return of each commit the paths that differ from its first parent, with the blobs before and after ("": none)."""
    pairs = "".join(f"{commit} {parents[0]}\n" for commit, parents in commits if parents).encode()
    options = ("--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--always")
    fields = iter(os.fsdecode(repository.run("diff-tree", *options, input=pairs).out).split("\0")[:-1])
    found: list[tuple[str, list[tuple[str, str, str]]]] = []
    for field in fields:
        if field.startswith(":"):
            _, _, before, after, _ = field.split(" ")
            found[-1][1].append((next(fields), _there(before), _there(after)))
        else:
            found.append((field.strip(), []))
    return found


def _there(blob: str) -> str:
    return blob if blob.strip("0") else ""


def _parents(raw: bytes) -> tuple[str, ...]:
    lines = raw.partition(b"\n\n")[0].split(b"\n")
    return tuple(line[7:].decode("ascii", "replace") for line in lines if line.startswith(b"parent "))


def _told(commit: str, raw: bytes) -> Told:
    head, _, message = raw.partition(b"\n\n")
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        headers.setdefault(key, value)
    author = headers.get(b"author", b"").partition(b" <")[0].decode("utf-8", "surrogateescape")
    seconds = headers.get(b"committer", b"").rpartition(b"> ")[2].partition(b" ")[0]
    text = message.decode("utf-8", "surrogateescape")
    time = int(seconds) if seconds.isdigit() and len(seconds) < 12 else 0
    return Told(commit, _parents(raw), author, text, time, b"gpgsig" in headers or b"gpgsig-sha256" in headers)
