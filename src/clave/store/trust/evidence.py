"""A repository, read for the rules of verification: what git has, and what OpenPGP says of it.

The rules ask for one thing after another; git answers many at once. So the first question about a new commit reads all
of the new ones, with everything in them that the rules may ask for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from clave.errors import BadMessage
from clave.model import change
from clave.openpgp import certificates as openpgp
from clave.openpgp import packets
from clave.store.trust import ahead
from clave.team.evidence import UNSIGNED, Certificate, Commit, Signature, State
from clave.team.paths import CERTIFICATES, Kind, place
from clave.team.tree import ORDINARY, Change, File, Tree
from clave.vcs import reading, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.vcs.git import Repository

_MESSAGES = (Kind.ENTRY, Kind.PENDING)
_FILES = (Kind.ROSTER, Kind.RECIPIENTS, Kind.CERTIFICATE, Kind.LOG)
_TWICE = "twice"  # the mode of a path that a broken tree has twice: no file may have it


class GitEvidence:
    """What the rules are told of a repository: `team.evidence.Evidence`.

    `tip` is the commit in question (a full id), `genesis` the one before which nothing is looked at, `since` the one up
    to which all is verified ("": nothing is). Without `texts` no messages are compared, for which all that the history
    ever had are read. Raises GitFailed for a commit that is not there.
    """

    def __init__(self, repository: Repository, tip: str, genesis: str, since: str = "", *, texts: bool = True) -> None:
        self._repository = repository
        self._tip = tip
        self._parents = reading.parents(repository, tip, after=genesis)
        old = reading.parents(repository, since, after=genesis) if since else {}
        self._new = self._parents.keys() - old.keys()
        # What does not come after `since`, or comes before genesis, is to be seen as that.
        self._parents = {tip: (), **old, **self._parents}
        self._commits: dict[str, Commit] = {}
        self._raw: dict[str, bytes] = {}
        self._contents: dict[str, bytes] = {}
        self._recipients: dict[str, tuple[str, ...] | None] = {}
        self._texts: dict[str, bytes] = {}  # the beginning of what is encrypted, by blob
        self._has_texts = texts
        self._certificates: dict[str, Certificate | None] = {}
        self._ahead: ahead.Ahead | None = None
        self._unread: dict[Kind, list[str]] = {kind: [] for kind in Kind}  # blobs of new commits, nobody has asked yet

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the parents of a commit."""
        return self._parents[commit]

    def commit(self, commit: str) -> Commit:
        """Return a commit."""
        if commit not in self._commits:
            self._parents[commit]  # a LookupError for one that the tip does not reach
            self._read_commits(self._new if commit in self._new else self._parents.keys() - self._commits.keys())
        return self._commits[commit]

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit."""
        found: dict[str, File] = {}
        for path, mode, blob in reading.files(self._repository, commit):
            found[path] = File(_TWICE if path in found else mode, blob)
        return Tree.of(found)

    def content(self, blob: str) -> bytes:
        """Return a small file: a roster, a `.gpg-id`, a log."""
        if blob not in self._contents:
            wanted = [blob]
            for kind in _FILES:
                wanted += self._unread[kind]
                self._unread[kind] = []
            self._contents.update(reading.objects(self._repository, wanted, "blob"))
        return self._contents[blob]

    def recipients(self, blob: str) -> tuple[str, ...] | None:
        """Return the key ids that a message is for, in its order; None for what is no message that may be opened."""
        if blob not in self._recipients:
            wanted = [blob]
            for kind in _MESSAGES:
                wanted += self._unread[kind]
                self._unread[kind] = []
            self._read_messages(wanted)
        return self._recipients[blob]

    def same_text(self, blob: str) -> tuple[tuple[str, ...], ...]:
        """Return whom other messages of the history are for that have the encrypted text of this one."""
        others = (each for each in self._by_text.get(self._texts.get(blob, b""), ()) if each != blob)
        return tuple(recipients for each in others if (recipients := self._recipients[each]) is not None)

    @cached_property
    def _by_text(self) -> dict[bytes, list[str]]:
        """The messages of all commits by their encrypted text; none, where nobody is to compare them."""
        found: dict[bytes, list[str]] = {}
        if self._has_texts:
            wanted = reading.blobs(self._repository, self._tip, lambda path: place(path).kind in _MESSAGES)
            self._read_messages(blob for blob in wanted if blob not in self._recipients)
            for blob, text in self._texts.items():
                found.setdefault(text, []).append(blob)
        return found

    def _read_messages(self, blobs: Iterable[str]) -> None:
        for blob, data in reading.objects(self._repository, blobs, "blob"):
            try:
                binary = packets.dearmor(data)
                message = packets.inspect(binary)
                self._recipients[blob] = tuple(message.recipients)
                self._texts[blob] = packets.text(binary, message)
            except BadMessage:
                self._recipients[blob] = None

    def certificate(self, blob: str) -> Certificate | None:
        """Return what a file of `.public-keys` holds; None for what is no OpenPGP certificate."""
        if blob not in self._certificates:
            self._certificates[blob] = _certificate(self.content(blob))
        return self._certificates[blob]

    def signature(self, commit: str, certificates: Mapping[str, str]) -> Signature:
        """Return the signature of a commit, checked against these alone: the blobs of certificates by fingerprint."""
        self.commit(commit)
        known = self._ahead.good(commit, certificates) if self._ahead else None
        if known is not None:
            return known
        payload, signatures, others = signed.parts(self._raw[commit])
        if not signatures and not others:
            return UNSIGNED
        if not signatures:
            return Signature(State.BAD, number=others)
        found = self._checked(payload, signatures[0], certificates)
        return found._replace(number=found.number + len(signatures) - 1 + others)

    def roster_signature(self, roster: str, signature: str, certificates: Mapping[str, str]) -> Signature:
        """Return the detached signature (a blob) of a roster (a blob), checked against these certificates alone."""
        return self._checked(self.content(roster), self.content(signature), certificates)

    def _checked(self, payload: bytes, signature: bytes, among: Mapping[str, str]) -> Signature:
        found = openpgp.verify(payload, signature, [self.content(blob) for blob in among.values()])
        return Signature(State[found.state], found.fingerprint, found.number, found.binary, found.digest)

    def _read_commits(self, commits: Iterable[str]) -> None:
        wanted = sorted(commits)
        # What the beginning has changed nobody asks: it has no parent, or one that is not part of the history.
        pairs = [(each, self._parents[each][0]) for each in wanted if self._parents[each]]
        raw, changed = reading.commits(self._repository, wanted, pairs)
        self._raw.update(raw)
        if len(raw) >= ahead.MANY and self._ahead is None:
            newest_first = {each: raw[each] for each in self._parents if each in raw}
            self._ahead = ahead.Ahead(newest_first, self._certificates_of_tip())
        for each in wanted:
            if each not in raw or _parents(raw[each]) != self._parents[each]:
                continue  # it is not there, or git was told to see another one in its place
            found = changed.get(each, reading.Compared(()))
            rows = [Change(c.path, File(c.mode, c.blob) if c.mode else None) for c in found.changed]
            self._commits[each] = Commit(each, self._parents[each], tuple(rows), _endorses(raw[each]), found.broken)
            for path, file in rows:
                if file:
                    self._unread[place(path).kind].append(file.blob)

    def _certificates_of_tip(self) -> dict[str, tuple[str, bytes]]:
        """Return id and content of the certificates that the newest commit has, by fingerprint."""
        rows = [row for row in reading.files(self._repository, self._tip, (CERTIFICATES,)) if row.mode == ORDINARY]
        content = dict(reading.objects(self._repository, (row.blob for row in rows), "blob"))
        named = ((place(row.path).fpr, row.blob) for row in rows)
        return {fpr: (blob, content[blob]) for fpr, blob in named if fpr and blob in content}


def _parents(raw: bytes) -> tuple[str, ...]:
    lines = raw.partition(b"\n\n")[0].split(b"\n")
    return tuple(line[7:].decode("ascii", "replace") for line in lines if line.startswith(b"parent "))


def _endorses(raw: bytes) -> tuple[str, ...]:
    if b"\nClave-Endorse: " not in raw:
        return ()
    return change.parse(raw.partition(b"\n\n")[2].decode("utf-8", "surrogateescape")).endorses


def _certificate(data: bytes) -> Certificate | None:
    found = openpgp.read(data)
    if found is None:
        return None
    return Certificate(found.primaries, found.encryption, found.secret)
