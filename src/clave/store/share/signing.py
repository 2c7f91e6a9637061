"""Signed commits in the place of unsigned ones: one's own made again, and somebody else's endorsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.errors import Busy, VerificationFailed
from clave.model.change import compose
from clave.store.operation import own_identity
from clave.store.people.membership import Team
from clave.store.trust import judging, verification
from clave.vcs import reading, signed, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.store.store import Store
    from clave.store.trust.pins import Pinned
    from clave.team.verdict import Verdict
    from clave.vcs.graph import Told


def sign_again(store: Store, pinned: Pinned, head: str, own: Sequence[Told]) -> str:
    """Make the user's own commits up to `head` again, signed, with the same content and words; return the last one.

    `own` are those that are not verified, the oldest first. HEAD does not move. Raises VerificationFailed where one of
    them is signed by somebody else.
    """
    repository = store.team_repository()
    team = Team(repository, pinned, pinned.local)
    key = team.require_signer()
    raw = dict(reading.objects(repository, (each.id for each in own), "commit"))
    with transaction.begin(repository, store.root) as write:
        made: dict[str, str] = {}
        for each in own:
            parents = [made.get(parent, parent) for parent in each.parents]
            if each.signed and parents == list(each.parents):
                continue
            if each.signed and not _is_by(raw[each.id], team.certificates.get(key, b"")):
                raise VerificationFailed(
                    f"commit {each.id[:12]} is signed by somebody else, and comes after one of yours that is not",
                    "Let its author make it again, or take it off your branch: git rebase.",
                )
            made[each.id] = write.again(raw[each.id], parents, sign=key)
    return made.get(head, head)


def go_to(store: Store, pinned: Pinned, head: str, commit: str) -> Pinned:
    """Let HEAD, which is `head`, be a commit that was made here, with the same files; return the pin.

    Raises VerificationFailed for what the rules refuse.
    """
    repository = store.team_repository()
    with transaction.begin(repository, store.root) as write:
        if write.head != head:
            raise Busy("another clave has written to this store meanwhile", "Try again: clave sync.")
        verdict = judging.judge(repository, pinned, commit)
        verification.require_good(verdict, commit)
        write.advance(commit)
    return verification.moved(repository, pinned, verdict)


def endorse(store: Store, pinned: Pinned, tip: str, verdict: Verdict) -> str:
    """Return a new commit on top of `tip`, by the user, that endorses what a verdict says is waiting.

    HEAD does not move. Raises VerificationFailed if the user may not.
    """
    repository = store.team_repository()
    team = Team(repository, pinned, verdict.good)
    key, me = team.require_signer(), team.me
    for each in verdict.waiting:
        if me is None or me.name not in each.endorsers:
            who = " or ".join(each.endorsers) or "nobody: its author has to make it again with clave"
            raise VerificationFailed(f"you may not endorse commit {each.commit[:12]}", f"Who may: {who}.")
    ids = [each.commit for each in verdict.waiting]
    message = compose(f"Endorse {len(ids)} {'commits' if len(ids) > 1 else 'commit'}.", "endorse", (), endorses=ids)
    with transaction.begin(repository, store.root) as write:
        return write.draft(tip, message, sign=key, identity=own_identity)


def _is_by(raw: bytes, certificate: bytes) -> bool:
    from clave.openpgp import certificates

    payload, signatures, others = signed.parts(raw)
    if len(signatures) != 1 or others:
        return False
    return certificates.verify(payload, signatures[0], [certificate]).state == "GOOD"
