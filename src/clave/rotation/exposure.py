"""Which values in use somebody could ever open, or wrote: worked out from who could open which blob, and who made it.

A value is exposed to somebody if a blob that shares its secrets (`rotation.values.Sharing`) was encrypted to a key of
theirs, or was made by them with a secret of its own. Only that another blob came of new secrets ends that: a file that
was encrypted anew, renamed, copied, restored or removed and brought back holds what it held.

    read      it was encrypted to a key of theirs
    wrote     they made it
    possibly  it was encrypted to somebody who hides, which may be they
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.rotation.values import PART, UNKNOWN, VALUE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from clave.rotation.values import Origin, Sharing

READ, WROTE, POSSIBLY = "read", "wrote", "possibly"
_ORDER = (READ, WROTE, POSSIBLY)
_MADE = (VALUE, PART, UNKNOWN)


class Somebody(NamedTuple):
    """A person: what they are called, the ids of all keys that they ever had, and the commits that they made."""

    name: str
    keys: frozenset[str]
    commits: frozenset[str] = frozenset()


class Exposed(NamedTuple):
    """A value in use that somebody knows or may know.

    `since` (Unix seconds) is when they first could. `partly`: some of its secrets are new since. `blobs` are those by
    which it is.
    """

    name: str
    who: str
    since: int
    how: str
    partly: bool
    blobs: tuple[str, ...] = ()


def exposed(
    somebody: Somebody,
    entries: Mapping[str, str],
    sharing: Sharing,
    origins: Mapping[str, Origin],
    readers: Mapping[str, Collection[str]],
    hidden: str,
) -> Iterator[Exposed]:
    """Yield what is exposed to somebody among the entries (blobs by name), in their order.

    `readers` are the key ids that each blob is encrypted to, `hidden` the one that stands for a key that hides.
    """
    known = {blob: how for blob, origin in origins.items() if (how := _how(somebody, blob, origin, readers, hidden))}
    for name, blob in entries.items():
        blobs = sharing.of(blob)
        if not known.keys().isdisjoint(blobs):
            yield _of(name, somebody.name, blobs, known, origins)


def _how(
    somebody: Somebody, blob: str, origin: Origin, readers: Mapping[str, Collection[str]], hidden: str
) -> str | None:
    keys = readers.get(blob, ())
    if not somebody.keys.isdisjoint(keys):
        return READ
    if origin.commit in somebody.commits and origin.kind in _MADE:
        return WROTE
    return POSSIBLY if hidden in keys else None


def _of(
    name: str, who: str, blobs: Mapping[str, bool], known: Mapping[str, str], origins: Mapping[str, Origin]
) -> Exposed:
    found = [(blob, known[blob]) for blob in blobs if blob in known]
    how = min((each for _, each in found), key=_ORDER.index)
    by = [blob for blob, each in found if each == how]
    partly = all(blobs[blob] for blob, each in found if each != POSSIBLY or how == POSSIBLY)
    return Exposed(name, who, min(origins[blob].time for blob in by), how, partly, tuple(by))
