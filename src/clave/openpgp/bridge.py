"""Sequoia's part: a message whose session key is known, opened; a plaintext, encrypted.

To open one, its key packets are replaced by one password packet that wraps the session key under a random one-time
password; that is a message that `pysequoia.decrypt` takes. Integrity, compression and the structure of what is
inside are Sequoia's to check.

What comes out must be what gpg gives, byte for byte. So nothing is opened here but a message

- that is encrypted with AES and has the older integrity protection (version 1), and
- that holds one literal packet, or one that is compressed to no more than a limit (Sequoia has none), and
- whose literal is binary, or text (which gpg may convert) without a carriage return.

That is seen by decrypting it for a look, which decides nothing but who opens it. Whatever else is inside (an inner
signature, which gpg verifies) is left to gpg, and so is what Sequoia refuses: None is returned.
"""

from __future__ import annotations

import os
import sys
import zlib
from functools import cache
from typing import TYPE_CHECKING

import pysequoia
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from clave.errors import BadMessage
from clave.openpgp import packets
from clave.openpgp.sequoia import tried
from clave.openpgp.session import SessionKey, hashed

if TYPE_CHECKING:
    from collections.abc import Sequence

_INFLATED = 1 << 20  # bytes
_BLOCK = 16
_IN_PARTS = 512  # octets from which on gpg writes a packet in parts
_RANDOM = _BLOCK + 2  # octets before the packets inside (RFC 4880 5.13)
_MDC = 22  # octets of the packet that ends them
_WINDOWS = {1: -zlib.MAX_WBITS, 2: zlib.MAX_WBITS}  # compression algorithm: what zlib calls it
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # mallopt(3)
_AES_256, _SALTED, _SHA_256 = 9, 1, 8
# A message that gpg has made, to see what the installed pysequoia can do: its interface is not stable yet.
_KNOWN_KEY = SessionKey(7, bytes.fromhex("92eb1a9d3c7fb3756b3d80f01fc5fc7f"))
_KNOWN_PACKET = bytes.fromhex(
    "d23601a51aae51d31112c1206419e5cb4067c6d74c4fb9e055553db40d00b140160a3611a28c3d57ef5031584f5d9d403f2af924b89a363b"
)


def opened(session: SessionKey, packet: bytes) -> bytes | None:
    """Return the plaintext in an encrypted-data packet, None if gpg has to open or to refuse it."""
    try:
        tag, body = packets.content(packet)
        literal = _look(session, body) if tag == packets.SEIPD else None
    except BadMessage:
        return None
    if not literal:
        return None
    if len(packet) > _IN_PARTS:
        _keep_memory_apart()
    password = os.urandom(16).hex()
    # In one piece: Sequoia takes ten times as long for a packet that is in parts, as gpg writes it from 512 octets on.
    message = _password_packet(session, password) + b"\xd2\xff" + len(body).to_bytes(4, "big") + body
    decrypted = tried(lambda: pysequoia.decrypt(message, passwords=[password]))
    if decrypted is None or decrypted.bytes is None:
        return None
    is_text = literal[:1] != b"b"
    return None if is_text and b"\r" in decrypted.bytes else decrypted.bytes


def certificates(exported: bytes) -> list[pysequoia.Cert]:
    """Return the certificates of an export, none if Sequoia does not take one of them."""
    return tried(lambda: pysequoia.Cert.split_bytes(exported)) or []


def sealed(plaintext: bytes, recipients: Sequence[pysequoia.Cert]) -> bytes | None:
    """Return `plaintext` encrypted to all encryption subkeys of these, None if Sequoia does not."""
    _keep_memory_apart()
    return tried(lambda: pysequoia.encrypt(plaintext, recipients=recipients, armor=False))


def _password_packet(session: SessionKey, password: str) -> bytes:
    """Return a packet that wraps a session key under a password (RFC 4880 5.3, version 4)."""
    salt = os.urandom(8)
    encrypt = Cipher(AES(hashed(_SHA_256, salt + password.encode())), ECB()).encryptor().update  # noqa: S305
    plain = bytes((session.algorithm,)) + session.key
    wrapped, before = b"", bytes(_BLOCK)
    for at in range(0, len(plain), _BLOCK):  # CFB
        before = _xor(plain[at : at + _BLOCK], encrypt(before))
        wrapped += before
    body = bytes((4, _AES_256, _SALTED, _SHA_256)) + salt + wrapped
    return bytes((0xC3, len(body))) + body


def _look(session: SessionKey, body: bytes) -> bytes | None:
    """Return the literal packet's body inside, unchecked; None for any other content. Raises BadMessage."""
    if body[:1] != b"\1" or len(body) <= 1 + _RANDOM + _MDC:
        return None
    encrypted = body[1:]
    blocks = bytes(_BLOCK) + encrypted
    blocks = blocks[: len(blocks) - 1 & -_BLOCK]  # CFB: the block before, encrypted, is the stream for this one
    stream = Cipher(AES(session.key), ECB()).encryptor().update(blocks)  # noqa: S305
    tag, content = packets.content(_xor(encrypted, stream)[_RANDOM:-_MDC])
    if tag == packets.COMPRESSED:
        window = _WINDOWS.get(content[0]) if content else None
        if window is None:
            return None
        tag, content = packets.content(_inflated(content[1:], window))
    return content if tag == packets.LITERAL else None


def _inflated(data: bytes, window: int) -> bytes:
    inflate = zlib.decompressobj(window)
    try:
        inflated = inflate.decompress(data, _INFLATED)
    except zlib.error:
        raise BadMessage("its compressed data is broken") from None
    if not inflate.eof or inflate.unused_data:
        raise BadMessage("its compressed data is too large, or does not end where it should")
    return inflated


def _xor(data: bytes, stream: bytes) -> bytes:
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:size], "big")).to_bytes(size, "big")


def works() -> bool:
    """Tell whether the installed pysequoia does what is asked of it here."""
    return opened(_KNOWN_KEY, _KNOWN_PACKET) == b"clave"


@cache
def _keep_memory_apart() -> None:
    """Have glibc take large pieces of memory from the system, and give them back at once.

    Sequoia reserves 25 MiB for each packet in parts (gpg writes a literal so, from 512 octets on) and touches little
    of it. By default glibc soon keeps such a piece, and then clears all of it each time: that takes a millisecond.
    """
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(_MMAP_THRESHOLD, 8 << 20)
            mallopt(_TRIM_THRESHOLD, 8 << 20)
