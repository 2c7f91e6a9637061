"""A wish to join a team, as somebody who may push leaves it at the remote.

It is a commit without parents on a branch of its own, `clave-join/FINGERPRINT`. The rules:

- Its tree holds exactly two ordinary files: `certificate.asc`, one armored certificate, and `request.toml`, which names
  the store, its genesis and the name that the newcomer would like, in the one spelling that `_terms` makes.
- The branch has the name of the certificate's key, and that key has signed the commit: whoever made the request has it.
- A request is for one store with one beginning, so that none can be carried into another.
- It is input from anybody: how large each object is, is looked at before it is read.

A request grants nothing, and proves only who has the key: whose key it is, the admin hears from its owner (`words`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import VerificationFailed
from clave.model.text import printable
from clave.openpgp import certificates
from clave.team.evidence import State
from clave.vcs import remote, signed, trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clave.vcs.git import Repository
    from clave.vcs.remote import Remote

BRANCHES = "refs/heads/clave-join/"  # at the remote
FETCHED = "refs/clave/join/"  # here, where nothing looks but this

MAX_REQUESTS = 200  # open at a time: more is no team's work
_CERTIFICATE, _TERMS = "certificate.asc", "request.toml"
_LIMITS = {"commit": 1 << 16, "tree": 1 << 10, _CERTIFICATE: 1 << 16, _TERMS: 1 << 10}  # bytes of each object
_FINGERPRINT = re.compile(r"[0-9A-F]{40}(?:[0-9A-F]{24})?")
_SPELLING = re.compile(
    rb"format = 1\n"
    rb'store = "(?P<store>[0-9a-f]{32})"\n'
    rb'genesis = "(?P<genesis>[0-9a-f]{40}(?:[0-9a-f]{24})?)"\n'
    rb'name = "(?P<name>[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)"\n'
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_SHA2 = frozenset(("SHA224", "SHA256", "SHA384", "SHA512"))
_NEXT = "Ask who pushed it, and remove the branch if nobody knows."


class Place(NamedTuple):
    """The store that a request is for: the id that its roster has, and its genesis commit."""

    store: str
    genesis: str


@dataclass(frozen=True)
class Request:
    """A request that holds: the key that made it, the name that is wanted, its certificate, its commit."""

    fingerprint: str
    name: str
    certificate: bytes
    commit: str

    @property
    def branch(self) -> str:
        """The branch at the remote that it is on."""
        return BRANCHES + self.fingerprint


def make(repository: Repository, place: Place, *, fingerprint: str, name: str) -> Request:
    """Make the request of one of the user's own keys, signed by it, as a commit that no branch here has.

    Raises GitFailed where gpg does not sign, CannotWrite.
    """
    certificate = certificates.exported(fingerprint)
    blobs = {_CERTIFICATE: _stored(repository, certificate), _TERMS: _stored(repository, _terms(place, name))}
    rows = "".join(f"100644 blob {blob}\t{path}\n" for path, blob in sorted(blobs.items()))
    tree = repository.run("mktree", input=rows.encode()).out.decode().strip()
    who = {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (("NAME", name), ("EMAIL", f"{fingerprint}@clave-join"))
    }
    message = f"{name} would like to join\n"
    made = repository.run("commit-tree", f"-S{fingerprint}", "-F", "-", tree, input=message.encode(), env=who)
    return read(repository, {fingerprint: made.out.decode().strip()}, place)[fingerprint].result()


class Read(NamedTuple):
    """What a branch of requests holds: a request, or why it is none."""

    request: Request | None
    problem: VerificationFailed | None

    def result(self) -> Request:
        """Return the request. Raises VerificationFailed."""
        if self.problem is not None:
            raise self.problem
        assert self.request is not None
        return self.request


def read(repository: Repository, commits: Mapping[str, str], place: Place) -> dict[str, Read]:
    """Return what commits of this repository say, by the last part of their branches' names."""
    names = {commit: _names(commit) for commit in commits.values()}
    objects = _objects(repository, {name: kind for each in names.values() for kind, name in each.items()})
    found: dict[str, Read] = {}
    for branch, commit in commits.items():
        try:
            parts = {kind: objects.get(name) for kind, name in names[commit].items()}
            found[branch] = Read(_judged(branch, commit, parts, place), None)
        except VerificationFailed as problem:
            message = f"the join request {printable(branch[:64])} is refused: {problem.message}"
            found[branch] = Read(None, VerificationFailed(message, problem.hint or _NEXT))
    return found


def is_name(text: str) -> bool:
    """Tell whether somebody can be called that in a team."""
    return _NAME.fullmatch(text) is not None


def fetched(
    repository: Repository, there: Remote, place: Place, branches: Iterable[str] | None = None
) -> dict[str, Read]:
    """Fetch the requests that are at the remote, or those of some branches, and return them as `read` does.

    Raises what `remote.fetch` raises; VerificationFailed for more requests than a team has.
    """
    if branches is None:
        branches = [ref for ref in remote.branches(repository, there) if ref.startswith(BRANCHES)]
    names = sorted(ref.removeprefix(BRANCHES) for ref in branches)
    if len(names) > MAX_REQUESTS:
        raise VerificationFailed(f"there are {len(names)} requests to join at {there.shown}", _NEXT)
    good = [name for name in names if _FINGERPRINT.fullmatch(name)]
    bad = {
        name: Read(None, VerificationFailed(f"{printable(BRANCHES + name)} is no request to join", _NEXT))
        for name in names
        if name not in good
    }
    try:
        bad |= _fetch(repository, there, good)
        come = [name for name in good if name not in bad]
        commits = {name: repository.text("rev-parse", "--verify", FETCHED + name) for name in come}
        return bad | (read(repository, commits, place) if commits else {})
    finally:
        lines = "".join(f"delete {FETCHED}{name}\n" for name in good)
        repository.run("update-ref", "--stdin", input=lines.encode())


