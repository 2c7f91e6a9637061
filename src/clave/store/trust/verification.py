"""Whether what stands in a team store may be trusted: the rules (`team.rules`) applied to a repository and its pin.

- A place that once held a team store has a pin, and is one for ever: a missing roster there is refused.
- HEAD is verified if it is the commit that was verified here last. Any other is judged first: what comes after the last
  one here, or, where HEAD does not, after the last one that the remote had.
- The pin moves only to what was judged to be good, and never back behind what the remote had.
- An entry that is read is the one of HEAD: a merge of plain git that has stopped, or was taken back by halves, leaves
  files of others in the work tree.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from clave.errors import VerificationFailed
from clave.model.name import SUFFIX, split_field
from clave.model.text import printable
from clave.store.trust import pins
from clave.store.trust.judging import judge
from clave.vcs import graph, settled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.store.trust.pins import Pinned
    from clave.team.verdict import Verdict
    from clave.vcs.git import Repository


def pinned_or_refuse(repository: Repository) -> Pinned:
    """Return the pin of a team store. Raises VerificationFailed where there is none."""
    found = pins.read(repository)
    root = os.environ.get(pins.ROOT)
    if root:
        from clave.store.trust.genesis import as_told

        return as_told(repository, found, root)
    if found is None:
        raise VerificationFailed(
            f"nothing is known yet of the team of the store in {repository.work_tree}",
            "Ask a colleague for its words (clave pin --words), then: clave pin --root WORDS.",
        )
    return found


def verify_head(repository: Repository) -> Pinned:
    """Return the pin, whose `local` is HEAD: HEAD is judged unless it was before.

    Raises VerificationFailed for a HEAD that is not good to its last commit, the pin is then as it was.
    """
    pinned = pinned_or_refuse(repository)
    head = repository.head()
    if head is None:
        raise VerificationFailed(
            "the store is a team's, and its branch has no commit", "Get the team's back: clave sync."
        )
    if head == pinned.local:
        return pinned
    verdict = judge(repository, pinned, head)
    require_good(verdict, head)
    return moved(repository, pinned, verdict)


def require_committed(repository: Repository, commit: str, names: Iterable[str], *, below: bool) -> None:
    """Raise VerificationFailed if one of some entries (`NAME#field`) is not what HEAD, a commit, has.

    `below`: or an entry in one of these folders (`""`: the store's own).
    """
    given = (each for name in names for each in (name, split_field(name)[0]))
    either = {"/".join(filter(None, each.split("/"))) for each in given}  # as `model.name.check` writes them
    for path in settled.look(repository, commit, SUFFIX):
        entry = path.removesuffix(SUFFIX)
        is_meant = entry in either or any(
            each.startswith(f"{path}/") for each in either
        )  # or it goes through a symlink
        if is_meant or (below and any(not each or entry.startswith(f"{each}/") for each in either)):
            shown = printable(path)
            raise VerificationFailed(
                f"{shown} is not what was committed last",
                f"Look at it (clave git status), then bring it back: clave git checkout HEAD -- {shown}, or remove it.",
            )


def moved(repository: Repository, pinned: Pinned, verdict: Verdict, *, upstream: str = "") -> Pinned:
    """Move the pin to what a verdict calls good, `upstream` to what the remote is known to have; return it.

    `upstream` that does not come after the one that is pinned is none: what a remote shows may be older than what it
    had.
    """
    seq = max(pinned.seq, verdict.roster.seq if verdict.roster else 0)
    if not upstream or (pinned.upstream and not graph.reaches(repository, upstream, pinned.upstream)):
        upstream = pinned.upstream
    new = pinned.replace(local=verdict.good, seq=seq, upstream=upstream, when=int(time.time()))
    pins.write(repository, new)
    return new


def made(repository: Repository, pinned: Pinned, commit: str, *, seq: int = 0) -> Pinned:
    """Move the pin to a commit that was judged before HEAD moved to it; `seq` is the number of its roster."""
    new = pinned.replace(local=commit, seq=max(pinned.seq, seq), when=int(time.time()))
    pins.write(repository, new)
    return new


def require_good(verdict: Verdict, tip: str) -> None:
    """Raise VerificationFailed unless all is good up to a commit."""
    if verdict.refusals:
        raise verdict.refusals[0].error()
    if verdict.good == tip:
        return
    if verdict.waiting:
        first = verdict.waiting[0]
        raise VerificationFailed(
            f"commit {first.commit[:12]} is not signed",
            "Sign or endorse it: clave sync (it shows what the commit changes, and asks).",
        )
    raise VerificationFailed(f"commit {tip[:12]} is not verified", "See why: clave verify.")
