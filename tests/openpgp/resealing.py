"""Encrypted messages that gpg would not write: any packets under the session key of a message that it wrote."""

from __future__ import annotations

import hashlib
import re
import subprocess
from typing import TYPE_CHECKING

from tests.openpgp.building import new

if TYPE_CHECKING:
    from tests.conftest import Person


def reseal(person: Person, packets: bytes) -> bytes:
    """Return `packets` encrypted to `person`, with correct integrity protection (RFC 4880 5.13)."""
    message = person.gpg("-z", "0", "--cipher-algo", "AES256", "-e", "-r", person.fingerprint, input=b"x")
    key = session_key(person, message)
    prefix = bytes(16) + bytes(2)
    protected = prefix + packets + b"\xd3\x14"
    protected += hashlib.sha1(protected, usedforsecurity=False).digest()
    argv = ["openssl", "enc", "-aes-256-cfb", "-K", key, "-iv", "00" * 16]
    sealed = subprocess.run(argv, input=protected, capture_output=True, check=True).stdout
    return first_packet(message) + new(18, b"\x01" + sealed)


def session_key(person: Person, message: bytes) -> str:
    """Return the AES256 session key of a message in hex digits."""
    done = subprocess.run(
        ["gpg", "--batch", "--show-session-key", "-d"], input=message, env=person.env(), capture_output=True, check=True
    )
    found = re.search(rb"session key: '9:([0-9A-F]{64})'", done.stderr)
    assert found
    return found[1].decode()


def first_packet(message: bytes) -> bytes:
    """Return the PKESK of a message of gpg's: an old header with one or two octets of length."""
    octets = {0x84: 1, 0x85: 2}[message[0]]
    return message[: 1 + octets + int.from_bytes(message[1 : 1 + octets], "big")]


def literal(content: bytes) -> bytes:
    """Return a literal data packet."""
    return new(11, b"b\0\0\0\0\0" + content)
