"""Sharing a store by its remote: fetch, verify, bring together, push.

1. What the remote has is fetched into `refs/clave/incoming`, which nothing else looks at.
2. In a team store it is judged from the pin on. Nothing moves beyond the last good commit.
3. HEAD moves to it, or own work is merged with it (`merging`), in one crash-safe step.
4. Own work is pushed, on the condition that the remote still has what was fetched. If it has not: from 1 again, at most
   five times.

A remote that was never seen and is empty gets what is here. One whose branch is gone, or that has gone back, is told,
and nothing is changed. The pin moves to what was verified, and only then.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, GitFailed, VerificationFailed
from clave.store.operation import begin
from clave.store.share import merging, replaying, unshared
from clave.store.trust import judging, pins, verification
from clave.team.verdict import Waiting
from clave.vcs import graph, reading, remote, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clave.store.people.membership import Team
    from clave.store.share.merging import Conflict
    from clave.store.store import Store
    from clave.team.verdict import Verdict
    from clave.vcs.git import Repository
    from clave.vcs.graph import Told
    from clave.vcs.remote import Remote

INCOMING = f"{remote.QUARANTINE}incoming"
_ATTEMPTS = 5
_PAUSE = 0.2  # seconds before the second attempt; each time twice as long, half of it by chance


class Synced(NamedTuple):
    """What a sync did: the commits that came and that went, what could not be brought together.

    `waiting` are unsigned commits of the remote's that nobody has endorsed; `left` the entries that are not encrypted
    to their readers of now, which the user cannot mend. `head` is what both sides have now, "" if they differ.
    `refused` are own changes of the team that could not be made again on those of others, and why.
    """

    came: tuple[Told, ...] = ()
    went: tuple[Told, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    left: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    head: str = ""
    refused: tuple[str, ...] = ()


def remote_for(store: Store) -> tuple[Repository, Remote]:
    """Return repository and remote of a store. Raises GitFailed where there is none, UsageError for its URL."""
    repository = store.repository()
    if repository is None:
        raise GitFailed("the password store is not a git repository", 'Try "clave git init".')
    if repository.work_tree != os.path.realpath(store.root):
        raise GitFailed(
            "the store is a part of a bigger git repository, which is not clave's to share", "Use git there: git pull."
        )
    found = remote.remote_of(repository)
    if found is None:
        raise GitFailed("the store has no remote", "Give it one: clave git remote add origin URL.")
    return repository, found


def sync(
    store: Store,
    *,
    endorse: Callable[[Sequence[Waiting]], bool] | None = None,
    sign: Callable[[Sequence[Told]], bool] | None = None,
    told: Callable[[str], object] | None = None,
) -> Synced:
    """Bring a store and its remote together.

    `endorse` is asked, with unsigned commits of the remote's that the user may endorse, whether to; `sign`, with
    unsigned commits of the user's own, whether to sign them. Raises VerificationFailed, GitFailed, Unreachable, Busy
    (others were faster five times), and as every write: what had been brought in until then stays.
    """
    repository, where = remote_for(store)
    run = _Run(store, repository, where, endorse, sign, told)
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause = _PAUSE * 2 ** (attempt - 1)
            time.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - no secret: who waits how long
        try:
            return run.once()
        except remote.Rejected:
            continue
    raise Busy(
        f"others have pushed to {where.shown} each of the {_ATTEMPTS} times that this was about to",
        "Nothing is lost. Try again: clave sync.",
    )


def preview(store: Store, *, told: Callable[[str], object] | None = None) -> Synced:
    """Return what `sync` would bring and send; only the quarantine is changed. Raises as `sync`."""
    repository, where = remote_for(store)
    return _Run(store, repository, where, None, None, told).preview()


def push(
    store: Store, *, told: Callable[[str], object] | None = None, answered: Mapping[str, str] | None = None
) -> Synced:
    """Push what is here on top of what the last sync has fetched. Raises as `sync`, and Rejected.

    `answered` are refs of the remote's that go in the same push, each with the commit that it must still have.
    """
    repository, where = remote_for(store)
    run = _Run(store, repository, where, None, None, told)
    return run.push(reading.resolve(repository, where.tracking) or "", answered)


class _Run:
    """One sync. What it has brought in is remembered over its attempts."""

    def __init__(
        self,
        store: Store,
        repository: Repository,
        where: Remote,
        endorse: Callable[[Sequence[Waiting]], bool] | None,
        sign: Callable[[Sequence[Told]], bool] | None,
        told: Callable[[str], object] | None,
    ) -> None:
        self.store = store
        self.repository = repository
        self.where = where
        self.endorse = endorse
        self.sign = sign
        self.told = told
        self.pinned = verification.pinned_or_refuse(repository) if store.is_team else None
        self.start = repository.head()
        self.conflicts: list[Conflict] = []
        self.left: list[str] = []
        self.refused: list[str] = []

    def once(self) -> Synced:
        """Fetch, bring in, push. Raises Rejected where somebody else has pushed meanwhile."""
        tip = self._fetched()
        if self.pinned is None:
            if tip is not None:
                self._require_plain(tip)
                self._bring_in(tip)
            return self.push(tip or "")
        if tip is None or not self._is_shared(tip):
            self._verify_own(tip)
        if tip is None:
            return self.push("")
        verdict = self._judged(tip)
        good = tip if verdict.good == tip else "" if verdict.refusals else self._endorsed(tip, verdict)
        if not good:
            return self._hold(tip, verdict)
        self._bring_in(good)
        self._know(good, verdict, upstream=tip)
        return self.push(tip)

    def preview(self) -> Synced:
        """Say what `once` would do."""
        tip, head = self._fetched(), self.repository.head()
        good, waiting = tip, tuple[Waiting, ...]()
        if tip and self.pinned is None:
            self._require_plain(tip)
        elif tip:
            verdict = self._judged(tip)
            if verdict.refusals:
                raise verdict.refusals[0].error()
            good, waiting = verdict.good, verdict.waiting
        came = graph.between(self.repository, head, good) if good else []
        went = graph.between(self.repository, tip, head) if head else []
        same = head if head and head == tip else ""
        return Synced(self._named(came, good or ""), tuple(went), waiting=waiting, head=same)

    # The remote

    def _fetched(self) -> str | None:
        """Return what the remote's branch is, None for a remote that is empty and never was anything else."""
        try:
            remote.fetch(self.repository, self.where, [f"{self.where.branch}:{INCOMING}"], progress=self.told)
        except remote.NoBranch:
            self._require_new(remote.branches(self.repository, self.where))
            return None
        return reading.require_commit(self.repository, INCOMING)

    def _require_new(self, there: dict[str, str]) -> None:
        """Raise GitFailed unless the remote is empty, and was when it was seen last."""
        branch = _short(self.where.branch)
        seen = self.pinned.upstream if self.pinned else reading.resolve(self.repository, self.where.tracking)
        others = ", ".join(sorted(map(_short, there)))
        if seen and not there:
            raise GitFailed(
                f"{self.where.shown} is empty, and had the branch {branch} when it was seen last",
                "Ask who runs it. To put yours there again: clave git push.",
            )
        if seen:
            raise GitFailed(
                f"{self.where.shown} does not have the branch {branch} any more; it has {others}",
                f"If it was renamed: clave git config branch.{branch}.merge refs/heads/NAME. Else ask who deleted it.",
            )
        if there:
            raise GitFailed(
                f"{self.where.shown} has no branch {branch}; it has {others}",
                f"To share by one of these: clave git config branch.{branch}.merge refs/heads/NAME.",
            )

    def push(self, tip: str, answered: Mapping[str, str] | None = None) -> Synced:
        """Give the remote what is here, if it still has `tip` ("": nothing)."""
        # Of a team's, what is known to be good: HEAD may have been moved meanwhile.
        head = verification.pinned_or_refuse(self.repository).local if self.pinned else self.repository.head()
        if head is None:
            raise GitFailed("there is nothing to share yet: the store has no commit", "Write something first.")
        answered = answered or {}
        if head != tip:
            remote.push(
                self.repository, self.where, [f"{head}:{self.where.branch}", *(f":{ref}" for ref in answered)],
                expect={self.where.branch: tip, **answered}, progress=self.told,
            )  # fmt: skip
        remote.note(self.repository, self.where, head)
        unshared.forget(self.store)
        if self.pinned:
            self.pinned = verification.pinned_or_refuse(self.repository).replace(upstream=head, when=int(time.time()))
            pins.write(self.repository, self.pinned)
        return self._result(tip, head, head)

    def _result(self, tip: str, head: str, both: str, waiting: tuple[Waiting, ...] = ()) -> Synced:
        """Return what was done: what came from the remote's `tip`, what went to it with `head`."""
        came = graph.between(self.repository, self.start, tip) if tip else []
        went = graph.between(self.repository, tip or None, head) if both else []
        named = self._named(came, tip)
        return Synced(named, tuple(went), tuple(self.conflicts), tuple(self.left), waiting, both, tuple(self.refused))

    def _named(self, commits: Sequence[Told], good: str) -> tuple[Told, ...]:
        """Return commits with the roster's names for who signed them, if there is one: an author is a claim."""
        from clave.store.people.membership import Team

        if self.pinned is None or not commits:
            return tuple(commits)
        team = Team(self.repository, self.pinned, good)
        raw = dict(reading.objects(self.repository, (each.id for each in commits), "commit"))
        return tuple(each._replace(author=team.signer(raw[each.id]) or "nobody (unsigned)") for each in commits)

    # A team's

    def _require_plain(self, tip: str) -> None:
        """Raise VerificationFailed if the remote's store is a team's, of which nothing is known here."""
        if not reading.files(self.repository, tip, (".clave/roster",)):
            return
        if self._is_shared(tip):
            way = "Ask a colleague for its words (clave pin --words), then: clave git pull; clave pin --root WORDS."
        else:
            way = "You have work of your own here: get the store beside it (clave join URL), and copy that: clave cp."
        raise VerificationFailed(
            f"the store at {self.where.shown} is a team's, and nothing is known here of that team", way
        )

    def _judged(self, tip: str) -> Verdict:
        assert self.pinned is not None
        return judging.judge(self.repository, self.pinned, tip)

    def _is_shared(self, tip: str) -> bool:
        """Tell whether the remote has all that is here: there is no work of the user's own."""
        head = self.repository.head()
        return head is None or graph.reaches(self.repository, tip, head)

    def _verify_own(self, tip: str | None) -> None:
        """See that own work is verified; what is not signed is signed, if the user wants that."""
        assert self.pinned is not None
        head = reading.require_commit(self.repository, "HEAD")
        if head == self.pinned.local:
            return
        verdict = self._judged(head)
        if verdict.refusals:
            error = verdict.refusals[0].error()
            error.hint = f"It is in your own branch. Take it back: git reset --keep {verdict.good[:12]}."
            raise error
        if verdict.good != head:
            self._sign_own(tip, head, verdict)
        else:
            self.pinned = verification.moved(self.repository, self.pinned, verdict)

    def _sign_own(self, tip: str | None, head: str, verdict: Verdict) -> None:
        from clave.store.share import signing

        assert self.pinned is not None
        theirs = {each.id for each in graph.between(self.repository, verdict.good, tip)} if tip else set()
        own = [each for each in graph.between(self.repository, verdict.good, head) if each.id not in theirs]
        unsigned = [each for each in own if not each.signed]
        of_others = [each for each in verdict.waiting if each.commit in theirs]
        if unsigned and not (self.sign and self.sign(unsigned)):
            count = f"{len(unsigned)} commits of yours are" if len(unsigned) > 1 else "a commit of yours is"
            raise VerificationFailed(
                f"{count} not signed ({unsigned[0].id[:12]}: {unsigned[0].subject})", "Sign: clave sync --sign."
            )
        if of_others and not (self.endorse and self.endorse(of_others)):
            raise VerificationFailed(
                f"your branch has commit {of_others[0].commit[:12]} of somebody else's in it, which is not signed",
                f"Look at it, then endorse it: clave sync --endorse ({' or '.join(of_others[0].endorsers)} may).",
            )
        new = signing.sign_again(self.store, self.pinned, head, own) if unsigned else head
        if of_others:
            new = signing.endorse(self.store, self.pinned, new, verdict._replace(waiting=tuple(of_others)))
        self.pinned = signing.go_to(self.store, self.pinned, head, new)

    def _endorsed(self, tip: str, verdict: Verdict) -> str:
        """Return a commit with the remote's tip before it that endorses what waits there, "" where there is none."""
        from clave.store.share import signing

        assert self.pinned is not None
        head = self.repository.head()
        if head and head == self.pinned.local and graph.reaches(self.repository, head, tip):
            return head
        if self.endorse is None or not self.endorse(verdict.waiting):
            return ""
        endorsing = signing.endorse(self.store, self.pinned, tip, verdict)
        verification.require_good(self._judged(endorsing), endorsing)
        return endorsing

    def _hold(self, tip: str, verdict: Verdict) -> Synced:
        """Bring in what is good of a remote whose tip is not, and tell what is the matter with the rest."""
        assert self.pinned is not None
        if verdict.good not in ("", self.pinned.upstream) and self._is_shared(verdict.good):
            self._bring_in(verdict.good)
            self._know(verdict.good, verdict, upstream=verdict.good)
        if verdict.refusals:
            raise verdict.refusals[0].error()
        ids = {each.commit for each in verdict.waiting}
        held = [each for each in graph.between(self.repository, verdict.good, tip) if each.id not in ids]
        if held or not self._is_shared(tip):
            first = verdict.waiting[0]
            who = " or ".join(first.endorsers) or "an admin"
            raise VerificationFailed(
                f"commit {first.commit[:12]} at {self.where.shown} is not signed, and holds back what comes after it",
                f"Look at it and endorse it: clave sync --endorse ({who} may).",
            )
        return self._result(verdict.good, verdict.good, "", verdict.waiting)

    def _know(self, good: str, verdict: Verdict, *, upstream: str) -> None:
        """Move the pin: `good` was brought in, and the remote has `upstream` of it."""
        pinned = verification.pinned_or_refuse(self.repository)
        # A merge, and what was made again, has moved it there already.
        local = pinned.local if graph.reaches(self.repository, pinned.local, good) else good
        seq = max(pinned.seq, verdict.roster.seq if verdict.roster else 0)
        self.pinned = pinned.replace(upstream=upstream, local=local, seq=seq, when=int(time.time()))
        pins.write(self.repository, self.pinned)

    # Here

    def _bring_in(self, tip: str) -> None:
        """Make HEAD a commit that has `tip` before itself, or is it."""
        head = self.repository.head()
        if head is not None and graph.reaches(self.repository, head, tip):
            self._replay()
            return
        if head is None or graph.reaches(self.repository, tip, head):
            with transaction.begin(self.repository, self.store.root) as write:
                _require_head(head, write.head)
                write.advance(tip)
            self._replay()
            return
        if self.repository.run("merge-base", head, tip, check=False).code != 0:
            raise GitFailed(
                f"the store and {self.where.shown} have no commit in common: they are two stores",
                "Clone that one beside this, and copy what you need: clave cp.",
            )
        if self.pinned and replaying.is_needed(*(graph.files(self.repository, each) for each in (head, tip))):
            replaying.start(self.store, self.repository, tip)
            self._replay()
            return
        with begin(self.store) as change:
            _require_head(head, self.repository.head())
            team = self._judging(head, tip)
            merged = merging.merge(self.store, self.repository, change, head, tip, team)
            change.commit("Merge what others have shared.", "merge")
        merging.bring_together(self.store, merged.parted)
        self.conflicts += merged.conflicts
        self.left += merged.left
        self._replay()

    def _replay(self) -> None:
        """Make own commits again that wait for it."""
        if self.pinned:
            done = replaying.go_on(self.store, self.repository)
            self.conflicts += done.conflicts
            self.left += done.left
            self.refused += done.refused

    def _judging(self, head: str, tip: str) -> Team | None:
        """Return the team that judges a merge: that of the commit with the highest roster."""
        if self.pinned is None:
            return None
        from clave.store.people.membership import Team

        pinned = verification.pinned_or_refuse(self.repository)
        here, there = (Team(self.repository, pinned, commit) for commit in (head, tip))
        return here if here.roster.seq >= there.roster.seq else there


def _require_head(expected: str | None, found: str | None) -> None:
    if found != expected:
        raise remote.Rejected("another clave has written to this store meanwhile", "Try again: clave sync.")


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
