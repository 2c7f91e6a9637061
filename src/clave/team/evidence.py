"""What the rules are told of a repository: facts that were read and computed, never a judgement.

Whoever reads the repository (git) and checks signatures (OpenPGP) answers these questions; `rules` decides. The answers
are the same however often and in whatever order they are asked for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.team.tree import Change, Tree

HIDDEN = "0" * 16  # the id of a recipient who is not named


class State(StrEnum):
    """How a signature stands, by the certificates that it was checked against.

    GOOD: by the primary key or a signing-capable subkey, which was valid when the signature says that it was made, and
    is not revoked in a way that takes old signatures back. UNKNOWN: by none of the certificates.
    """

    GOOD = "good"
    NONE = "none"
    BAD = "bad"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNABLE = "unable"  # the key is not one for signatures


class Signature(NamedTuple):
    """The signature of a commit or roster.

    `fingerprint` is that of the primary key, also where the signature is not good; for UNKNOWN what it claims. `number`
    is how many signatures there are, of whatever kind and in whatever header; `binary` is false for text mode; `digest`
    is the name of the hash function.
    """

    state: State
    fingerprint: str = ""
    number: int = 1
    binary: bool = True
    digest: str = "SHA256"


UNSIGNED = Signature(State.NONE, number=0)


class Commit(NamedTuple):
    """A commit. `changes` are against the first parent, without guesses about renames; of genesis, against nothing.

    `endorses` are the ids of its `Clave-Endorse` trailers. `broken` says of its files that git would not have made such
    a tree (a name twice, names out of order), "" if it would have: others may see other files in it.
    """

    id: str
    parents: tuple[str, ...]
    changes: tuple[Change, ...]
    endorses: tuple[str, ...] = ()
    broken: str = ""


class Certificate(NamedTuple):
    """A file of `.public-keys`: its primary keys, the ids of their encryption subkeys, whether it has a secret key."""

    primaries: tuple[str, ...]
    encryption: frozenset[str]
    secret: bool = False


class Evidence(Protocol):
    """A repository, read. Each method raises LookupError for an object that is not there."""

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the parents of a commit."""

    def commit(self, commit: str) -> Commit:
        """Return a commit."""

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit. Asked for few: those from which others are computed."""

    def content(self, blob: str) -> bytes:
        """Return a small file: a roster, a `.gpg-id`, a log."""

    def recipients(self, blob: str) -> tuple[str, ...] | None:
        """Return the key ids that a message is for, in its order; None for what is no message that may be opened."""

    def same_text(self, blob: str) -> tuple[tuple[str, ...], ...]:
        """Return whom other messages of the history are for, of any commit, that have the encrypted text of this one.

        Nothing may be known of that, where the history is one's own.
        """

    def certificate(self, blob: str) -> Certificate | None:
        """Return what a file of `.public-keys` holds; None for what is no OpenPGP certificate."""

    def signature(self, commit: str, certificates: Mapping[str, str]) -> Signature:
        """Return the signature of a commit, checked against these alone: the blobs of certificates by fingerprint."""

    def roster_signature(self, roster: str, signature: str, certificates: Mapping[str, str]) -> Signature:
        """Return the detached signature (a blob) of a roster (a blob), checked against these certificates alone."""
