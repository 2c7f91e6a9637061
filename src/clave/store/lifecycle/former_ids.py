"""Which key ids were somebody's who stood in a `.gpg-id` once, though no certificate says so any more.

A message names subkeys, a `.gpg-id` names people. So what they share tells: the history is gone through once more, with
the `.gpg-id` that holds for each message at the time when it came. Theirs may be every id that messages made for them
have and that belongs to no known key, but for those that stand in messages made without them, too. Who always reads
together cannot be told apart, and needs not be: each of them could read it all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clave.store.layout import RECIPIENTS, parse_recipients
from clave.vcs import changes, reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from clave.store.lifecycle.ages import History
    from clave.vcs.changes import Change

_KEY = re.compile("[0-9A-F]{8,64}")
_LEAST = 3  # characters of a name that may be a part of a user id


class _Folders:
    """The `.gpg-id` files as they are at a commit: for each folder, whether its file names somebody."""

    def __init__(self, names: Mapping[str, bool]) -> None:
        self._names = names
        self._now: dict[str, bool] = {}

    def change(self, side: Iterable[Change]) -> None:
        """Apply what a commit did to the files."""
        for each in side:
            if _is_recipients(each.path):
                self._now.pop(_folder(each.path), None)
                if each.new:
                    self._now[_folder(each.path)] = self._names.get(each.new, False)

    def name(self, path: str) -> bool:
        """Tell whether the nearest file names them."""
        folder = _folder(path)
        while folder not in self._now and folder:
            folder = _folder(folder)
        return self._now.get(folder, False)


def behind(
    history: History,
    names: Collection[str],
    ids: Collection[str],
    readers: Mapping[str, Collection[str]],
    unknown: Collection[str],
) -> frozenset[str]:
    """Return which of the `unknown` ids may be somebody's, nothing for whom no `.gpg-id` has named.

    They are known by `names` that a line may contain, and by the long `ids` of keys. `readers` is what each blob is
    encrypted to.
    """
    commits = changes.commits(history.repository, history.head)
    rows = (change for commit in commits for side in commit.sides for change in side)
    blobs = {each.new for each in rows if each.new and _is_recipients(each.path)}
    named = {blob: _names(data, names, ids) for blob, data in reading.objects(history.repository, blobs, "blob")}
    folders = _Folders(named)
    with_them: set[str] = set()
    without: set[str] = set()
    origins = history.trace.origins
    for commit in commits:
        folders.change(commit.sides[0])
        for each in commit.sides[0]:
            if each.new in origins and origins[each.new].commit == commit.id:
                (with_them if folders.name(each.path) else without).update(readers.get(each.new, ()))
    with_them &= set(unknown)
    return frozenset(with_them - without or with_them)


def _names(data: bytes, names: Collection[str], ids: Collection[str]) -> bool:
    """Tell whether a `.gpg-id` names somebody: by a fingerprint or an id of any length, or in a user id."""
    for line in parse_recipients(data):
        key = line.removesuffix("!").removeprefix("0x").upper()
        if _KEY.fullmatch(key) and any(each.endswith(key) or key.endswith(each) for each in ids):
            return True
        if any(name.casefold() in line.casefold() for name in names if len(name) >= _LEAST):
            return True
    return False


def _is_recipients(path: str) -> bool:
    return path.rpartition("/")[2] == RECIPIENTS


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
