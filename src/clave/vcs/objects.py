"""git's objects as bytes: their ids, and many of them in one pack."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from clave.vcs.worktree import Content, Link

if TYPE_CHECKING:
    from collections.abc import Sequence

# Types of objects in a pack (gitformat-pack(5)).
COMMIT, TREE, BLOB = 1, 2, 3


def object_id(kind: bytes, data: bytes, hash_name: str) -> str:
    """Return the id that git gives to an object of this kind (`blob`, `tree`, `commit`)."""
    import hashlib

    return hashlib.new(hash_name, b"%b %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()


def hash_of(object_id: str) -> str:
    """Return the name of the hash function that has made an id."""
    return "sha256" if len(object_id) == 64 else "sha1"


def data_of(content: Content) -> bytes:
    """Return what git stores of a file or a symlink."""
    return os.fsencode(content) if isinstance(content, Link) else content


def pack(objects: Sequence[tuple[int, bytes]], hash_name: str) -> bytes:
    """Return objects (type, data) as a git pack (gitformat-pack(5)): one process stores them all."""
    import hashlib

    pack = bytearray(b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big"))
    for kind, data in objects:
        size = len(data)
        byte = kind << 4 | size & 0xF  # the type; then four bits of the size, seven in each further byte
        size >>= 4
        while size:
            pack.append(byte | 0x80)
            byte, size = size & 0x7F, size >> 7
        pack.append(byte)
        pack += zlib.compress(data, 0)  # ciphertext does not get smaller
    pack += hashlib.new(hash_name, pack, usedforsecurity=False).digest()
    return bytes(pack)
