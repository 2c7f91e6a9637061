"""What can be said of a team store as a whole: up to where all is verified, and what is left to do.

Without `everything` only what is new since the last time is judged. What is no breach of a rule is a warning: commits
that wait for an endorsement, entries with older recipients than the roster's, changes that are not committed, a newest
commit that is older than the policy's `max_age` (somebody may hold back what is new).
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import BadMessage, UsageError, VerificationFailed
from clave.model.text import printable
from clave.openpgp import certificates, packets
from clave.rotation import policy
from clave.store.people.membership import Team
from clave.store.trust import judging, verification
from clave.store.trust.genesis import shared
from clave.team.readers import Due, rekey_due
from clave.team.tree import File, Tree
from clave.team.verdict import Verdict
from clave.vcs import reading, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.store.store import Store
    from clave.store.trust.pins import Pinned
    from clave.vcs.git import Repository


class Inspection(NamedTuple):
    """What was found.

    `signer` is the roster's name for who signed the last good commit, `when` what that commit says of its time (a
    claim), in seconds since 1970. `warnings` are sentences.
    """

    pinned: Pinned
    verdict: Verdict
    roster: int
    signer: str
    when: int
    due: tuple[Due, ...]
    warnings: tuple[str, ...]


def inspect(store: Store, *, everything: bool = False) -> Inspection:
    """Verify a team store and say what is left to do; the pin moves to what was found good, unless a commit is refused.

    Raises VerificationFailed where there is no pin or no commit, or not even the beginning is good.
    """
    repository = store.team_repository()
    pinned = verification.pinned_or_refuse(repository)
    head = repository.head()
    if head is None:
        raise VerificationFailed("the branch of the store has no commit", "Get the team's back: clave sync.")
    verdict = Verdict(head, None) if head == pinned.local else judging.judge(repository, pinned, head)
    if everything and not verdict.refusals:  # that HEAD comes after the pin does not follow from what comes before
        verdict = judging.judge(repository, pinned, head, everything=True)
    if not verdict.good:
        raise verdict.refusals[0].error()
    if not verdict.refusals and verdict.good != pinned.local:
        pinned = verification.moved(repository, pinned, verdict, upstream=shared(repository, verdict.good))
    team = Team(repository, pinned, verdict.good)
    tree, contents = _entries(repository, verdict.good)
    due = rekey_due(tree, team.roster, contents.get)
    signer, when = _signer(repository, team, verdict.good)
    warnings = (
        *_waiting(verdict),
        *([f"{len(due)} of the entries are not encrypted to the readers they have now: clave rekey"] if due else []),
        *_uncommitted(repository),
        *_too_old(team.policy, when),
    )
    return Inspection(pinned, verdict, team.roster.seq, signer, when, due, warnings)


def _entries(repository: Repository, commit: str) -> tuple[Tree, Mapping[str, tuple[str, ...] | None]]:
    """Return the files of a commit, and of each message among them whom it is for."""
    rows = reading.files(repository, commit)
    blobs = [row.blob for row in rows if row.path.endswith(".gpg") or row.path.startswith(".clave/pending/")]
    found: dict[str, tuple[str, ...] | None] = {}
    for blob, data in reading.objects(repository, blobs, "blob"):
        try:
            found[blob] = tuple(packets.inspect(packets.dearmor(data)).recipients)
        except BadMessage:
            found[blob] = None
    return Tree.of({row.path: File(row.mode, row.blob) for row in rows}), found


def _signer(repository: Repository, team: Team, commit: str) -> tuple[str, int]:
    """Return who signed a verified commit, and when it says that it was made."""
    raw = dict(reading.objects(repository, [commit], "commit"))[commit]
    committed = re.search(rb"^committer [^\n]* (\d{1,12}) [+-]\d{4}$", raw.partition(b"\n\n")[0], re.MULTILINE)
    when = int(committed[1]) if committed else 0
    parts = signed.split(raw)
    if parts is None:
        return "nobody (it was endorsed)", when
    checked = certificates.verify(parts.payload, parts.signature, team.certificates.values())
    owner = team.roster.owners.get(checked.fingerprint)
    return owner.name if owner else "somebody who left", when


def _waiting(verdict: Verdict) -> list[str]:
    return [
        f"commit {each.commit[:12]} is not signed; it may be endorsed by {' or '.join(each.endorsers) or 'nobody'}"
        for each in verdict.waiting
    ]


def _uncommitted(repository: Repository) -> list[str]:
    out = os.fsdecode(repository.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no").out)
    paths = [row[3:] for row in out.split("\0")[:-1]]
    return [f"{len(paths)} files are not as they were committed, {printable(paths[0])} for one"] if paths else []


def _too_old(data: bytes | None, when: int) -> list[str]:
    """Return that the newest commit is older than the policy lets it be, or that nobody can know."""
    if data is None:
        return []
    try:
        max_age = policy.parse(data).max_age
    except UsageError as broken:
        return [broken.message]
    if max_age is not None and time.time() - when > max_age.total_seconds():
        made = time.strftime("%Y-%m-%d", time.gmtime(when))
        days = f"{max_age.days}d" if max_age.days else f"{max_age.seconds // 3600}h"
        return [f"the newest commit is of {made}, older than the policy's max_age of {days}: is something held back?"]
    return []
