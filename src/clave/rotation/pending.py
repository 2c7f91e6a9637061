"""What the file of a rotation under way holds, inside of its ciphertext. Pure.

    clave-pending 1
    {"id": …, "entry": …, "blob": …, "current": …, "driver": …, "options": …}
    the new plaintext, byte for byte

It names its entry, so that it cannot be put in the place of another one's; the entry's blob and a digest of the entry's
plaintext as they were when it was begun, so that one of an earlier rotation cannot be played again, and a change of the
entry meanwhile is seen. (A re-encryption changes the blob alone.) The digest is secret with the rest.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from clave.errors import StoreDamaged
from clave.model.change import decode, encode
from clave.model.name import pending_path

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"clave-pending 1"
_ID = re.compile(r"[0-9a-f]{32}")
_BLOB = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ASIDE = re.compile(r"\.conflict-[0-9a-f]{7}(?:-\d+)?")  # what a merge keeps beside one that both sides changed
_FIELDS = frozenset(("id", "entry", "blob", "current", "driver", "options"))


class Pending(NamedTuple):
    """One rotation under way.

    `id` is 32 hex digits; `entry` the name of the entry, `blob` and `current` its blob and `digest` when it was begun;
    `driver` and `options` as whoever began it chose them; `plaintext` what is to be in force.
    """

    id: str
    entry: str
    blob: str
    current: str
    driver: str
    options: Mapping[str, Any]
    plaintext: bytes

    @property
    def mark(self) -> str:
        """What tells this rotation, with this driver and these options, from any other; no hash of a secret."""
        about = json.dumps([self.id, self.driver, dict(self.options)], sort_keys=True)
        return sha256(about.encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """Return the id of a new rotation."""
    return os.urandom(16).hex()


def digest(plaintext: bytes) -> str:
    """Return what tells whether an entry's plaintext is the one that a rotation began with."""
    return sha256(plaintext).hexdigest()


def is_aside(name: str, entry: str) -> bool:
    """Tell whether a rotation that is kept under a name is one of `entry` that a merge has put aside."""
    return name.startswith(entry) and _ASIDE.fullmatch(name[len(entry) :]) is not None


def dump(pending: Pending) -> bytes:
    """Return the text of a rotation, to be encrypted."""
    head = {**pending._asdict(), "entry": encode(pending.entry), "options": dict(pending.options)}
    del head["plaintext"]
    return b"\n".join((_MAGIC, json.dumps(head, sort_keys=True).encode(), pending.plaintext))


def load(name: str, data: bytes) -> Pending:
    """Read a rotation from where that of the entry `name` is kept (or one of it that a merge has put aside).

    Raises StoreDamaged for what is none, or is that of another entry.
    """
    found = _parse(data)
    if found is None:
        raise _broken(name, "is not what clave writes there")
    if found.entry != name and not is_aside(name, found.entry):
        raise _broken(name, f"belongs to {found.entry}")
    return found


def _parse(data: bytes) -> Pending | None:
    lines = data.split(b"\n", 2)
    if len(lines) != 3 or lines[0] != _MAGIC:
        return None
    try:
        head = json.loads(lines[1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(head, dict) or head.keys() != _FIELDS or not isinstance(head["options"], dict):
        return None
    texts = [head[field] for field in ("id", "entry", "blob", "current", "driver")]
    if not all(isinstance(text, str) for text in texts):
        return None
    entry = decode(head["entry"])
    fits = zip((_ID, _BLOB, _DIGEST), (head["id"], head["blob"], head["current"]), strict=True)
    if entry is None or not all(expression.fullmatch(text) for expression, text in fits):
        return None
    return Pending(head["id"], entry, head["blob"], head["current"], head["driver"], head["options"], lines[2])


def _broken(name: str, reason: str) -> StoreDamaged:
    return StoreDamaged(
        f"what is kept of a rotation of {name} {reason}: somebody has put it there",
        f"See who: clave git log -- {pending_path(name)}; drop it: clave rotate --abort {name}.",
    )
