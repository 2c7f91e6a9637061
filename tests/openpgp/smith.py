"""Somebody who makes keys of every kind, in one keyring, at any time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Person

DAY = 86_400


@dataclass
class Smith:
    """Makes keys with gpg; `ago` is in seconds, and at that time the key, subkey or signature is made."""

    person: Person
    now: int = field(default_factory=lambda: int(time.time()))

    def gpg(self, *arguments: str, input: bytes = b"", ago: int = 0) -> bytes:
        clock = ["--faked-system-time", f"{self.now - ago}!"] if ago else []
        return self.person.gpg("--pinentry-mode", "loopback", "--passphrase", "", *clock, *arguments, input=input)

    def key(self, kind: str = "ed25519", usage: str = "cert,sign", expire: str = "never", ago: int = 0) -> str:
        """Make a primary key; return its fingerprint."""
        before = set(self.primaries())
        user_id = f"Key {len(before)} <key{len(before)}@example.org>"
        self.gpg("--quick-gen-key", user_id, kind, usage, expire, ago=ago)
        (made,) = set(self.primaries()) - before
        return made

    def subkey(self, key: str, kind: str = "cv25519", usage: str = "encr", expire: str = "never", ago: int = 0) -> str:
        """Make a subkey; return its fingerprint."""
        before = set(self.keys_of(key))
        self.gpg("--quick-add-key", key, kind, usage, expire, ago=ago)
        (made,) = set(self.keys_of(key)) - before
        return made

    def extend(self, key: str, expire: str, *subkeys: str, ago: int = 0) -> None:
        """Give a key or its subkeys another expiry."""
        self.gpg("--quick-set-expire", key, expire, *subkeys, ago=ago)

    def revoke(self, key: str, reason: int, ago: int = 0) -> None:
        """Revoke a whole key: 0 no reason, 1 compromised, 2 superseded, 3 not used any more."""
        commands = f"y\n{reason}\n\ny\n".encode()
        revocation = self.gpg(
            "--no-batch", "--no-tty", "--command-fd", "0", "--gen-revoke", key, input=commands, ago=ago
        )
        self.gpg("--import", input=revocation)

    def revoke_subkey(self, key: str, number: int, reason: int, ago: int = 0) -> None:
        """Revoke the subkey of this number, from 1 on."""
        commands = f"key {number}\nrevkey\ny\n{reason}\n\ny\nsave\n".encode()
        self.gpg("--no-batch", "--no-tty", "--command-fd", "0", "--edit-key", key, input=commands, ago=ago)

    def public(self, *keys: str) -> bytes:
        return self.gpg("--export", *keys)

    def armored(self, *keys: str) -> bytes:
        return self.gpg("--armor", "--export", *keys)

    def sign(self, data: bytes, key: str, *options: str, ago: int = 0) -> bytes:
        return self.gpg("--armor", *options, "--local-user", key, "--detach-sign", input=data, ago=ago)

    def primaries(self) -> list[str]:
        rows = self._rows()
        return [after[9] for row, after in pairwise(rows) if row[0] == "pub"]

    def keys_of(self, key: str) -> list[str]:
        return [row[9] for row in self._rows(key) if row[0] == "fpr"]

    def _rows(self, *keys: str) -> list[list[str]]:
        listing = self.person.gpg("--with-colons", "--list-keys", *keys).decode()
        return [row for row in (line.split(":") for line in listing.splitlines()) if row[0] in ("pub", "sub", "fpr")]
