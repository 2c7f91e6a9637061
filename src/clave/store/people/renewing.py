"""A member's key in a newer copy: with a later expiry, new subkeys, or revoked ones.

- Of the copy that the store has nothing is lost: signatures that were good by it stay good (`certificates.merged`).
- Which encryption subkey is in use the roster says, and only an admin changes the roster. The certificate its owner may
  publish alone; new subkeys are used from when an admin has taken them into the roster.
- Somebody whose key has expired in the store signs nothing that the team accepts: an admin publishes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotEncrypt, NotFound, UsageError
from clave.openpgp import certificates
from clave.store.operation import begin
from clave.store.people import expiry
from clave.team import paths
from clave.team.roster import Key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.openpgp.components import Certificate
    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.team.roster import Member


class Renewal(NamedTuple):
    """What a newer copy of a member's key changes.

    `certificate` is what the store shall have, None where it has that already; `key` what the roster shall say, None
    where it says that already.
    """

    name: str
    fingerprint: str
    found: Certificate
    certificate: bytes | None
    key: Key | None

    def lines(self) -> list[str]:
        """Return what changes, in words."""
        said: list[str] = []
        if self.certificate is not None:
            expires = self.found.expires
            until = "does not expire" if expires is None else f"expires on {expiry.day(expires)}"
            said.append(f"new copy of the key {self.fingerprint} of {self.name}, which {until}")
        if self.key is not None:
            said.append(f"new encryption subkey of {self.name}: {', '.join(self.key.enc)}")
        return said


def of_own(team: Team, member: Member) -> list[Renewal]:
    """Return what the user's keyring has newer of their own keys. Raises NotFound where it has none of them."""
    copies: dict[str, bytes] = {}
    for key in member.keys:
        try:
            copies[key.fpr] = certificates.exported(key.fpr)
        except NotFound as failure:
            missing = failure
    if not copies:
        raise missing
    return [_renewal(team, fpr, copy) for fpr, copy in copies.items()]


def of_file(team: Team, member: Member, path: str) -> list[Renewal]:
    """Return what a file has newer of a member's key. Raises UsageError for another key."""
    copy = certificates.from_file(path)
    found = certificates.read(copy)
    assert found is not None
    if found.fingerprint not in {key.fpr for key in member.keys}:
        raise UsageError(
            f"{path} holds {found.fingerprint}, which is no key of {member.name}",
            f"To give them this one instead: clave team key replace {member.name} {path}.",
        )
    return [_renewal(team, found.fingerprint, copy)]


def of_store(team: Team, member: Member) -> list[Renewal]:
    """Return what a member has published and the roster does not say yet."""
    return [_renewal(team, key.fpr, team.certificates.get(key.fpr, b"")) for key in member.keys]


def publish(store: Store, renewals: Sequence[Renewal]) -> None:
    """Put the certificates into the store, in a commit of their own. Raises NotShared, VerificationFailed."""
    from clave.store.share.sharing import share

    def work() -> None:
        with begin(store) as change:
            assert change.team is not None
            for renewal in renewals:
                if renewal.certificate is not None:
                    # What a sync has brought meanwhile is not lost.
                    newest = _renewal(change.team, renewal.fingerprint, renewal.certificate)
                    if newest.certificate is not None:
                        change.place(paths.certificate_path(newest.fingerprint), newest.certificate)
            names = ", ".join(dict.fromkeys(renewal.name for renewal in renewals))
            change.commit(f"Renew the key of {names}.", "team")

    share(store, work)


def _renewal(team: Team, fingerprint: str, copy: bytes) -> Renewal:
    owner = team.roster.owners[fingerprint]
    older = team.certificates.get(fingerprint, b"")
    known = certificates.read(older)
    newest = certificates.merged(older, copy) if known and certificates.read(copy) else copy
    found = certificates.read(newest)
    if found is None:
        raise CannotEncrypt(
            f"the certificate {fingerprint} of {owner.name} is missing",
            f"An admin brings it back: clave key renew {owner.name} KEYFILE.",
        )
    subkey = certificates.encryption_subkey(found)
    if subkey is None:
        raise CannotEncrypt(
            f"the key {fingerprint} of {owner.name} {certificates.problem(found)}",
            f"Extend it first (gpg --quick-set-expire {fingerprint} 1y), or give {owner.name} another: "
            f"clave team key replace {owner.name} KEYFILE.",
        )
    is_in_use = owner.key.enc == (subkey.id,)
    return Renewal(
        owner.name,
        fingerprint,
        found,
        certificate=None if newest == older else newest,
        key=None if is_in_use else Key(fingerprint, (subkey.id,)),
    )
