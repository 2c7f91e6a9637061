"""The ends that entries have of their own which no commit tells: other programs wrote them.

They are decrypted once, all together, and what they say is remembered: the day alone, by the blob of the entry, in the
user's cache. A blob never says anything else, so what is known stays true; what is damaged there is asked for again.
"""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from clave.config import write_private
from clave.places import cache_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clave.store.lifecycle.ages import History
    from clave.store.store import Store

_FOLDER = "ends"
_NONE = "-"
_LIMIT = 64 << 20  # bytes of the cache: far more entries than a store has


class Scanned(NamedTuple):
    """How many entries were decrypted, and those that could not be."""

    read: int
    unreadable: tuple[str, ...]


def known(history: History) -> dict[str, date]:
    """Return the ends that earlier scans have found, by blob."""
    return {blob: day for blob, day in _cached(_file(history)).items() if day is not None}


def scan(store: Store, progress: Callable[[int, int], object] | None = None) -> Scanned:
    """Decrypt what was not looked at before. Raises KeyLocked, and GitFailed for a store without git."""
    from clave.openpgp import bulk
    from clave.store.lifecycle import ages
    from clave.store.lifecycle.ends import end
    from clave.vcs import reading

    store.require_verified()
    history = ages.read(store)
    names = {blob: name for name, blob in history.entries.items()}
    file = _file(history)
    found: dict[str, date | None] = {blob: day for blob, day in _cached(file).items() if blob in names}
    new = [blob for blob in names if blob not in found]
    blobs: list[str] = []

    def contents() -> Iterator[tuple[str, bytes]]:
        for blob, content in reading.objects(history.repository, new, "blob"):
            blobs.append(blob)
            yield names[blob], content

    unreadable = []
    try:
        for done, (name, plaintext) in enumerate(bulk.decrypt_many(contents(), options=store.options)):
            if isinstance(plaintext, bytes):
                found[blobs[done]] = end(plaintext)
            else:
                unreadable.append(name)
            if progress:
                progress(done + 1, len(new))
    finally:
        _remember(file, found)
    return Scanned(len(new) - len(unreadable), tuple(unreadable))


def _file(history: History) -> str:
    return cache_of(os.environ, _FOLDER, os.path.join(history.repository.git_dir, history.place.below))


def _cached(file: str) -> dict[str, date | None]:
    """Return what is remembered: `<blob> <day or ->` a line; a line that is none is not there."""
    try:
        with open(file, encoding="ascii", errors="replace") as stream:
            lines = stream.read(_LIMIT).splitlines()
    except OSError:
        return {}
    found: dict[str, date | None] = {}
    for line in lines:
        blob, _, day = line.partition(" ")
        try:
            found[blob] = None if day == _NONE else date.fromisoformat(day)
        except ValueError:
            continue
    return found


def _remember(file: str, found: Mapping[str, date | None]) -> None:
    rows = "".join(f"{blob} {day.isoformat() if day else _NONE}\n" for blob, day in found.items())
    write_private(file, rows.encode())
