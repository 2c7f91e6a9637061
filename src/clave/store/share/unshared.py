"""What a command has written and not shared yet: left where it is written, looked at when the command ends.

Loaded by every write: nothing heavy may be imported here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clave.store.store import Store

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
