"""A team as a verified commit says it is: who may do what, and with which certificates entries are encrypted.

Everything comes from that commit: the roster, `.public-keys`. The work tree and the user's keyring have no say in who
reads; of the keyring is asked only which of the team's keys is the user's own.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from clave.errors import CannotEncrypt, VerificationFailed
from clave.openpgp import certificates as openpgp
from clave.openpgp.keys import PROBLEM, Recipient
from clave.store.people import expiry
from clave.team import paths
from clave.team.history import current_roster
from clave.team.roster import ADMIN
from clave.team.tree import File, Tree
from clave.vcs import reading, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.store.trust.pins import Pinned
    from clave.team.roster import Key, Member, Roster
    from clave.vcs.git import Repository


class Team:
    """The team of `commit`, which was verified; `pinned` is the pin of its store."""

    def __init__(self, repository: Repository, pinned: Pinned, commit: str) -> None:
        self.commit = commit
        self.pinned = pinned
        rows = reading.files(repository, commit, (paths.ROSTERS, paths.CERTIFICATES, paths.POLICY))
        tree = Tree.of({row.path: File(row.mode, row.blob) for row in rows})
        blobs = dict(reading.objects(repository, (row.blob for row in rows), "blob"))
        roster = current_roster(tree, blobs.__getitem__)
        if roster is None:
            raise VerificationFailed("the team's roster is missing", "Get it back: clave sync.")
        self.roster: Roster = roster
        self.certificates: Mapping[str, bytes] = {
            path.rpartition("/")[2]: blobs[file.blob] for path, file in tree.files() if path.startswith(".public-keys/")
        }
        policy = tree.get(paths.POLICY)
        self.policy: bytes | None = blobs[policy.blob] if policy else None
        self._recipients: dict[tuple[str, str], Recipient] = {}

    @property
    def key(self) -> str | None:
        """The fingerprint of the user's own key that the roster knows; it signs their commits."""
        return self._own[0]

    @cached_property
    def _own(self) -> tuple[str | None, str]:
        """The user's own key, best one whose signatures the team takes now; and what makes them, "" for nothing."""
        known = {fpr: able for fpr, able in openpgp.own_signing_keys().items() if self.roster.who(fpr)}
        for fpr, able in known.items():
            certificate = openpgp.read(self.certificates.get(fpr, b""))
            taken = openpgp.signing_keys(certificate) if certificate else []
            signer = next((each for each in taken if each in able), "")
            if signer:
                return fpr, signer
        return next(iter(known), None), ""

    @property
    def me(self) -> Member | None:
        """The member whose key is the user's own."""
        return self.roster.who(self.key) if self.key else None

    def signer(self, commit: bytes) -> str:
        """Return the roster's name for who signed a verified commit, "" where that is nobody of the team."""
        parts = signed.parts(commit)
        if len(parts.signatures) != 1:
            return ""
        key = openpgp.verify(parts.payload, parts.signatures[0], self.certificates.values()).fingerprint
        owner = self.roster.owners.get(key)
        return owner.name if owner else ""

    def require_member(self) -> str:
        """Return the fingerprint of the user's own key. Raises VerificationFailed for somebody who is no member."""
        if self.key is None:
            raise VerificationFailed(
                "none of your keys is one of the team's, so nothing that you write would be accepted",
                f"Join it: clave join; or ask an admin ({self.admins}).",
            )
        return self.key

    def require_signer(self) -> str:
        """Return what gpg signs with, so that the team takes it: a key that is in the user's certificate in the store.

        Raises VerificationFailed for somebody who is no member, or whose key is not valid by that certificate.
        """
        key = self.require_member()
        if not self._own[1]:
            raise self._unable(key)
        return f"{self._own[1]}!"

    def _unable(self, key: str) -> VerificationFailed:
        """Return that nothing which the user signs would be accepted, why, and who can mend that."""
        name = self.roster.owners[key].name
        certificate = openpgp.read(self.certificates.get(key, b""))
        reason = (certificate and openpgp.problem(certificate)) or "has nothing that signs and that you have"
        others = " or ".join(admin.name for admin in self.roster.admins if admin.name != name)
        if others:
            hint = f"Extend it and send it to an admin ({others}), who runs: clave key renew {name} KEYFILE."
        elif certificate and certificate.expires is not None:
            # What is signed says when, and at that time the key has to be valid by the store's copy.
            before = expiry.day(certificate.expires)
            hint = f"No other admin can help: set the clock back to before {before}, run clave key renew, set it right."
        else:
            hint = "No other admin can help: begin a new store, and copy the entries into it."
        return VerificationFailed(
            f"nothing that {name} signs would be accepted: in the store the key {key} {reason}", hint
        )

    def require_admin(self) -> str:
        """Return the fingerprint of the user's own key. Raises VerificationFailed for somebody who is no admin."""
        key, me = self.require_member(), self.me
        if me is None or me.role != ADMIN:
            name = me.name if me else "you"
            raise VerificationFailed(f"{name} is no admin of the team, who alone may do that", f"Ask {self.admins}.")
        return key

    @property
    def admins(self) -> str:
        """The names of the admins, as a text."""
        return " or ".join(member.name for member in self.roster.admins)

    def require_right(self, changed: Sequence[str], roster: Roster | None = None) -> None:
        """Raise VerificationFailed if one of the paths is not the user's to change."""
        key = self.require_member()
        roster = roster or self.roster
        for path in changed:
            if not paths.may_change(self.roster, key, path):
                owner = self.roster.owners[key].name
                place = paths.place(path)
                if place.kind in (paths.Kind.ENTRY, paths.Kind.PENDING):
                    folder = place.folder or "."
                    raise VerificationFailed(
                        f"{owner} may not write in the folder {folder}",
                        f"Ask an admin ({self.admins}): clave grant {owner} {folder} --write.",
                    )
                raise VerificationFailed(f"{owner} may not change {path}", f"Ask an admin: {self.admins}.")

    def recipients(
        self, folder: str, roster: Roster | None = None, certificates: Mapping[str, bytes] | None = None
    ) -> list[Recipient]:
        """Return whom an entry of a folder is encrypted to: one subkey of each key of each reader.

        `roster` and `certificates` are those of a change that is being made. Raises CannotEncrypt that names every
        member who cannot be encrypted to, why, and what to do.
        """
        roster = roster or self.roster
        found: list[Recipient] = []
        problems: list[CannotEncrypt] = []
        for key in roster.recipients(folder):
            try:
                data = (certificates or self.certificates).get(key.fpr, b"")
                found.append(self._recipient(roster.owners[key.fpr].name, key, data))
            except CannotEncrypt as problem:
                problems.append(problem)
        if problems:
            said = "; ".join(problem.message for problem in problems)
            raise CannotEncrypt(PROBLEM + said, problems[0].hint)
        return found

    def _recipient(self, name: str, key: Key, data: bytes) -> Recipient:
        known = self._recipients.get((key.fpr, ",".join(key.enc)))
        if known is not None and data == self.certificates.get(key.fpr):
            return known
        certificate = openpgp.read(data)
        subkey = expiry.current(key, certificate) if certificate else None
        if certificate is None or subkey is None:
            state = expiry.state(name, key, data)
            raise CannotEncrypt(f"the key {key.fpr} of {name} {state.problem}", state.mend)
        ends = [each for each in (certificate.expires, subkey.expires) if each is not None]
        recipient = Recipient(
            id=key.fpr,
            fingerprint=key.fpr,
            subkey=subkey.fingerprint,
            key_id=subkey.id,
            user_id=name,
            expires=min(ends, default=None),
            certificate=openpgp.only(data, subkey.id),
        )
        if data == self.certificates.get(key.fpr):
            self._recipients[key.fpr, ",".join(key.enc)] = recipient
        return recipient
