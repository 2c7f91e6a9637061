"""A change that is shared at once: on top of what the others have, and seen by them before the command ends.

Rosters cannot be merged, so whoever changes one begins with the newest, and has it accepted by the remote or takes it
back: the change is then made again on top of what came in between.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, TypeVar

from clave.errors import Busy, ClaveError, GitFailed, VerificationFailed
from clave.model import notices
from clave.store.share import syncing
from clave.store.trust import pins
from clave.vcs import remote, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clave.store.store import Store
    from clave.store.trust.pins import Pinned
    from clave.vcs.git import Repository

T = TypeVar("T")

_ATTEMPTS = 5
_PAUSE = 0.2


class NotShared(Busy):
    """What was to be done is done here, and the others do not have it yet."""

    code = "not-shared"


def share(
    store: Store,
    work: Callable[[], T],
    *,
    told: Callable[[str], object] | None = None,
    answered: Mapping[str, str] | None = None,
    keep: bool = True,
) -> T:
    """Sync, do `work`, which makes one commit or none, and push it.

    `answered` are refs of the remote's that go in the same push, each with the commit that it must still have.

    `keep`: where the remote cannot be reached, the commit is kept here, and NotShared is raised; without, nothing is
    done, and Unreachable is raised.

    Where others have pushed in between, the commit is taken back, it was shared with nobody, and `work` is done again
    on theirs. Without a remote just `work` is done. Raises Busy where others were faster five times, and what
    `work` and `syncing.sync` raise; nothing is changed then but what the sync brought in.
    """
    repository = store.repository()
    if repository is None or remote.remote_of(repository) is None:
        return work()
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause = _PAUSE * 2 ** (attempt - 1)
            time.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - no secret: who waits how long
        away = _synced(store, told)
        if away is not None and not keep:
            raise away
        before, pinned = repository.head(), pins.read(repository)
        done = work()
        made = repository.head()
        if made == before:
            return done
        try:
            if away is not None:
                raise away
            syncing.push(store, told=told, answered=answered)
        except remote.Unreachable as failure:
            if not keep:
                _take_back(store, made, before, pinned)
                raise
            raise NotShared(f"done here, not shared yet: {failure.message}", "Share it: clave sync.") from None
        except remote.Rejected:
            _take_back(store, made, before, pinned)
        except GitFailed:
            _take_back(store, made, before, pinned)
            raise
        else:
            return done
    raise Busy(
        f"others have pushed each of the {_ATTEMPTS} times that this was about to", "Nothing was changed. Try again."
    )


def is_shared(store: Store) -> bool:
    """Tell whether a store is a repository of its own, with a remote."""
    repository = _own(store)
    return repository is not None and remote.has_remote(repository)


def shared(store: Store) -> str | None:
    """Sync a store, quietly; return a line to tell if that was not all. What was written is safe here in any case."""
    repository = _own(store)
    if repository is None or not remote.has_remote(repository):
        return None
    try:
        done = syncing.sync(store)
    except ClaveError as failure:
        return f"done here, not shared yet: {failure.line()}"
    if done.conflicts or done.refused:
        return "shared; others have changed the same, and both are kept: clave conflicts"
    return None


def _own(store: Store) -> Repository | None:
    """Return the repository of a store that is all of it: another one is not ours to share."""
    found = store.repository()
    return found if found and found.work_tree == os.path.realpath(store.root) else None


def to_share(store: Store) -> str | None:
    """Return how many commits there are to share, None for none, or for no remote."""
    repository = _own(store)
    try:
        count = remote.ahead(repository) if repository else 0
    except ClaveError:
        return None
    return f"{count} {'commit' if count == 1 else 'commits'} to share: clave sync" if count else None


def _synced(store: Store, told: Callable[[str], object] | None) -> remote.Unreachable | None:
    """Bring in what the others have; return why not, if the remote cannot be reached."""
    try:
        done = syncing.sync(store, told=told)
    except remote.Unreachable as away:
        return away
    if done.waiting:
        raise VerificationFailed(
            f"commit {done.waiting[0].commit[:12]} at the remote is not signed, and holds back what comes after",
            "Look at it, then endorse it: clave sync --endorse.",
        )
    if done.conflicts:
        notices.leave("two changes could not be brought together, and both are kept. See: clave conflicts.")
    return None


def _take_back(store: Store, made: str | None, before: str | None, pinned: Pinned | None) -> None:
    """Take the commit that was made back: it is shared with nobody.

    Raises NotShared where another clave has gone on from it meanwhile, or it is the first one.
    """
    repository = store.repository()
    assert repository is not None
    with transaction.begin(repository, store.root) as write:
        if before is None or write.head != made:
            raise NotShared("done here, not shared yet: others have pushed meanwhile", "Share it: clave sync.")
        write.advance(before)
    if pinned:
        pins.write(repository, pinned)
