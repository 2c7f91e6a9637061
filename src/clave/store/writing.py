"""Writing and removing entries."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import Finding, NotFound, UsageError
from clave.model.name import SUFFIX, check, check_new
from clave.store import layout
from clave.store.operation import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.store.store import Store


def insert(store: Store, name: str, plaintext: bytes, *, subject: str, operation: str = "insert") -> None:
    """Store a plaintext under a name, in place of what was there.

    Raises UsageError (no name), CannotEncrypt, GitFailed, CannotWrite, Busy.
    """
    name = _name(store, name)
    with begin(store, name.rpartition("/")[0]) as change:
        change.write(name, plaintext)
        change.commit(subject, operation)


def update(
    store: Store, name: str, edit: Callable[[bytes | None], bytes], *, subject: str, operation: str = "edit"
) -> None:
    """Read an entry, change it and write it back under one lock, so that no other writer comes between.

    `edit` gets the plaintext, None where there is no entry, and returns the new one; where it returns what
    it got, nothing is written. Raises as `insert`, and CannotDecrypt.
    """
    name = _name(store, name)
    with begin(store, name.rpartition("/")[0]) as change:
        old = change.read(name) if layout.is_entry(store.root, name) else None
        new = edit(old)
        if new != old:
            change.write(name, new)
            change.commit(subject, operation)


def replace(store: Store, name: str, plaintext: bytes, *, read: bytes | None, subject: str) -> None:
    """Store what a user made of an entry in an editor, where nothing was locked meanwhile.

    `read` is the plaintext that the user began with, None for a new entry. If the entry is another one by
    now, nobody's work is lost: the user's text goes to `NAME.conflict-<short>`, and Finding is raised.
    """
    name = _name(store, name)
    with begin(store, name.rpartition("/")[0]) as change:
        now = change.read(name) if layout.is_entry(store.root, name) else None
        if now == read:
            change.write(name, plaintext)
            change.commit(subject, "edit")
            return
        # By chance: a hash of the text would let anybody who sees the name try passwords.
        aside = f"{name}.conflict-{os.urandom(4).hex()[:7]}"
        change.write(aside, plaintext)
        change.commit(f"Add given password for {aside} to store.", "edit")
    raise Finding(f"{name} was changed meanwhile", f"Your text is in {aside}: compare, then remove one.")


def remove(store: Store, name: str, *, recursive: bool = False) -> list[str]:
    """Remove an entry, or with `recursive` a folder; return the names of the entries that are gone.

    A name that is both is the folder only with a trailing slash (as in pass). Raises NotFound, and UsageError
    for a folder without `recursive`, or an entry that is being rotated.
    """
    plain = check(name)
    from clave.store.lifecycle import pending  # a write does not need it

    if _is_entry(store, plain) and not name.endswith("/"):
        pending.require_none(store, [plain], "gone")
        with begin(store, plain.rpartition("/")[0]) as change:
            change.remove(plain + SUFFIX)
            change.commit(f"Remove {plain} from store.", "remove")
        return [plain]
    if not layout.is_folder(store.root, plain):
        raise NotFound(f"{plain} is not in the password store")
    if not recursive:
        raise UsageError(f"{plain} is a folder", "Remove it and all below it with -r.")
    names = layout.entries(store.root, plain)
    pending.require_none(store, pending.names(store, plain), "gone")
    with begin(store, plain) as change:
        for path in layout.files(store.root, plain):
            if change.team is None or os.path.basename(path) != layout.RECIPIENTS:  # that goes with the roster
                change.remove(path)
        change.commit(f"Remove {plain} from store.", "remove")
    layout.remove_empty(store.root, plain)
    return names


def _is_entry(store: Store, name: str) -> bool:
    """Tell whether there is something to remove under the name: also an alias that leads nowhere."""
    return layout.has_file(store.root, name + SUFFIX)


def _name(store: Store, name: str) -> str:
    """Return the name of an entry to write: any that is there already, else one that may be made."""
    return check(name) if layout.is_entry(store.root, name) else check_new(name)
