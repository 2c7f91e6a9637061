"""Signatures of many commits, checked on another processor before anybody asks for them.

Which certificates a commit is judged by is known only when its parents have been judged; most often they are those of
the tip. So the newer half is checked against these meanwhile. An answer counts only where the commit is then judged by
that very certificate, and only if it is that the signature is good: everything else is found out in its turn.
"""

from __future__ import annotations

import marshal
from itertools import islice
from typing import TYPE_CHECKING

from clave.openpgp import certificates
from clave.process import aside
from clave.team.evidence import Signature, State
from clave.vcs import signed

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 500  # commits from which on a copy of the process is worth its start
_SHARE = 0.7  # of the commits are checked aside: whoever asks has also the rules to apply, and the messages to read


class Ahead:
    """The check of the newest of these commits (raw, by id, the newest first).

    `known` are certificates by fingerprint: the id of the blob, and its content.
    """

    def __init__(self, commits: Mapping[str, bytes], known: Mapping[str, tuple[str, bytes]]) -> None:
        self._known = known
        self._commits = dict(islice(commits.items(), int(len(commits) * _SHARE)))
        self._aside = aside(self._check)
        self._good: dict[str, Signature] | None = None if self._aside else {}

    def good(self, commit: str, among: Mapping[str, str]) -> Signature | None:
        """Return the signature of a commit that is good by one of the certificates (blobs by fingerprint).

        None: that is not known here.
        """
        if commit not in self._commits:
            return None
        if self._good is None:
            assert self._aside is not None
            self._good = _read(self._aside.result())
        found = self._good.get(commit)
        return found if found and among.get(found.fingerprint) == self._known[found.fingerprint][0] else None

    def _check(self) -> bytes:
        """Return what `_read` reads: commit, fingerprint, whether it is binary, and hash, of each good signature."""
        rows: list[tuple[str, str, bool, str]] = []
        given = [content for _, content in self._known.values()]
        for commit, raw in self._commits.items():
            parts = signed.split(raw)
            if parts is None:
                continue
            found = certificates.verify(parts.payload, parts.signature, given)
            if State[found.state] is State.GOOD and found.number == 1:
                rows.append((commit, found.fingerprint, found.binary, found.digest))
        return marshal.dumps(rows)


def _read(data: bytes) -> dict[str, Signature]:
    rows = marshal.loads(data) if data else []  # noqa: S302 - a copy of ourselves wrote it
    return {commit: Signature(State.GOOD, fpr, binary=binary, digest=digest) for commit, fpr, binary, digest in rows}
