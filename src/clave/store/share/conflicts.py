"""What a merge could not bring together, and how that ends.

One version stands at the entry, the other beside it as `NAME.conflict-<short>` (`merging`, and `writing.replace`). A
conflict ends in one commit: the entry becomes what was chosen, and what was kept beside it goes.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, NotFound, UsageError
from clave.model import difference, threeway
from clave.model.name import SUFFIX, check
from clave.model.secret import is_whole
from clave.store import layout
from clave.store.operation import begin
from clave.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.model.difference import Difference
    from clave.store.store import Store

_KEPT = re.compile(r"(.+)\.conflict-[0-9a-f]{7}(?:-\d+)?", re.DOTALL)


class Conflict(NamedTuple):
    """A file of which there are two: its name (of an entry, or the path of another file), and where the other is kept.

    `there`: whether one stands at the name itself; it may have been removed.
    """

    name: str
    kept: str
    is_entry: bool
    there: bool


class Sides(NamedTuple):
    """Both versions of an entry: `theirs` stands at its name (None: nothing does), `ours` is kept beside it."""

    conflict: Conflict
    theirs: bytes | None
    ours: bytes

    @property
    def differences(self) -> list[Difference]:
        """What differs, theirs as the old one."""
        return difference.between(self.theirs, self.ours)


def find(store: Store) -> list[Conflict]:
    """Return all conflicts of a store, by name."""
    found = []
    for path in layout.files(store.root):
        is_entry = path.endswith(SUFFIX) and not any(part.startswith(".") for part in path.split("/"))
        match = _KEPT.fullmatch(path.removesuffix(SUFFIX) if is_entry else path)
        if match:
            there = layout.has_file(store.root, match[1] + SUFFIX if is_entry else match[1])
            found.append(Conflict(match[1], match[0], is_entry, there))
    return sorted(found)


def sides(store: Store, name: str) -> Sides:
    """Return both versions of an entry; `name` is the entry's, or that of the one that is kept beside it.

    Raises NotFound where there is no conflict, UsageError for one of several, CannotDecrypt.
    """
    name = check(name)
    known = [each for each in find(store) if each.is_entry and name in (each.name, each.kept)]
    if not known:
        raise NotFound(f"{name} has no conflict", "See which there are: clave conflicts.")
    if len(known) > 1:
        names = ", ".join(each.kept for each in known)
        raise UsageError(f"{name} has several conflicts", f"Resolve one after the other: {names}.")
    conflict = known[0]
    theirs = read(store.root, conflict.name, options=store.options) if conflict.there else None
    return Sides(conflict, theirs, read(store.root, conflict.kept, options=store.options))


def resolve(store: Store, seen: Sides, choice: bytes | None) -> None:
    """End a conflict: the entry becomes `choice` (None: it is removed). Raises Busy if it is another one by now."""
    name, kept = seen.conflict.name, seen.conflict.kept
    with begin(store, os.path.dirname(name)) as change:
        theirs = change.read(name) if layout.is_entry(store.root, name) else None
        if (theirs, change.read(kept)) != (seen.theirs, seen.ours):
            raise Busy(f"{name} was changed meanwhile", f"Look again: clave resolve {name}.")
        if choice is None and theirs is not None:
            change.remove(name + SUFFIX)
        elif choice == seen.ours and choice != theirs:
            content = change.content(kept + SUFFIX)
            assert content is not None
            change.place(name + SUFFIX, content, moved_from=kept + SUFFIX)
        elif choice is not None and choice != theirs:
            change.write(name, choice)
        change.remove(kept + SUFFIX)
        change.commit(f"Resolve the conflict of {name}.", "merge")


def assembled(seen: Sides, ours: Sequence[str]) -> bytes:
    """Return theirs, with ours in the parts that are named, as `differences` calls them.

    Raises UsageError for what has no fields to choose from.
    """
    if seen.theirs is None or any(map(is_whole, (seen.theirs, seen.ours))):
        raise UsageError(f"{seen.conflict.name} has no fields to choose from", "Take one of the two.")
    wanted: dict[str, tuple[bytes, ...]] = dict(threeway.parts(seen.theirs))
    mine: Mapping[str, tuple[bytes, ...]] = threeway.parts(seen.ours)
    for part in ours:
        key = _PARTS.get(part, f":{part.casefold()}")
        wanted[key] = mine.get(key, ())
    return threeway.rewrite(seen.theirs, wanted)


_PARTS = {
    difference.PASSWORD: threeway.PASSWORD,
    difference.OTP: threeway.OTP,
    difference.NOTES: threeway.TEXT,
}
