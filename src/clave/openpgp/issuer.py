"""Whose key a detached signature says it is by, without verifying it: read from its packet (RFC 4880 5.2.3)."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from clave.errors import BadMessage
from clave.openpgp import packets

_SIGNATURE = 2
_ISSUER, _FINGERPRINT = 16, 33
_VERSION = 4


def of(armored: bytes) -> str:
    """Return the fingerprint, or else the long id, of the key that a signature names; "" for none that can be read."""
    lines = armored.strip().split(b"\n")
    body = [line for line in lines[lines.index(b"") + 1 : -1] if line[:1] != b"="] if b"" in lines else []
    try:
        tag, packet = packets.content(a2b_base64(b"".join(body)))
    except (Base64Error, BadMessage):
        return ""
    if tag != _SIGNATURE or packet[:1] != bytes((_VERSION,)):
        return ""
    end = 6 + int.from_bytes(packet[4:6], "big")
    hashed, rest = packet[6:end], packet[end:]
    found: dict[int, bytes] = {}
    for area in (rest[2 : 2 + int.from_bytes(rest[:2], "big")], hashed):
        found |= {each[0] & 0x7F: each[1:] for each in packets.subpackets(area)}
    return (found.get(_FINGERPRINT, b"")[1:] or found.get(_ISSUER, b"")).hex().upper()
