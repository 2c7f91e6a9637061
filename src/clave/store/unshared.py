"""What a command has written and not shared yet: left where it is written, looked at when the command ends.

Loaded by every write: nothing heavy may be imported here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clave.store.store import Store
    from clave.vcs.git import Repository

_left: list[Store] = []


def note(store: Store) -> None:
    """Remember that a store has a new commit."""
    if store not in _left:
        _left.append(store)


def take() -> list[Store]:
    """Return the stores that have new commits, and forget them."""
    stores = list(_left)
    _left.clear()
    return stores


def forget(store: Store) -> None:
    """A store was shared."""
    if store in _left:
        _left.remove(store)


def shared(store: Store) -> str | None:
    """Sync a store, quietly; return a line to tell if that was not all. What was written is safe here in any case."""
    from clave.errors import ClaveError
    from clave.store import syncing
    from clave.vcs.remote import has_remote

    repository = _own(store)
    if repository is None or not has_remote(repository):
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
    import os

    found = store.repository()
    return found if found and found.work_tree == os.path.realpath(store.root) else None


def to_share(store: Store) -> str | None:
    """Return how many commits there are to share, None for none, or for no remote."""
    from clave.errors import ClaveError
    from clave.vcs.remote import ahead

    repository = _own(store)
    try:
        count = ahead(repository) if repository else 0
    except ClaveError:
        return None
    return f"{count} {'commit' if count == 1 else 'commits'} to share: clave sync" if count else None
