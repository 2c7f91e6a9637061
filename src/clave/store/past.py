"""The past of a store in git: the operations on an entry, and the entry as it was.

Dates are those that the committers claim.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, NotFound, StoreDamaged, UsageError
from clave.model.name import SUFFIX, check
from clave.store import layout
from clave.vcs.follow import Place, covers, follow
from clave.vcs.history import SYMLINK, opened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from clave.store.store import Store
    from clave.vcs.follow import Step
    from clave.vcs.git import Repository
    from clave.vcs.history import History

_VERSIONS_BACK = re.compile(r"[~-](\d{1,6})")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")
_DAY = len("YYYY-MM-DD")
_SHORT = 10  # digits of a commit id that are shown
_LISTED = 5  # versions that an error names
_MAX_ALIASES = 8  # symlinks that are followed one after another


class Version(NamedTuple):
    """An entry in the tree of a commit: its path there, mode and blob, None where it was not there."""

    commit: str
    time: int
    path: str
    mode: str | None
    blob: str | None

    def label(self) -> str:
        """Return what a user is told of it: its commit, and when that was."""
        return f"{short(self.commit)} of {moment(self.time)}"


def moment(seconds: int) -> str:
    """Return a time as a user reads it: local, to the minute."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def utc(seconds: int) -> str:
    """Return a time as a program reads it."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short(commit: str) -> str:
    """Return as much of a commit id as a user is shown."""
    return commit[:_SHORT]


@contextmanager
def past(store: Store, name: str = "") -> Iterator[Past]:
    """Open the past of the repository that keeps an entry or folder. Raises UsageError, GitFailed."""
    plain = check(name) if name.strip("/") else ""
    folder = plain if layout.is_folder(store.root, plain) else plain.rpartition("/")[0]
    repository = store.repository(folder)
    if repository is None:
        raise GitFailed("the password store is not a git repository", 'Try "clave git init".')
    with opened(repository) as history:
        yield Past(store, repository, history)


class Past:
    """What was; made by `past`. `history` is the repository's, `place` tells names and paths."""

    def __init__(self, store: Store, repository: Repository, history: History) -> None:
        self.history = history
        self.place = Place.of(store.root, repository.work_tree)
        self._root = store.root
        self._relative = repository.relative

    def steps(self, scopes: Collection[str]) -> Iterator[Step]:
        """Yield a step for each commit, newest first, following the scopes. Before the first commit: nothing."""
        head = self.history.resolve("HEAD")
        if head is not None:
            commits = self.history.commits(head)
            yield from follow(commits, scopes, place=self.place, files=self.history.files)

    def scopes(self, name: str) -> set[str]:
        """Return what to follow for a name: an entry, a folder or (`""`) the whole store.

        Where a name is both, it is the entry; with a final slash, the folder. One that is gone may have been
        either.
        """
        if not name.strip("/"):
            return {self.place.below}
        entry, folder = self.path(check(name) + SUFFIX), self.path(check(name)) + "/"
        head = self.history.resolve("HEAD")
        if name.endswith("/") or head is None:
            return {folder}
        if self.history.files(head, entry):
            return {entry}
        return {folder} if self.history.files(head, folder) else {entry, folder}

    def path(self, name: str) -> str:
        """Return the path in the repository of a file in the store, through aliases of folders."""
        return self._relative(os.path.join(self._root, name))

    def find(self, name: str, revision: str) -> Version:
        """Return an entry as it was; `revision` is as in `store.history.at`.

        Raises UsageError for what is no revision, NotFound naming the versions that there are.
        """
        back = _VERSIONS_BACK.fullmatch(revision)
        if back:
            version = next(islice(self.versions(name), int(back[1]), None), None)
        elif _DATE.fullmatch(revision):
            until = _end(revision)
            states = (_state(step) for step in self._touching(name))
            version = next((state for state in states if state.time <= until), None)
        else:
            version = self._in_commit(name, self.commit(revision))
        if version is None or version.blob is None:
            raise self._missing(name, revision)
        return version

    def commit(self, revision: str) -> str:
        """Return the id of the commit that a user names. Raises UsageError, NotFound."""
        if revision.startswith("-"):
            raise UsageError(f"'{revision}' is no revision", "Give a commit, a date or -N.")
        commit = self.history.resolve(revision)
        if commit is None:
            raise NotFound(f"there is no revision '{revision}'", "Give a commit, a date or -N: see clave log.")
        return commit

    def find_folder(self, name: str, revision: str) -> dict[str, Version]:
        """Return the entries of a folder as it was, by name; `-N` is N operations on the folder earlier."""
        folder = self.path(name) + "/"
        touching = (step.commit for step in self.steps({folder}) if step.touches)
        back = _VERSIONS_BACK.fullmatch(revision)
        if back:
            commit = next(islice(touching, int(back[1]), None), None)
        elif _DATE.fullmatch(revision):
            until = _end(revision)
            commit = next((commit for commit in touching if commit.time <= until), None)
        else:
            commit = next(self.history.commits(self.commit(revision)))
        found = self.history.files(commit.id, folder) if commit else {}
        return {
            self.place.name(path).removesuffix(SUFFIX): Version(commit.id, commit.time, path, mode, blob)
            for path, (mode, blob) in found.items()
            if commit and path.endswith(SUFFIX) and mode != SYMLINK and "/." not in path
        }

    def versions(self, name: str) -> Iterator[Version]:
        """Yield the versions of an entry, newest first; if it is not there now, that is the first one.

        Encrypting anew, moving and copying make no version, nor does what brings back the version before.
        """
        last = None
        for number, step in enumerate(self._touching(name)):
            version = _state(step)
            if number == 0 and version.blob is None:
                yield version
            elif version.blob is not None and _may_change_text(step):
                origins = {change.path: change.source for change in step.note.changes if change.source}
                content = origins.get(version.path, version.blob)
                if content != last:
                    yield version
                last = content

    def content(self, version: Version) -> bytes:
        """Return the ciphertext of a version; an alias is followed inside of its commit's tree."""
        path, mode, blob = version.path, version.mode, version.blob
        for _ in range(_MAX_ALIASES):
            if blob is None:
                raise NotFound(f"{self.place.name(path).removesuffix(SUFFIX)} was not there in {version.label()}")
            data = self.history.blob(blob)
            if mode != SYMLINK:
                return data
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(data)))
            if path.startswith((os.sep, os.pardir)):
                raise StoreDamaged(f"{self.place.name(version.path)} was a symlink that leads out of the store")
            mode, blob = self.history.files(version.commit, path).get(path, (None, None))
        raise StoreDamaged(f"{self.place.name(version.path)} was a symlink that leads in a circle")

    def contents(self, versions: Mapping[str, Version]) -> dict[str, bytes]:
        """Return the ciphertexts of versions that are there, by the same names; aliases are followed."""
        plain = {name: version.blob for name, version in versions.items() if version.mode != SYMLINK}
        blobs = self.history.blobs(blob for blob in plain.values() if blob)
        return {
            name: blobs[blob] if (blob := plain.get(name)) else self.content(version)
            for name, version in versions.items()
        }

    def _touching(self, name: str) -> Iterator[Step]:
        return (step for step in self.steps({self.path(name + SUFFIX)}) if step.touches)

    def _in_commit(self, name: str, commit: str) -> Version:
        """Return an entry in the tree of a commit, under the name that it had there."""
        files = self.history.files(commit)
        own = self.path(name + SUFFIX)
        for step in self.steps({own}):
            if step.commit.id == commit:
                there = sorted(step.scopes & files.keys(), key=lambda path: path != own)
                path = there[0] if there else own
                return Version(commit, step.commit.time, path, *files.get(path, (None, None)))
        time = next(self.history.commits(commit)).time  # of a branch that HEAD does not hold
        return Version(commit, time, own, *files.get(own, (None, None)))

    def _missing(self, name: str, revision: str) -> NotFound:
        known = []
        for number, version in enumerate(self.versions(name)):
            if number == _LISTED:
                known.append("…")
                break
            known.append(f"-{number} {version.label()}" + (" (removed)" if version.blob is None else ""))
        listing = f"There are: {', '.join(known)}." if known else f"See what is known of it: clave log {name}."
        return NotFound(f"{name} has no version {revision}", listing)


def _state(step: Step) -> Version:
    """Return what an entry was after a step that touched it; moved away is not there."""
    commit = step.commit
    for touch in step.touches:
        if covers(step.scopes, touch.path):
            return Version(commit.id, commit.time, touch.path, touch.mode, touch.blob)
    return Version(commit.id, commit.time, step.touches[0].source or "", None, None)


def _may_change_text(step: Step) -> bool:
    """Tell whether a step may have changed the plaintext of the one entry that is followed."""
    rekeyed = {change.path for change in step.note.changes if change.kind == "rekey"}
    if step.note.operation == "rekey" or any(touch.path in rekeyed for touch in step.touches):
        return False
    return not all(touch.source and covers(step.scopes, touch.path) for touch in step.touches)


def _end(date: str) -> int:
    """Return the last second (Unix time) that a user's date means: of a day its end; local without a zone."""
    try:
        time = datetime.fromisoformat(f"{date}T23:59:59" if len(date) == _DAY else date)
        return int(time.astimezone().timestamp())
    except (ValueError, OverflowError):
        raise UsageError(f"'{date}' is no date", "Write YYYY-MM-DD or YYYY-MM-DDTHH:MM.") from None
