"""The rules of a team (`team.rules`) applied to the commits of a repository, from its pin on. Nothing is moved here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.vcs import graph
from clave.vcs.partial import fetch_missing, is_partial

if TYPE_CHECKING:
    from clave.store.trust.pins import Pinned
    from clave.team.verdict import Verdict
    from clave.vcs.git import Repository


def judge(repository: Repository, pinned: Pinned, tip: str, *, everything: bool = False) -> Verdict:
    """Judge a commit (a full id) and what comes before it, from the pin on; `everything`: from genesis on.

    Moves nothing. Raises GitFailed for a commit that is not there.
    """
    start = "" if everything else _start(repository, pinned, tip)
    if is_partial(repository):
        fetch_missing(repository, tip, start or pinned.genesis)
    return _judged(repository, pinned, tip, start, texts=not is_partial(repository))


def judge_new(repository: Repository, pinned: Pinned, head: str, commit: str) -> Verdict:
    """Judge a commit made on top of `head`, which is verified."""
    return _judged(repository, pinned, commit, head, texts=False)


def _judged(repository: Repository, pinned: Pinned, tip: str, start: str, *, texts: bool) -> Verdict:
    # Loaded here: most of the time HEAD is what was judged before.
    from clave.store.trust.evidence import GitEvidence
    from clave.team import rules
    from clave.team.verdict import Pin

    evidence = GitEvidence(repository, tip, pinned.genesis, start, texts=texts)
    return rules.verify(evidence, Pin(pinned.genesis, pinned.roster, start), tip)


def _start(repository: Repository, pinned: Pinned, tip: str) -> str:
    """Return the commit from which a tip is judged."""
    return pinned.local if graph.reaches(repository, tip, pinned.local) else pinned.upstream
