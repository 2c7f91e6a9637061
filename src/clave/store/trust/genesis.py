"""The beginning of a team store, and how a pin is set where there is none.

The words of a beginning stand for its commit and its first roster, so for all that follows: whoever compared them with
a colleague's, by voice, knows the store from there on. Up to where its history holds, it is pinned.

`CLAVE_ROOT`, the words or `COMMIT:HASH`, does for a machine what comparing does for people. While it is set, a store
that has another beginning is refused, and so is a store that has none.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotWrite, VerificationFailed
from clave.store.trust import pins, words
from clave.store.trust.judging import judge
from clave.store.trust.pins import ROOT, Pinned
from clave.team import paths
from clave.team import roster as rosters
from clave.vcs import beginning, reading

if TYPE_CHECKING:
    from clave.team.verdict import Verdict
    from clave.vcs.git import Repository


class Genesis(NamedTuple):
    """Where a team began: the commit, the hash of its first roster, the id of the store."""

    commit: str
    roster: str
    store: str

    @property
    def words(self) -> str:
        """The words to compare."""
        return words.of_genesis(self.commit, self.roster)

    def fits(self, root: str) -> bool:
        """Tell whether somebody means this beginning, by its words or as `COMMIT:HASH`."""
        return words.same(root, self.words) or root.strip().lower() == f"{self.commit}:{self.roster}"

    def pinned(self) -> Pinned:
        """Return the pin of a store of which nothing but this is known."""
        return Pinned(
            store=self.store, genesis=self.commit, roster=self.roster,
            upstream="", local=self.commit, seq=1, when=int(time.time()),
        )  # fmt: skip


def of(pinned: Pinned) -> Genesis:
    """Return the beginning that is pinned."""
    return Genesis(pinned.genesis, pinned.roster, pinned.store)


def find(repository: Repository, tip: str) -> Genesis | None:
    """Return where the team of a history began, None for a history without one.

    Raises VerificationFailed for one that is cut off or has several beginnings, or whose first roster cannot be read.
    """
    if os.path.exists(os.path.join(repository.common_dir, "shallow")):
        raise VerificationFailed(
            "this clone is shallow: its history is cut off, so nothing in it can be verified",
            "Get the rest: git fetch --unshallow. Or clone anew, with --filter=blob:none if it is to be small.",
        )
    path = paths.roster_path(1)
    commits = beginning.added(repository, tip, path)
    if not commits:
        return None
    if len(commits) > 1:
        shown = ", ".join(commit[:12] for commit in commits[:5])
        raise VerificationFailed(
            f"the history has {len(commits)} beginnings of a team ({shown}), and a team has one",
            "Ask a colleague who pushed this; do not use it.",
        )
    blobs = [row.blob for row in reading.files(repository, commits[0], (path,)) if row.path == path]
    data = dict(reading.objects(repository, blobs, "blob")).get(blobs[0], b"") if blobs else b""
    return Genesis(commits[0], rosters.digest(data), rosters.parse(data).store)


def require(repository: Repository, tip: str, root: str) -> Genesis:
    """Return the beginning of a history, which must be the one that is meant. Raises VerificationFailed."""
    found = find(repository, tip)
    if found is None:
        raise no_team()
    return require_fits(found, root)


def require_fits(found: Genesis, root: str) -> Genesis:
    """Return a beginning if it is the one that is meant. Raises VerificationFailed."""
    if not found.fits(root):
        raise VerificationFailed(
            f"the words of this store are others: {found.words}",
            "If you have typed right, this is not the store that your colleague has: do not use it.",
        )
    return found


def no_team() -> VerificationFailed:
    """Return the failure for words that a plain store is to have."""
    return VerificationFailed(
        "there is no team in this store, so these words cannot be its own", "Ask a colleague for its URL again."
    )


def verified(repository: Repository, genesis: Genesis, tip: str) -> tuple[Pinned, Verdict]:
    """Return the pin that a history earns, not written yet, and the verdict: it is good up to the pin's `local`.

    Raises VerificationFailed where not even the beginning holds.
    """
    verdict = judge(repository, genesis.pinned(), tip, everything=True)
    if not verdict.good:
        raise verdict.refusals[0].error()
    assert verdict.roster is not None
    upstream = shared(repository, verdict.good)
    return genesis.pinned().replace(local=verdict.good, upstream=upstream, seq=verdict.roster.seq), verdict


def adopt(repository: Repository, root: str) -> tuple[Pinned, Verdict]:
    """Set the pin of a clone that has none, by its words. Raises VerificationFailed: there is none then.

    Unsigned commits that wait for an endorsement stay above the pin.
    """
    head = repository.head()
    if head is None:
        raise VerificationFailed("this store has no commit yet, and so no team", "Get the team's: clave join URL.")
    pinned, verdict = _earned(repository, require(repository, head, root), head)
    pins.write(repository, pinned)
    return pinned, verdict


def as_told(repository: Repository, pinned: Pinned | None, root: str) -> Pinned:
    """Return the pin of a store that is to have this beginning (CLAVE_ROOT); where there is none it is set.

    A machine that cannot keep it verifies anew each time. Raises VerificationFailed for a store that is another one.
    """
    head = repository.head() or ""
    found = of(pinned) if pinned is not None else find(repository, head) if head else None
    if found is None or not found.fits(root):
        words_are = f", whose words are {found.words}" if found else ", which has no team"
        raise VerificationFailed(
            f"{ROOT} is not for the store in {repository.work_tree}{words_are}",
            f"If {ROOT} is what your colleagues' clave pin --words says, do not use this store.",
        )
    if pinned is None:
        pinned, _ = _earned(repository, found, head)
        with suppress(CannotWrite):
            pins.write(repository, pinned)
    return pinned


def _earned(repository: Repository, genesis: Genesis, tip: str) -> tuple[Pinned, Verdict]:
    """Return what `verified` does. Raises VerificationFailed also for a commit that is refused."""
    pinned, verdict = verified(repository, genesis, tip)
    if verdict.refusals:
        raise verdict.refusals[0].error()
    return pinned, verdict


def shared(repository: Repository, good: str) -> str:
    """Return the last commit of a verified history that the remote is known to have, "" for none."""
    result = repository.run("merge-base", good, "@{upstream}", check=False)
    return result.out.decode().strip() if result.code == 0 else ""
