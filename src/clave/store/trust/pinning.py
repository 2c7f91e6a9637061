"""Moving the pin: the one way in which what is known of a store from before may be given up.

A remote that was set back, or begun anew, is refused for ever, until somebody who knows that it was done on purpose
says so. The new place is verified from its beginning on, as a store that is joined. HEAD goes along, unless it is that
with own work on top: what was given up is not to come back with the next sync. What HEAD was stays, under `KEPT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, VerificationFailed
from clave.store.trust import genesis as beginnings
from clave.store.trust import pins
from clave.store.trust.verification import pinned_or_refuse
from clave.vcs import reading, remote, transaction

if TYPE_CHECKING:
    from clave.store.store import Store
    from clave.store.trust.pins import Pinned

KEPT = "refs/clave/before-pin"
_FETCHED = "refs/clave/incoming"


class Move(NamedTuple):
    """A pin that may be set: the one that there is, and the other."""

    old: Pinned
    new: Pinned


def plan(store: Store, revision: str | None) -> Move:
    """Return what moving the pin to a commit would make of it; None: to what the remote has.

    Raises VerificationFailed for a commit that does not hold from its beginning on, GitFailed, Unreachable.
    """
    repository = store.team_repository()
    old = pinned_or_refuse(repository)
    upstream = ""
    if revision is None:
        there = remote.remote_of(repository)
        if there is None:
            raise GitFailed("the store has no remote", "Name a commit: clave pin --move COMMIT.")
        remote.fetch(repository, there, [f"{there.branch}:{_FETCHED}"])
        commit = upstream = reading.require_commit(repository, _FETCHED)
    else:
        commit = reading.require_commit(repository, revision)
    found = beginnings.find(repository, commit)
    if found is None:
        raise VerificationFailed(f"commit {commit[:12]} is of no team", "A pin is for a team store alone.")
    pinned, verdict = beginnings.verified(repository, found, commit)
    if verdict.refusals:
        raise verdict.refusals[0].error()
    if verdict.good != commit:
        raise VerificationFailed(
            f"commit {commit[:12]} has unsigned ones before it, up to {verdict.good[:12]} all is good",
            f"Move it there: clave pin --move {verdict.good[:12]}.",
        )
    return Move(old, pinned.replace(upstream=upstream or pinned.upstream))


def carry_out(store: Store, move: Move) -> bool:
    """Set the pin; return whether HEAD went there too.

    Raises GitFailed for uncommitted changes in its way, CannotWrite.
    """
    repository = store.team_repository()
    head, commit = repository.head(), move.new.local
    with transaction.begin(repository, store.root) as write:
        given_up = move.old.upstream and not _is_after(store, commit, move.old.upstream)
        follows = head is not None and not given_up and _is_after(store, head, commit)
        if not follows:
            if head is not None:
                repository.run("update-ref", KEPT, head)
            write.advance(commit)
        pins.write(repository, move.new)
    return not follows


def _is_after(store: Store, commit: str, other: str) -> bool:
    result = store.team_repository().run("merge-base", "--is-ancestor", other, commit, check=False)
    return result.code == 0
