"""How old the values of a store are, from its history, without decrypting (`rotation.values`).

What history says is remembered by the commit up to which it was read, in the user's cache: the next command reads what
is new. A cache that is damaged, or of a commit that is no longer in the history, is made anew.
"""

from __future__ import annotations

import marshal
import os
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from clave.config import write_private
from clave.errors import CannotWrite, GitFailed
from clave.model.change import parse
from clave.model.name import SUFFIX
from clave.places import cache_of
from clave.rotation.values import Origin, Step, Trace
from clave.vcs import changes, graph, reading
from clave.vcs.follow import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.rotation.values import Value
    from clave.store.store import Store
    from clave.vcs.git import Repository

_FOLDER = "values"
_FORMAT = 1
_SYMLINK = "120000"
_WORTH = 20  # commits from which on reading them again takes longer than writing the cache


class History(NamedTuple):
    """What the history of a store says up to `head`: `entries` are the blobs there, by name."""

    repository: Repository
    head: str
    place: Place
    trace: Trace
    entries: Mapping[str, str]

    def ages(self) -> dict[str, Age]:
        """Return how old the value in each entry of `head` is, by name."""
        values, origins = self.trace.values(), self.trace.origins
        return {
            name: Age(values[blob], _day(origins[blob].due)) for name, blob in self.entries.items() if blob in values
        }


class Age(NamedTuple):
    """What is known of the value in an entry, and the end that it has of its own."""

    value: Value
    due: date | None = None


def ages(store: Store) -> dict[str, Age]:
    """Return how old the value in each entry of HEAD is, by name. Raises as `read`."""
    return read(store).ages()


def read(store: Store) -> History:
    """Return what the history of a store says. Raises GitFailed for one without git, or without a commit."""
    repository = store.repository()
    head = repository.head() if repository else None
    if repository is None or head is None:
        raise GitFailed("the password store has no history in git", 'Try "clave git init".')
    place = Place.of(store.root, repository.work_tree)
    file = cache_of(os.environ, _FOLDER, os.path.join(repository.git_dir, place.below))
    known, trace = _cached(file)
    steps: list[Step] = []
    if known != head:
        if known and not graph.reaches(repository, head, known):
            known, trace = "", Trace()
        found = changes.commits(repository, head, after=known)
        steps = [Step(each.id, each.time, parse(each.message), each.sides, each.email) for each in found]
        trace.add(steps, place.below)
    if len(steps) >= _WORTH:
        _remember(file, head, trace)
    return History(repository, head, place, trace, _entries(repository, head, place))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # a claim of whoever wrote the commit
        return None


def _entries(repository: Repository, head: str, place: Place) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in reading.files(repository, head, [place.below] if place.below else ()):
        name = place.name(row.path)
        if name.endswith(SUFFIX) and row.mode != _SYMLINK and "/." not in f"/{name}":
            found[name.removesuffix(SUFFIX)] = row.blob
    return found


def _cached(file: str) -> tuple[str, Trace]:
    with suppress(OSError, ValueError, EOFError, TypeError, KeyError):
        with open(file, "rb") as stream:
            version, head, origins, last, authors = marshal.loads(stream.read())  # noqa: S302 - the user's own file
        if version == _FORMAT and isinstance(head, str):
            return head, Trace({blob: Origin(*origin) for blob, origin in origins.items()}, last, authors)
    return "", Trace()


def _remember(file: str, head: str, trace: Trace) -> None:
    origins = {blob: tuple(each) for blob, each in trace.origins.items()}
    data = marshal.dumps((_FORMAT, head, origins, trace.last, trace.authors))
    with suppress(CannotWrite):  # then it is read again
        write_private(file, data)
