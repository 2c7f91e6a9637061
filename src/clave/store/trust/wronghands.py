"""A key that somebody else has: which commits it signed, and up to where its signatures may count.

The roster says it with `last_good`. The last commit by another key is what is proposed: all that
the stolen key signed after that then counts for nothing. It is a proposal, for nobody can see when a key was stolen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import VerificationFailed
from clave.model.text import printable
from clave.openpgp import certificates
from clave.team import paths
from clave.team.verdict import ADVICE, Rule
from clave.vcs import reading, signed

if TYPE_CHECKING:
    from collections.abc import Collection

    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.team.roster import Roster

_LOOKED_AT = 2000  # of the last commits
_AT_ONCE = 200
_SHOWN = 10


class Signed(NamedTuple):
    """A commit by the key: its id, when it says that it was made, its subject."""

    commit: str
    time: int
    subject: str


class Found(NamedTuple):
    """The commit that is proposed ("": all of the last ones are by the key), and what the key signed after and before.

    The newest first, and of each no more than a few.
    """

    proposal: str
    after: tuple[Signed, ...]
    before: tuple[Signed, ...]


def look(store: Store, fingerprints: Collection[str]) -> Found:
    """Return what the keys of somebody have signed lately."""
    team, repository = store.team(), store.team_repository()
    commits = reading.newest(repository, team.commit, _LOOKED_AT)
    proposal = ""
    after: list[Signed] = []
    before: list[Signed] = []
    for at in range(0, len(commits), _AT_ONCE):
        raw = dict(reading.objects(repository, commits[at : at + _AT_ONCE], "commit"))
        for commit in filter(raw.__contains__, commits[at : at + _AT_ONCE]):
            if signer(team, raw[commit]) in fingerprints:
                (before if proposal else after).append(_signed(commit, raw[commit]))
            else:
                proposal = proposal or commit
        if len(before) >= _SHOWN:
            break
    return Found(proposal, tuple(after[:_SHOWN]), tuple(before[:_SHOWN]))


def restored(store: Store, fingerprint: str, last_good: str) -> dict[str, bytes]:
    """Return the key's certificate as it was when its signatures still counted, if it was changed since.

    Who has the key may have changed it, and nobody can stand for such a change.
    """
    repository, path = store.team_repository(), paths.certificate_path(fingerprint)
    blobs = [row.blob for row in reading.files(repository, last_good, (path,)) if row.path == path]
    then = dict(reading.objects(repository, blobs, "blob")).get(blobs[0]) if blobs else None
    return {} if then in (None, store.team().certificates.get(fingerprint)) else {fingerprint: then}


def require_looked_at(
    store: Store, team: Team, after: Roster, endorsed: Collection[str], replaced: Collection[str]
) -> None:
    """Raise VerificationFailed if something is as it was left by a key that `after` says is in wrong hands.

    Unless somebody stands for the commit, or the certificate is replaced with the change. The rules say the same of
    files; but what is encrypted anew is another file, with the thief's value in it.
    """
    ours = {paths.certificate_path(fpr) for fpr in replaced}
    taken: dict[str, set[str]] = {}
    for fpr, owner in after.owners.items():
        if owner.last_good and not team.roster.owners[fpr].last_good:
            taken.setdefault(owner.last_good, set()).add(fpr)
    if not taken:
        return
    repository = store.team_repository()
    now = {row.path: row.blob for row in reading.files(repository, team.commit)}
    for last_good, keys in taken.items():
        parents = reading.parents(repository, team.commit, after=last_good)
        pairs = [(commit, before[0]) for commit, before in parents.items() if before and commit != last_good]
        raw, changed = reading.commits(repository, [commit for commit, _ in pairs], pairs)
        for commit, _ in reversed(pairs):
            if commit in endorsed or signer(team, raw[commit]) not in keys:
                continue
            kept = [
                each.path
                for each in (changed[commit].changed if commit in changed else ())
                if now.get(each.path, "") == each.blob and each.path not in ours
            ]
            if kept:
                raise VerificationFailed(
                    f"it keeps {printable(kept[0])} as it was left by {commit[:12]}, whose key was in wrong hands",
                    ADVICE[Rule.WRONG_HANDS],
                )


def signer(team: Team, commit: bytes) -> str:
    """Return the fingerprint of the key that signed a commit, by the certificates of today; "" for none."""
    parts = signed.parts(commit)
    if len(parts.signatures) != 1:
        return ""
    return certificates.verify(parts.payload, parts.signatures[0], team.certificates.values()).fingerprint


def _signed(commit: str, raw: bytes) -> Signed:
    head, _, message = raw.partition(b"\n\n")
    committer = next((line for line in head.split(b"\n") if line.startswith(b"committer ")), b"")
    words = committer.split(b" ")
    seconds = int(words[-2]) if len(words) > 2 and words[-2].isdigit() and len(words[-2]) < 12 else 0
    return Signed(commit, seconds, message.partition(b"\n")[0].decode("utf-8", "replace"))
