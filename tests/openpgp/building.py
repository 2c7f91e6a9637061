"""OpenPGP packets made by hand, and people with keys of every kind."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKER, PADDING = 10, 21


def new(tag: int, body: bytes, *, octets: int | None = None) -> bytes:
    """Return a packet with a new-format header whose length takes so many octets (by default the fewest)."""
    length = len(body)
    if octets is None:
        octets = 1 if length < 192 else 2 if length < 8384 else 5
    if octets == 1:
        assert length < 192
        head = bytes([length])
    elif octets == 2:
        assert 192 <= length < 8384
        head = bytes([(length - 192 >> 8) + 192, length - 192 & 0xFF])
    else:
        head = b"\xff" + length.to_bytes(4, "big")
    return bytes([0xC0 | tag]) + head + body


def old(tag: int, body: bytes, *, octets: int = 2) -> bytes:
    """Return a packet with an old-format header of 1, 2 or 4 octets of length, or 0: to the end of the file."""
    kind = {1: 0, 2: 1, 4: 2, 0: 3}[octets]
    return bytes([0x80 | tag << 2 | kind]) + (len(body).to_bytes(octets, "big") if octets else b"") + body


def partial(tag: int, *parts: bytes) -> bytes:
    """Return a packet in parts: all but the last of a length that is a power of 2."""
    out = bytes([0xC0 | tag])
    for part in parts[:-1]:
        assert len(part).bit_count() == 1
        out += bytes([0xE0 | len(part).bit_length() - 1]) + part
    return out + new(tag, parts[-1])[1:]


def pkesk(key_id: str, rest: bytes = b"\x12" + b"k" * 50, *, version: int = 3) -> bytes:
    """Return the body of a PKESK of version 2 or 3 for a key id."""
    return bytes([version]) + bytes.fromhex(key_id) + rest


def pkesk6(fingerprint: bytes, rest: bytes = b"\x19" + b"k" * 50, *, version: int = 6) -> bytes:
    """Return the body of a PKESK of version 6 for a fingerprint (empty: hidden) of a key of that version."""
    named = bytes([version]) + fingerprint if fingerprint else b""
    return b"\x06" + bytes([len(named)]) + named + rest


def armor(data: bytes, *, newline: str = "\n", checksum: bytes | None = None, headers: Sequence[str] = ()) -> bytes:
    """Return ASCII armor made without clave: lines of 64 characters, by default without a checksum."""
    text = base64.b64encode(data).decode()
    lines = ["-----BEGIN PGP MESSAGE-----", *headers, ""]
    lines += [text[at : at + 64] for at in range(0, len(text), 64)]
    if checksum is not None:
        lines.append("=" + base64.b64encode(checksum).decode())
    lines.append("-----END PGP MESSAGE-----")
    return (newline.join(lines) + newline).encode()


def enarmor(data: bytes) -> bytes:
    """Return the ASCII armor that gpg makes of any data, with the words of a message."""
    done = subprocess.run(["gpg", "--batch", "--enarmor"], input=data, capture_output=True, check=True)
    return done.stdout.replace(b"PGP ARMORED FILE", b"PGP MESSAGE")
