"""The first roster: how a plain store becomes a team's.

It says what the `.gpg-id` files say today: each of their keys becomes a member's, each of their folders keeps its
readers, who may also write, as everybody could until now. Whoever makes it is the first admin. The history before is
trusted as the tree that it led to, nothing more.
"""

from __future__ import annotations

import re
import time
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, NotFound, UsageError
from clave.openpgp import certificates
from clave.store import layout, recipients
from clave.store.operation import own_identity
from clave.store.people import rostering
from clave.store.trust import judging, pins
from clave.team import paths
from clave.team import roster as rosters
from clave.team.roster import ADMIN, MEMBER, Folder, Grant, Key, Member, Roster
from clave.vcs import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.openpgp.keys import Recipient
    from clave.store.store import Store
    from clave.store.trust.pins import Pinned


class Founding(NamedTuple):
    """A first roster that is not made yet, the certificates of its members, and which key is the user's."""

    roster: Roster
    certificates: Mapping[str, bytes]
    key: str


def plan(store: Store, name: str | None = None, *, me: str | None = None) -> Founding:
    """Return what `found` would make; `name` is the user's in the team, `me` which of their keys signs.

    Raises UsageError for a store that has a team, is not in git, or whose first folder the user cannot read,
    CannotEncrypt for a key of a `.gpg-id` that cannot be used, NotFound where there is no `.gpg-id`.
    """
    if store.is_team:
        raise UsageError("this store has a team already", "See it: clave team.")
    repository = store.repository()
    if repository is None:
        raise GitFailed("the store is not in git, and a team's history is its proof", "Make it so: clave git init.")
    store.team_repository()
    folders = list(layout.folders_with_recipients(store.root))
    if "" not in folders:
        raise NotFound("the store has no recipients: there is no .gpg-id", "You must run: clave init your-gpg-id")
    readers = {folder: recipients.for_folder(store, folder) for folder in folders}
    everybody = {each.fingerprint: each for found in readers.values() for each in found}
    own = [each for each in certificates.own_signing_keys() if each in everybody]
    if me is not None:
        own = [each for each in own if each == me.upper()]
    if not own:
        raise UsageError(
            "none of your keys that can sign is in a .gpg-id of the store", "Only one of its readers can found a team."
        )
    members = _members(everybody, own, name)
    by_key = {key.fpr: member.name for member in members for key in member.keys}
    rights = {folder: _grants(by_key[each.fingerprint] for each in found) for folder, found in readers.items()}
    roster = Roster(
        store=rosters.new_store_id(),
        seq=1,
        prev="",
        members=members,
        folders=tuple(Folder(path, who, who, inherit=not path) for path, who in rights.items()),
    )
    return Founding(roster, {fpr: certificates.exported(fpr) for fpr in everybody}, own[0])


def found(store: Store, founding: Founding) -> Pinned:
    """Make the first roster a signed commit, and pin it.

    Raises UsageError for a store with files that no team's may have, GitFailed for uncommitted changes of a `.gpg-id`;
    nothing is changed then.
    """
    repository = store.team_repository()
    roster = founding.roster
    changes: dict[str, bytes | None] = {
        **rostering.signed(roster, founding.key),
        **rostering.recipients(None, roster),
        **{paths.certificate_path(fpr): data for fpr, data in founding.certificates.items()},
    }
    pinned: list[Pinned] = []

    def judged(commit: str) -> None:
        pin = pins.Pinned(
            store=roster.store, genesis=commit, roster=roster.digest,
            upstream="", local=commit, seq=1, when=int(time.time()),
        )  # fmt: skip
        verdict = judging.judge(repository, pin, commit, everything=True)
        if verdict.refusals:
            raise UsageError(
                f"the store cannot be a team's: {verdict.refusals[0].problem}", "Mend that first, then try again."
            )
        pinned.append(pin)

    with transaction.begin(repository, store.root) as write:
        write.require_unchanged(changes)
        from clave.model.change import compose

        message = compose("Found the team of the store.", "team", [])
        write.commit(changes, message, sign=founding.key, check=judged, identity=own_identity)
    pins.write(repository, pinned[0])
    return pinned[0]


def _members(everybody: Mapping[str, Recipient], own: list[str], name: str | None) -> tuple[Member, ...]:
    """Return a member for each key, and one for all of the user's own."""
    taken: set[str] = set()
    mine = _name(name or name_from(everybody[own[0]].user_id), taken)
    found = [Member(mine, ADMIN, tuple(_key(everybody[fpr]) for fpr in own))]
    for fpr, each in everybody.items():
        if fpr not in own:
            found.append(Member(_name(name_from(each.user_id), taken), MEMBER, (_key(each),)))
    return tuple(found)


def _key(recipient: Recipient) -> Key:
    certificate = certificates.read(certificates.exported(recipient.fingerprint))
    every = certificate.encryption if certificate else frozenset()
    return Key(recipient.fingerprint, (recipient.key_id,), tuple(every - {recipient.key_id}))


def name_from(user_id: str) -> str:
    """Return a name for somebody: of `Alice Smith <alice@example.org>` it is `alice`."""
    address = user_id.rpartition("<")[2].partition("@")[0] if "@" in user_id else user_id.partition(" ")[0]
    plain = unicodedata.normalize("NFKD", address).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:40] or "member"


def _name(wanted: str, taken: set[str]) -> str:
    """Return a name that nobody has yet; two of the same are told apart by a number."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    taken.add(name)
    return name


def _grants(names: Iterable[str]) -> tuple[Grant, ...]:
    return tuple(Grant(name) for name in sorted(set(names)))
