"""Which key ids were somebody's who stood in a `.gpg-id` once, though no certificate says so any more.

A message names subkeys, a `.gpg-id` names people. So what they share tells: for each message it is known
which `.gpg-id` held when it came. Theirs may be every id that messages made for them
have and that belongs to no known key, but for those that stand in messages made without them, too. Who always reads
together cannot be told apart, and needs not be: each of them could read it all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clave.store.layout import parse_recipients
from clave.vcs import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clave.store.lifecycle.ages import History

_KEY = re.compile("[0-9A-F]{8,64}")
_LEAST = 3  # characters of a name that may be a part of a user id


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
    origins = history.trace.origins
    blobs = {origin.recipients for origin in origins.values()} - {""}
    named = {blob: _names(data, names, ids) for blob, data in reading.objects(history.repository, blobs, "blob")}
    with_them: set[str] = set()
    without: set[str] = set()
    for blob, origin in origins.items():
        (with_them if named.get(origin.recipients) else without).update(readers.get(blob, ()))
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