def _fetch(repository: Repository, there: Remote, names: Sequence[str]) -> dict[str, Read]:
    """Fetch requests, and return those that git refuses: one of them may not keep the others away."""
    if not names:
        return {}
    try:
        remote.fetch(repository, there, [f"{BRANCHES}{name}:{FETCHED}{name}" for name in names])
    except VerificationFailed as problem:
        if len(names) == 1:
            message = f"the join request {names[0]} is refused: {problem.message}"
            return {names[0]: Read(None, VerificationFailed(message, _NEXT))}
        return {name: each for one in names for name, each in _fetch(repository, there, [one]).items()}
    return {}


def _terms(place: Place, name: str) -> bytes:
    terms = f'format = 1\nstore = "{place.store}"\ngenesis = "{place.genesis}"\nname = "{name}"\n'.encode()
    assert _SPELLING.fullmatch(terms)
    return terms


def _stored(repository: Repository, content: bytes) -> str:
    return repository.run("hash-object", "-w", "--stdin", input=content).out.decode().strip()


def _names(commit: str) -> dict[str, str]:
    """Return how git is asked for the objects of a request."""
    return {
        "commit": commit,
        "tree": f"{commit}^{{tree}}",
        **{path: f"{commit}:{path}" for path in (_CERTIFICATE, _TERMS)},
    }


def _objects(repository: Repository, names: Mapping[str, str]) -> dict[str, bytes]:
    """Return the objects behind names that are no larger than their kind may be, and of git's type for it."""
    wanted = {name: (kind if kind in ("commit", "tree") else "blob", _LIMITS[kind]) for name, kind in names.items()}
    listing = repository.run("cat-file", "--batch-check", input=_lines(wanted)).out.decode().splitlines()
    small: list[str] = []
    for (name, (kind, limit)), line in zip(wanted.items(), listing, strict=True):
        _, _, facts = line.partition(" ")
        if facts.startswith(f"{kind} ") and int(facts.removeprefix(f"{kind} ")) <= limit:
            small.append(name)
    out = repository.run("cat-file", "--batch", input=_lines(small)).out
    found: dict[str, bytes] = {}
    for name in small:
        head, _, out = out.partition(b"\n")
        size = int(head.rpartition(b" ")[2])
        found[name], out = out[:size], out[size + 1 :]
    return found


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _judged(branch: str, commit: str, objects: Mapping[str, bytes | None], place: Place) -> Request:
    """Return the request that these objects make. Raises VerificationFailed."""
    _must(_FINGERPRINT.fullmatch(branch), "its branch has not the name of a key")
    raw, tree, certificate, terms = (objects[kind] for kind in _LIMITS)
    _must(raw is not None and tree is not None, "it is no commit, or a large one")
    assert raw is not None
    assert tree is not None
    _must(not _has_parents(raw), "it has commits before it")
    _must(_files(tree, commit) == {_CERTIFICATE, _TERMS}, f"it holds other files than {_CERTIFICATE} and {_TERMS}")
    _must(certificate is not None and terms is not None, "a file in it is too large")
    assert certificate is not None
    assert terms is not None
    written = _SPELLING.fullmatch(terms)
    _must(written, f"its {_TERMS} is not what this clave writes")
    assert written
    theirs = Place(written["store"].decode(), written["genesis"].decode())
    _must(theirs == place, "it is for another store")
    _check_certificate(branch, certificate)
    _check_signature(branch, raw, certificate)
    return Request(branch, written["name"].decode(), certificates.armor(certificate), commit)


def _has_parents(commit: bytes) -> bool:
    head = commit.partition(b"\n\n")[0]
    return any(line.startswith(b"parent ") for line in head.split(b"\n"))


def _files(tree: bytes, commit: str) -> set[str] | None:
    """Return the names in a tree that has ordinary files alone, and each once."""
    try:
        entries = trees.read(tree, len(commit) // 2)
    except ValueError:
        return None
    ordinary = all(entry.mode == trees.FILE for entry in entries.values())
    return {os.fsdecode(name) for name in entries} if ordinary and trees.write(entries) == tree else None


def _check_certificate(branch: str, data: bytes) -> None:
    certificate = certificates.read(data)
    _must(certificate is not None, f"its {_CERTIFICATE} is no OpenPGP certificate")
    assert certificate is not None
    _must(not certificate.secret, f"its {_CERTIFICATE} holds a secret key, which is known now")
    _must(certificate.primaries == (branch,), f"its {_CERTIFICATE} holds another key, or more than one")


def _check_signature(branch: str, commit: bytes, certificate: bytes) -> None:
    parts = signed.split(commit)
    _must(parts is not None, "it is not signed, or in a way that clave does not sign")
    assert parts is not None
    checked = certificates.verify(parts.payload, parts.signature, [certificate])
    good = checked.state == State.GOOD.name and checked.number == 1 and checked.binary and checked.digest in _SHA2
    _must(good and checked.fingerprint == branch, "it is not signed by the key that would like to join")


def _must(condition: object, problem: str) -> None:
    if not condition:
        raise VerificationFailed(problem)
