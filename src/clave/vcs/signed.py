"""Signed commits as git makes them: the signature stands in a header, and is of all the rest.

The header is `gpgsig`; its value is the armored signature, each line after the first behind one blank
(gitformat-signature(5)). What is signed is the commit without that header.
"""

from __future__ import annotations

from typing import NamedTuple

_HEADER = b"gpgsig "
_OTHERS = (b"gpgsig-sha256 ", b"mergetag ")


class Signed(NamedTuple):
    """What was signed, and the detached signature of it."""

    payload: bytes
    signature: bytes


def split(commit: bytes) -> Signed | None:
    """Return payload and signature of a commit object; None for one without, or with anything unusual in it.

    Unusual is a second signature, one for another hash function, and the tag of a merge, which has its own.
    """
    head, blank, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    in_signature = False
    for line in head.split(b"\n"):
        if line.startswith(_OTHERS) or (line.startswith(_HEADER) and signature):
            return None
        if line.startswith(_HEADER):
            in_signature = True
            signature.append(line[len(_HEADER) :])
        elif in_signature and line.startswith(b" "):
            signature.append(line[1:])
        else:
            in_signature = False
            kept.append(line)
    if not signature or not blank:
        return None
    return Signed(b"\n".join(kept) + blank + message, b"\n".join(signature) + b"\n")
