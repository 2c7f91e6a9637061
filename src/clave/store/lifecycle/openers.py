"""Who could open what in all of a history: the key ids that each blob is encrypted to, and which key signed a commit.

Both are facts for ever, and remembered in the user's cache. Nothing is decrypted, no signature is verified: in a team's
store that was done when the commit came, and elsewhere a signature is a claim as its author is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from clave.errors import BadMessage
from clave.openpgp import packets
from clave.places import cache_of
from clave.store.lifecycle import remembered
from clave.vcs import reading, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clave.vcs.git import Repository

Fact = TypeVar("Fact")

HIDDEN = packets.HIDDEN
_FOLDER = "openers"
_FORMAT = 1


class Openers:
    """What is known of a repository; `remember` keeps what was found out."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._file = cache_of(os.environ, _FOLDER, repository.git_dir)
        self._readers: dict[str, tuple[str, ...]]
        self._signers: dict[str, str]
        self._readers, self._signers = remembered.read(self._file, _FORMAT, 2) or ({}, {})
        self._grown = False

    def readers(self, blobs: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the key ids that blobs are encrypted to, nothing for those that are no message, or not there."""
        return self._known(self._readers, blobs, "blob", _readers)

    def signers(self, commits: Iterable[str]) -> Mapping[str, str]:
        """Return the fingerprint or id of the key that a commit says it is signed by, "" for none."""
        return self._known(self._signers, commits, "commit", _signer)

    def remember(self) -> None:
        """Write the cache, if there is something new."""
        if self._grown:
            remembered.keep(self._file, _FORMAT, self._readers, self._signers)

    def _known(
        self, known: dict[str, Fact], ids: Iterable[str], kind: str, find: Callable[[bytes], Fact]
    ) -> Mapping[str, Fact]:
        lacking = [each for each in ids if each not in known]
        for each, data in reading.objects(self._repository, lacking, kind):
            known[each] = find(data)
            self._grown = True
        return known


def _readers(data: bytes) -> tuple[str, ...]:
    try:
        return tuple(packets.inspect(packets.dearmor(data)).recipients)
    except BadMessage:
        return ()


def _signer(commit: bytes) -> str:
    found = signed.parts(commit).signatures
    if len(found) != 1:
        return ""
    from clave.openpgp import issuer

    return issuer.of(found[0])
