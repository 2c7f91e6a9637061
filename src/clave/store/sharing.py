"""A change that is shared at once: on top of what the others have, and seen by them before the command ends.

Rosters cannot be merged, so whoever changes one begins with the newest, and has it accepted by the remote or takes it
back: the change is then made again on top of what came in between.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from clave.errors import Busy, GitFailed
from clave.store import syncing, verification
from clave.vcs import remote, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clave.store.store import Store

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
) -> T:
    """Sync, do `work`, which makes one commit or none, and push it.

    `answered` are refs of the remote's that go in the same push, each with the commit that it must still have.

    Where others have pushed in between, the commit is taken back, it was shared with nobody, and `work` is done again
    on theirs. Without a remote just `work` is done. Raises NotShared where the remote cannot be reached: the commit is
    kept. Raises Busy where others were faster five times, and what `work` and `syncing.sync` raise; nothing is changed
    then but what the sync brought in.
    """
    repository = store.repository()
    if repository is None or remote.remote_of(repository) is None:
        return work()
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause = _PAUSE * 2 ** (attempt - 1)
            time.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - no secret: who waits how long
        away = _synced(store, told)
        before = repository.head()
        done = work()
        if repository.head() == before and away is None:
            return done
        try:
            if away is not None:
                raise away
            syncing.push(store, told=told, answered=answered)
        except remote.Unreachable as failure:
            raise NotShared(f"done here, not shared yet: {failure.message}", "Share it: clave sync.") from None
        except remote.Rejected:
            _take_back(store, before)
        except GitFailed:
            _take_back(store, before)
            raise
        else:
            return done
    raise Busy(
        f"others have pushed each of the {_ATTEMPTS} times that this was about to", "Nothing was changed. Try again."
    )


def _synced(store: Store, told: Callable[[str], object] | None) -> remote.Unreachable | None:
    """Bring in what the others have; return why not, if the remote cannot be reached."""
    try:
        syncing.sync(store, told=told)
    except remote.Unreachable as away:
        return away
    return None


def _take_back(store: Store, commit: str | None) -> None:
    """Go back to where HEAD was: what was done since is shared with nobody."""
    repository = store.repository()
    assert repository is not None
    if commit is None or repository.head() == commit:
        return
    with transaction.begin(repository, store.root) as write:
        write.advance(commit)
    if store.is_team:
        verification.made(repository, verification.pinned_or_refuse(repository), commit)
