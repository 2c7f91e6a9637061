"""Signed commits as git makes them: the signature stands in a header, and is of all the rest.

The header is `gpgsig`, in a repository with SHA-256 `gpgsig-sha256`; its value is the armored signature, each line
after the first behind one blank (gitformat-signature(5)). What is signed is the commit without that header.
"""

from __future__ import annotations

from typing import NamedTuple

_HEADERS = (b"gpgsig ", b"gpgsig-sha256 ")
_TAG = b"mergetag "
_SHA256 = len("tree ") + 64  # bytes of the first line


class Signed(NamedTuple):
    """What was signed, and the detached signature of it."""

    payload: bytes
    signature: bytes


class Parts(NamedTuple):
    """A commit without its signatures, the ones in the header for them, and how many others it has.

    Others are one for another hash function, and the tag of a merge, which has a signature of its own.
    """

    payload: bytes
    signatures: tuple[bytes, ...]
    others: int


def parts(commit: bytes) -> Parts:
    """Take a commit object apart."""
    head, blank, message = commit.partition(b"\n\n")
    own, other = _HEADERS[:: -1 if head.find(b"\n") == _SHA256 else 1]
    kept: list[bytes] = []
    signatures: list[list[bytes]] = []
    others = 0
    in_signature = False
    for line in head.split(b"\n"):
        if in_signature and line[:1] == b" ":
            signatures[-1].append(line[1:])
            continue
        in_signature = line.startswith(own)
        others += line.startswith((other, _TAG))
        if in_signature:
            signatures.append([line[len(own) :]])
        else:
            kept.append(line)
    whole = tuple(b"\n".join(lines) + b"\n" for lines in signatures)
    return Parts(b"\n".join(kept) + blank + message, whole, others)


def split(commit: bytes) -> Signed | None:
    """Return payload and signature of a commit object; None for one that has none, more than one, or none at its end.

    git signs what is above and below the header, so a commit without an empty line is none that it has signed.
    """
    found = parts(commit)
    if len(found.signatures) != 1 or found.others or b"\n\n" not in commit:
        return None
    return Signed(found.payload, found.signatures[0])
