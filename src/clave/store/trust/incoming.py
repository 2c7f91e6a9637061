"""A push, judged where it arrives: by a hook of a bare repository, before any of its refs moves.

- The beginning is known from `clave.root` of the repository's own configuration, or from CLAVE_ROOT; without either
  nothing is taken.
- The branch of HEAD is the store's. It only goes forward, and only to what every clave would call good. Unsigned
  commits wait there as they do everywhere; `strict` refuses them.
- `clave-join/FINGERPRINT` is a request to join (`requests`), and goes when it was answered. Any other branch is judged
  from the beginning on, as nothing is known of it.
- There is no work tree, no key ring, and no gpg.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotWrite, GitFailed, VerificationFailed
from clave.model.text import printable
from clave.store.people import requests
from clave.store.trust import genesis as beginnings
from clave.store.trust import judging, pins, verification
from clave.vcs.bare import Bare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.store.trust.pins import Pinned

ROOT = "clave.root"


class Update(NamedTuple):
    """A ref that is to move; ids of zeros stand for none. `ref` "" means the store's branch."""

    old: str
    new: str
    ref: str


def check(updates: Iterable[Update], *, strict: bool = False) -> None:
    """Raise VerificationFailed for a push that may not be taken, GitFailed outside of a bare repository."""
    repository = Bare.here()
    root = os.environ.get(pins.ROOT) or repository.setting(ROOT)
    if not root:
        raise VerificationFailed(
            "this repository does not know which store it holds",
            f"Tell it: git config {ROOT} WORDS (clave pin --words).",
        )
    branch = repository.text("symbolic-ref", "HEAD")
    updates = [each._replace(ref=each.ref or branch) for each in updates]
    # The store's own branch first: of a new store it says where the team began.
    for update in sorted(updates, key=lambda each: each.ref != branch):
        if update.ref.startswith(requests.BRANCHES):
            _check_request(repository, update, root, branch)
        elif update.ref == branch:
            _check_branch(repository, update, root, strict=strict)
        elif _is_commit(update.new):
            _check_other(repository, update, root, strict=strict)


def _check_other(repository: Bare, update: Update, root: str, *, strict: bool) -> None:
    commit = repository.commit(update.new)
    if commit is None:
        raise VerificationFailed(f"{printable(update.ref)} would be no commit", "A store has commits alone.")
    _judge(repository, commit, beginnings.require(repository, commit, root).pinned(), strict=strict)


def _is_commit(new: str) -> bool:
    return bool(new.strip("0"))


def _check_branch(repository: Bare, update: Update, root: str, *, strict: bool) -> None:
    shown = printable(update.ref)
    if not _is_commit(update.new):
        raise VerificationFailed(f"{shown} is the store, and may not be removed", "Nothing was changed.")
    is_new = not _is_commit(update.old)
    if not is_new and not repository.reaches(update.new, update.old):
        raise VerificationFailed(f"{shown} may not go back, or aside", "Bring what is there along: clave sync.")
    pinned = _known(repository, root, update.new) or beginnings.require(repository, update.new, root).pinned()
    _judge(repository, update.new, pinned, strict=strict)
    if not is_new:
        _remember(repository, pinned, update.old)


def _judge(repository: Bare, commit: str, pinned: Pinned, *, strict: bool) -> None:
    everything = pinned.local == pinned.genesis
    verdict = judging.judge(repository, pinned, commit, everything=everything)
    if verdict.refusals:
        raise verdict.refusals[0].error()
    if strict:
        verification.require_good(verdict, commit)


def _known(repository: Bare, root: str, new: str) -> Pinned | None:
    """Return what was verified here before, if it is of this beginning and comes before what is new."""
    pinned = pins.read(repository)
    fits = pinned is not None and beginnings.of(pinned).fits(root) and repository.reaches(new, pinned.local)
    return pinned if fits else None


def _remember(repository: Bare, pinned: Pinned, verified: str) -> None:
    """Keep that a commit is good, so that the next push is judged from it on. It is there: the new one may not come."""
    try:
        pins.write(repository, pinned.replace(local=verified, upstream=verified))
    except CannotWrite:
        return  # the next push takes a little longer


def _check_request(repository: Bare, update: Update, root: str, branch: str) -> None:
    if not _is_commit(update.new):
        return
    tip = repository.commit(branch)
    if tip is None:
        raise GitFailed("there is no store here yet that could be joined", "Push it first: clave sync.")
    found = beginnings.require(repository, tip, root)
    name = update.ref.removeprefix(requests.BRANCHES)
    place = requests.Place(found.store, found.commit)
    requests.read(repository, {name: update.new}, place)[name].result()
