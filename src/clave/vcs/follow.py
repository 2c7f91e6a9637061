"""Following files back through history: through renames, moves to other recipients, and copies.

A scope is what is followed: the path of a file, a folder (with a final slash), or `""` for everything. Where a
followed file came from is told by git (a rename of the same blob), by clave's trailers, or by pass's and gopass's
subjects; words only count where the tree agrees. A name stays followed beyond its removal: an entry that was
removed and inserted again has one history.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from clave.model.change import Note, parse
from clave.model.name import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from clave.vcs.history import Commit, FileChange

    # Mode and blob of every file of a commit.
    Files = Callable[[str], Mapping[str, tuple[str, str]]]


class Place(NamedTuple):
    """How the names of a store and the paths of a repository belong together.

    `below` is where the store begins in the repository, `above` where the repository begins in the store: both
    `""`, or one of them a path with a final slash.
    """

    below: str
    above: str

    @classmethod
    def of(cls, root: str, work_tree: str) -> Place:
        """Return the place of the store at `root` in the repository whose work tree that is."""
        way = os.path.relpath(os.path.realpath(root), work_tree)
        if way == ".":
            return cls("", "")
        if way.startswith(".."):
            return cls("", os.path.relpath(work_tree, os.path.realpath(root)) + "/")
        return cls(way + "/", "")

    def name(self, path: str) -> str:
        """Return what a path of the repository is called in the store (`.gpg` stays)."""
        return self.above + path.removeprefix(self.below)

    def path(self, name: str) -> str:
        """Return the path in the repository of what is called `name` in the store."""
        return self.below + name.removeprefix(self.above)


class Touch(NamedTuple):
    """What a commit did to a followed file.

    `kind` is added, changed, removed, moved or copied; `source` the path of a moved or copied one before. `mode`
    and `blob` are None for a removed one.
    """

    kind: str
    path: str
    mode: str | None
    blob: str | None
    source: str | None = None


class Step(NamedTuple):
    """A commit on the way back: what it says, what it did to the followed files (often nothing).

    `scopes` are those by which the files were followed in its tree.
    """

    commit: Commit
    note: Note
    touches: tuple[Touch, ...]
    scopes: frozenset[str]


def follow(commits: Iterable[Commit], scopes: Collection[str], *, place: Place, files: Files) -> Iterator[Step]:
    """Yield a step for each commit, following `scopes` from the first one on.

    `commits` has children before their parents. A merge touches only what is in none of its parents.
    """
    pending: dict[str, frozenset[str]] = {}
    start = frozenset(scopes)
    for commit in commits:
        here = pending.pop(commit.id, start)
        note = parse(commit.message)
        sides = []
        for parent, changes in zip(commit.parents or ("",), commit.changes, strict=True):
            touches = _touches(changes, _Origins(note, place, parent, changes, files), here)
            before = _before(touches, here)
            pending[parent] = pending[parent] | before if parent in pending else before
            sides.append(touches)
        own = set.intersection(*({touch.path for touch in side} for side in sides))
        yield Step(commit, note, tuple(touch for touch in sides[0] if touch.path in own), here)


def covers(scopes: Collection[str], path: str) -> bool:
    """Tell whether a path is one of the scopes or lies in one."""
    if path in scopes or "" in scopes:
        return True
    slash = path.find("/")
    while slash >= 0:
        if path[: slash + 1] in scopes:
            return True
        slash = path.find("/", slash + 1)
    return False


def _touches(changes: Sequence[FileChange], origins: _Origins, here: frozenset[str]) -> list[Touch]:
    touches = []
    moved = set()
    for change in changes:
        if change.blob is None:
            continue
        followed = covers(here, change.path)
        source, copied = origins.of(change, copies=followed)
        if source and not copied:
            moved.add(source)
        if followed or (source and not copied and covers(here, source)):
            kind = "copied" if copied else "moved" if source else "changed" if change.old_blob else "added"
            touches.append(Touch(kind, change.path, change.mode, change.blob, source))
    gone = (change.path for change in changes if change.blob is None and change.path not in moved)
    return [*touches, *(Touch("removed", path, None, None) for path in gone if covers(here, path))]


def _before(touches: Iterable[Touch], here: frozenset[str]) -> frozenset[str]:
    """Return the scopes in the parent: where a followed file came from elsewhere, it is followed there."""
    came = [(touch.path, touch.source) for touch in touches if touch.source and covers(here, touch.path)]
    if not came:
        return here
    return here.difference(path for path, _ in came).union(source for _, source in came)


class _Origins:
    """Tells where the files that a commit wrote came from, against one parent."""

    def __init__(self, note: Note, place: Place, parent: str, changes: Sequence[FileChange], files: Files) -> None:
        self._note = note
        self._place = place
        self._parent = parent
        self._files = files
        self._same = {change.path: change.source for change in note.changes if change.kind == "same"}
        self._removed: dict[str | None, list[str]] = {}  # by blob; the paths of a blob in git's order
        for change in changes:
            if change.blob is None:
                self._removed.setdefault(change.old_blob, []).append(change.path)
        self._gone = {change.path for change in changes if change.blob is None}

    def of(self, change: FileChange, *, copies: bool) -> tuple[str | None, bool]:
        """Return the path that a file had before, or None, and whether that path is still there (a copy).

        Copies are looked for only if asked: that costs a process.
        """
        if change.source:
            return change.source, False
        if self._note.operation not in ("move", "copy"):
            return None, False
        blob = self._same.get(change.path)
        known = self._removed.get(blob, []) if blob else []
        readings = self._readings(change.path)
        for path in (*readings, *known):
            if path in (known or self._gone):
                return path, False
        if copies and self._parent:
            for path in readings:
                if path in self._there and blob in (None, self._there[path][1]):
                    return path, True
        return None, False

    @cached_property
    def _there(self) -> Mapping[str, tuple[str, str]]:
        return self._files(self._parent)

    def _readings(self, path: str) -> list[str]:
        """Return the paths that the subject may mean as the source of `path`, by pass's rules for mv and cp."""
        suffix = SUFFIX if path.endswith(SUFFIX) else ""
        name = self._place.name(path).removesuffix(suffix)
        pairs = (
            (old, target)
            for old, new in self._note.moves
            for target in (f"{new}/{os.path.basename(old)}", new)  # an existing folder takes it under its own name
        )
        return [
            self._place.path(f"{old}{name[len(target) :]}{suffix}")
            for old, target in pairs
            if name == target or name.startswith(f"{target}/")
        ]
