"""How old the values of a store are, from its history, without decrypting (`rotation.values`).

What history says is remembered in the user's cache by the commit up to which it was read: the next command reads what
is new. Beside it stands what that says of the entries of HEAD, which is all that most questions need. A cache that is
damaged, or of a commit that is no longer in the history, is made anew.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed
from clave.model.change import parse, trailers
from clave.model.name import SUFFIX
from clave.places import cache_of
from clave.rotation.values import Origin, Step, Trace, Value
from clave.store.lifecycle import remembered
from clave.vcs import changes, graph, reading
from clave.vcs.follow import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.rotation.values import Sharing
    from clave.store.store import Store
    from clave.vcs.changes import Commit
    from clave.vcs.git import Repository

    # Of an entry: its blob, what is known of its value, its own end.
    Row = tuple[str, tuple[int, int, bool, bool] | None, str]

_VALUES, _AGES = "values", "ages"
_FORMAT = 3
_KEPT = 8  # values that a trace is kept as, with its commit
_SYMLINK = "120000"
_WORTH = 20  # commits from which on reading them again takes longer than writing the cache


class Age(NamedTuple):
    """What is known of the value in an entry, and the end that it has of its own."""

    value: Value
    due: date | None = None


class History:
    """What the history of a store says up to the commit `head`; made by `read`."""

    def __init__(self, repository: Repository, head: str, place: Place) -> None:
        self.repository = repository
        self.head = head
        self.place = place

    @cached_property
    def trace(self) -> Trace:
        """Where all blobs of entries come from."""
        file = self._file(_VALUES)
        known, trace = _cached_trace(file)
        if known != self.head:
            if known and not graph.reaches(self.repository, self.head, known):
                known, trace = "", Trace()
            found = changes.commits(self.repository, self.head, after=known)
            trace.add(map(_step, found), self.place.below)
            if len(found) >= _WORTH:
                remembered.keep(file, _FORMAT, self.head, *_plain(trace))
        return trace

    @cached_property
    def sharing(self) -> Sharing:
        """Which blobs share secrets."""
        return self.trace.sharing()

    @cached_property
    def entries(self) -> dict[str, str]:
        """The blobs of the entries of `head`, by name."""
        return {name: row[0] for name, row in self._rows.items()}

    def ages(self) -> dict[str, Age]:
        """Return how old the value in each entry of `head` is, by name."""
        return {name: Age(Value(*value), _day(due)) for name, (_, value, due) in self._rows.items() if value}

    @cached_property
    def _rows(self) -> dict[str, Row]:
        file = self._file(_AGES)
        head, known = remembered.read(file, _FORMAT, 2) or ("", {})
        if head == self.head:
            rows: dict[str, Row] = known
            return rows
        values, origins = self.trace.values(), self.trace.origins
        found: dict[str, Row] = {}
        for name, blob in _entries(self.repository, self.head, self.place):
            value = values.get(blob)
            found[name] = (blob, (*value,), origins[blob].due) if value else (blob, None, "")
        remembered.keep(file, _FORMAT, self.head, found)
        return found

    def _file(self, kind: str) -> str:
        return cache_of(os.environ, kind, os.path.join(self.repository.git_dir, self.place.below))


def ages(store: Store) -> dict[str, Age]:
    """Return how old the value in each entry of HEAD is, by name. Raises as `read`."""
    return read(store).ages()


def read(store: Store) -> History:
    """Return what the history of a store says. Raises GitFailed for one without git, or without a commit."""
    repository = store.repository()
    head = repository.head() if repository else None
    if repository is None or head is None:
        raise GitFailed("the password store has no history in git", 'Try "clave git init".')
    return History(repository, head, Place.of(store.root, repository.work_tree))


def _step(commit: Commit) -> Step:
    """Return a commit as a step; where trailers say what changed, nobody needs to know what the subject says."""
    note = trailers(commit.message)
    return Step(commit.id, commit.time, note if note.changes else parse(commit.message), commit.sides, commit.email)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # a claim of whoever wrote the commit
        return None


def _entries(repository: Repository, head: str, place: Place) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for row in reading.files(repository, head, [place.below] if place.below else ()):
        name = place.name(row.path)
        if name.endswith(SUFFIX) and row.mode != _SYMLINK and "/." not in f"/{name}":
            found.append((name.removesuffix(SUFFIX), row.blob))
    return found


def _cached_trace(file: str) -> tuple[str, Trace]:
    with suppress(ValueError, TypeError, AttributeError):
        head, origins, *others = remembered.read(file, _FORMAT, _KEPT)
        return str(head), Trace({blob: Origin(*origin) for blob, origin in origins.items()}, *others)
    return "", Trace()


def _plain(trace: Trace) -> tuple[Mapping[str, object] | set[str], ...]:
    origins = {blob: tuple(each) for blob, each in trace.origins.items()}
    return (origins, trace.last, trace.authors, trace.pending, trace.certificates, trace.recipients, trace.accepted)
