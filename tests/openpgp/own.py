"""One person with an encryption subkey of each kind, and messages to them: as gpg writes them, and as it would not."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import Person, make_person

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("cv25519", "nistp256", "nistp384", "nistp521", "rsa2048", "rsa4096", "brainpoolP256r1", "elg1024")


@dataclass(frozen=True)
class Owner:
    """A person and the fingerprints of their encryption subkeys, by kind."""

    person: Person
    keys: dict[str, str]

    def seal(self, plaintext: bytes, *options: str, key: str = "cv25519") -> bytes:
        """Return a message that gpg makes."""
        return self.person.gpg(*options, "-e", "-r", f"{self.keys[key]}!", input=plaintext)

    def seal_packets(
        self,
        packets: bytes,
        *,
        algorithm: int = 1,
        key: str = "cv25519",
        start: bytes = bytes(18),
        end: bytes = b"\xd3\x14",
    ) -> bytes:
        """Return any packets encrypted to a key, with correct integrity protection (RFC 4880 5.13).

        `algorithm` is the version of the encrypted-data packet, of which gpg knows only 1; `start` the random
        octets, the last two of which are repeated; `end` the header of the packet with the checksum.
        """
        message = self.seal(b"x", "--cipher-algo", "AES256", key=key)
        done = subprocess.run(
            ["gpg", "--batch", "--show-session-key", "-d"],
            input=message, env=self.person.env(), capture_output=True, check=True,
        )  # fmt: skip
        session_key = re.search(rb"session key: '9:([0-9A-F]{64})'", done.stderr)
        assert session_key
        protected = start + packets + end
        protected += hashlib.sha1(protected, usedforsecurity=False).digest()
        argv = ["openssl", "enc", "-aes-256-cfb", "-K", session_key[1].decode(), "-iv", "00" * 16]
        sealed = subprocess.run(argv, input=protected, capture_output=True, check=True).stdout
        return message[: message_start(message)] + packet(18, bytes([algorithm]) + sealed)


def make_owner() -> Owner:
    """Make a person whose newest encryption subkey is the cv25519 one that `make_person` gives."""
    person = make_person("olga")
    keys = {"cv25519": _fingerprints(person)[-1]}
    for kind in KINDS[1:]:
        person.gpg("--passphrase", "", "--quick-add-key", person.fingerprint, kind, "encr", "never")
        keys[kind] = _fingerprints(person)[-1]
    return Owner(person, keys)


def _fingerprints(person: Person) -> list[str]:
    listing = person.gpg("--list-keys", "--with-colons", person.fingerprint).decode()
    return [line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")]


def message_start(message: bytes) -> int:
    """Return where the encrypted data of a message of gpg's with one recipient begins."""
    octets = {0x84: 1, 0x85: 2}[message[0]]
    return 1 + octets + int.from_bytes(message[1 : 1 + octets], "big")


def packet(tag: int, body: bytes) -> bytes:
    """Return a packet with a new header and a length of five octets."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def in_parts(tag: int, body: bytes, sizes: Sequence[int]) -> bytes:
    """Return a packet in parts, each two to the power of a size; the last part is what remains."""
    out = bytes([0xC0 | tag])
    for size in sizes:
        out += bytes([0xE0 | size]) + body[: 1 << size]
        body = body[1 << size :]
    return out + b"\xff" + len(body).to_bytes(4, "big") + body


def literal(content: bytes, *, kind: bytes = b"b", name: bytes = b"") -> bytes:
    """Return a literal-data packet."""
    return packet(11, kind + bytes([len(name)]) + name + bytes(4) + content)
