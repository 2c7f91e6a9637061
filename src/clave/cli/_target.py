"""What a NAME on the command line means: `[STORE:]NAME[#FIELD]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.model.name import check, split_field
from clave.store import layout
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store


class Target(NamedTuple):
    """An entry that is there, and the field of it that was asked for, or None."""

    store: Store
    name: str
    field: str | None


def entry(app: App, argument: str, *, strict: bool = False) -> Target:
    """Return the entry that an argument names, to read it; `strict` as in `App.look`.

    Raises UsageError (no name) and NotFound with proposals.
    """
    store, name = app.look(argument, strict=strict)
    target = resolve(store, name)
    if not layout.is_entry(store.root, target.name):
        raise missing(store, name)
    return target


def resolve(store: Store, name: str) -> Target:
    """Split a name into entry and field: an entry whose own name holds the `#` comes first."""
    plain, field = split_field(name)
    if field is None or layout.is_entry(store.root, name):
        return Target(store, check(name), None)
    return Target(store, check(plain), field)
