"""Which secrets the files of an application may ask for: those that the user has allowed them.

A manifest comes with a clone. Whoever wrote it knows the names in the user's store, or guesses them, and a program
that came with it gets what it names. So a file is allowed once, as direnv has it, and again when it asks for more:

- Allowed is what a file, by its real path, asks for of a store: these references. Fewer are allowed too.
- A store is known by the id of its team; a plain one by where it is.
- What the user types is not asked about. A file that the user has not even named has to be allowed if it asks for no
  secret, too: it sets variables.

`$XDG_STATE_HOME/clave/allowed/<path>` has lines: `file` with the path, then for each store `store` with what it is
known by, and `secret` with each reference. The words behind the first are written as in a URI.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.config import write_private
from clave.delivery.references import Reference, parse
from clave.errors import CannotWrite, UsageError
from clave.places import state_file, state_of
from clave.store.trust import pins
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.store.store import Store

_FOLDER = "allowed"


class Allowed(NamedTuple):
    """What one file may ask for, by store: an id or a path."""

    path: str
    stores: Mapping[str, frozenset[Reference]]


def store_key(store: Store) -> str:
    """Return what a store is known by: the id of its team, or where it is. Raises VerificationFailed."""
    return store_id(store) or os.path.realpath(store.root)


def store_id(store: Store) -> str:
    """Return the id of a team store, "" for a plain one. Raises VerificationFailed."""
    if not store.is_team:
        return ""
    repository = Repository.find(store.root)
    pinned = pins.read(repository) if repository and not os.environ.get("CLAVE_ROOT") else None
    return pinned.store if pinned else store.team().roster.store


def lacking(path: str, store: Store, references: Iterable[Reference]) -> frozenset[Reference]:
    """Return which of the references a file has not been allowed."""
    known = of(path).stores.get(store_key(store), frozenset())
    return frozenset(references) - known


def is_known(path: str, store: Store) -> bool:
    """Tell whether a file has been allowed anything of a store, or just to be used with it."""
    return store_key(store) in of(path).stores


def allow(path: str, store: Store, references: Iterable[Reference], *, keep: bool = False) -> None:
    """Allow a file to ask for these references; no others, unless to `keep` those of before. Raises CannotWrite."""
    known, key = of(path), store_key(store)
    before = known.stores.get(key, frozenset()) if keep else frozenset()
    stores = {**known.stores, key: before.union(references)}
    write_private(_file(known.path), _text(Allowed(known.path, stores)))


def of(path: str) -> Allowed:
    """Return what a file has been allowed."""
    real = os.path.realpath(path)
    return _read(_file(real)) or Allowed(real, {})


def listed() -> list[Allowed]:
    """Return what has been allowed, by path."""
    folder = state_file(os.environ, _FOLDER)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(filter(None, (_read(os.path.join(folder, name)) for name in names)), key=lambda each: each.path)


def remove(path: str) -> bool:
    """Take back all that a file has been allowed; tell whether there was anything. Raises CannotWrite."""
    try:
        os.unlink(_file(os.path.realpath(path)))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CannotWrite(f"what {path} may ask for cannot be taken back: {error.strerror}") from None
    return True


def _file(real: str) -> str:
    return state_of(os.environ, _FOLDER, real)


def _text(allowed: Allowed) -> bytes:
    lines = [f"file {_quoted(allowed.path)}"]
    for store, references in sorted(allowed.stores.items()):
        lines.append(f"store {_quoted(store)}")
        lines += sorted(f"secret {each.uri}" for each in references)
    return "".join(f"{line}\n" for line in lines).encode()


def _read(file: str) -> Allowed | None:
    """Return what a file of ours says; one that is not there, or not whole, allows nothing."""
    path = ""
    stores: dict[str, set[Reference]] = {}
    current: set[Reference] = set()  # what stands before the first store counts for none
    with suppress(OSError, ValueError, KeyError, UsageError):
        with open(file, encoding="ascii") as stream:
            for line in stream:
                kind, _, text = line.removesuffix("\n").partition(" ")
                if kind == "file":
                    path = _unquoted(text)
                elif kind == "store":
                    current = stores.setdefault(_unquoted(text), set())
                elif kind == "secret":
                    current.add(parse(text))
        if path and file == _file(path):
            return Allowed(path, {store: frozenset(references) for store, references in stores.items()})
    return None


def _quoted(text: str) -> str:
    return "".join(chr(b) if 0x20 < b < 0x7F and b != 0x25 else f"%{b:02X}" for b in os.fsencode(text))


def _unquoted(text: str) -> str:
    first, *rest = text.split("%")
    return os.fsdecode(first.encode() + b"".join(bytes((int(each[:2], 16),)) + each[2:].encode() for each in rest))
