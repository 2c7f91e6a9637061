"""Who an entry is encrypted to: the nearest `.gpg-id` upwards, resolved to certificates; in a team store the roster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import CannotEncrypt, NotFound, VerificationFailed
from clave.openpgp import keys
from clave.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clave.openpgp.keys import Recipient
    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.team.roster import Roster

SIGNATURE = layout.RECIPIENTS + ".sig"
_SIGN = "See that its ids are the right ones, then sign it: clave init with them."


def for_folder(store: Store, folder: str) -> list[Recipient]:
    """Return who reads a folder (`""`: the store's own).

    Raises NotFound where there is no `.gpg-id`, CannotEncrypt for a recipient that cannot be encrypted to,
    VerificationFailed for a `.gpg-id` without the signature that PASSWORD_STORE_SIGNING_KEY asks for.
    """
    return readers(store).of(folder)


def readers(store: Store) -> Readers | TeamReaders:
    """Return who reads the folders of a store. Raises VerificationFailed for a team store that is not verified."""
    return TeamReaders(store.team()) if store.is_team else Readers(store)


def resolve(store: Store, ids: Sequence[str]) -> list[Recipient]:
    """Return the certificates behind the ids of a `.gpg-id`. Raises CannotEncrypt."""
    return keys.resolve(ids, options=store.options)


def ids_for_folder(store: Store, folder: str, *, read: Callable[[str], bytes | None] | None = None) -> list[str]:
    """Return the ids that hold for a folder, PASSWORD_STORE_KEY before every `.gpg-id` (as in pass).

    `read` gives the content of a path relative to the store, or None; by default from disk. A write passes
    its own, which knows of the `.gpg-id` files that it is about to change.
    """
    if store.settings.keys:
        return list(store.settings.keys)
    read = read or _from_disk(store)
    current = folder
    while True:
        path = os.path.join(current, layout.RECIPIENTS)
        data = read(path)
        if data is not None:
            _check_signature(store, path, data, read(os.path.join(current, SIGNATURE)))
            ids = layout.parse_recipients(data)
            if not ids:
                raise CannotEncrypt(f"{path} names nobody", "Give it recipients: clave init [-p FOLDER] KEY…")
            return ids
        if not current:
            raise NotFound("the store has no recipients: there is no .gpg-id", "You must run: clave init your-gpg-id")
        current = current.rpartition("/")[0]


class Readers:
    """Who reads the folders of a store; each `.gpg-id` is read once, each distinct one resolved once.

    `read` is as in `ids_for_folder`.
    """

    def __init__(self, store: Store, read: Callable[[str], bytes | None] | None = None) -> None:
        self._store = store
        self._read = read
        self._ids: dict[str, tuple[str, ...]] = {}
        self._resolved: dict[tuple[str, ...], list[Recipient] | CannotEncrypt] = {}

    def of(self, folder: str) -> list[Recipient]:
        """Return who reads a folder. Raises as `for_folder`."""
        if folder not in self._ids:
            self._ids[folder] = tuple(ids_for_folder(self._store, folder, read=self._read))
        ids = self._ids[folder]
        if ids not in self._resolved:
            try:
                self._resolved[ids] = resolve(self._store, ids)
            except CannotEncrypt as problem:
                self._resolved[ids] = problem
        found = self._resolved[ids]
        if isinstance(found, CannotEncrypt):
            raise found
        return found

    def forget_folders(self) -> None:
        """Read every `.gpg-id` again when it is needed: one of them has changed."""
        self._ids.clear()


class TeamReaders:
    """Who reads the folders of a team store, by a roster and certificates (default: those in force)."""

    def __init__(
        self, team: Team, roster: Roster | None = None, certificates: Mapping[str, bytes] | None = None
    ) -> None:
        self._team = team
        self.roster = roster or team.roster
        self._certificates = certificates or team.certificates
        self._known: dict[tuple[str, ...], list[Recipient]] = {}

    def of(self, folder: str) -> list[Recipient]:
        """Return who reads a folder. Raises CannotEncrypt that names each member who cannot be encrypted to."""
        names = self.roster.readers(folder)
        if names not in self._known:
            self._known[names] = self._team.recipients(folder, self.roster, self._certificates)
        return self._known[names]

    def forget_folders(self) -> None:
        """Do nothing: no file of the work tree has a say in who reads."""


def all_problems(problems: Iterable[CannotEncrypt]) -> CannotEncrypt:
    """Return one error that says what all of them say."""
    found = list(problems)
    said = dict.fromkeys(part for each in found for part in each.message.removeprefix(keys.PROBLEM).split("; "))
    return CannotEncrypt(keys.PROBLEM + "; ".join(said), found[0].hint)


def sign(store: Store, data: bytes) -> bytes | None:
    """Return the signature of a `.gpg-id` by the first of PASSWORD_STORE_SIGNING_KEY, None without one."""
    if not store.settings.signing_keys:
        return None
    from clave.openpgp import signatures

    return signatures.sign(data, store.settings.signing_keys[0])


def _from_disk(store: Store) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        absolute = os.path.join(store.root, path)
        if os.path.isfile(absolute) and layout.inside(store.root, absolute):
            with open(absolute, "rb") as file:
                return file.read()
        return None

    return read


def _check_signature(store: Store, path: str, data: bytes, signature: bytes | None) -> None:
    """Check what pass checks: with signing keys set, one of them must have signed this very file."""
    wanted = store.settings.signing_keys
    if not wanted:
        return
    if signature is None:
        raise VerificationFailed(f"the signature of {path} does not exist", _SIGN)
    from clave.openpgp import signatures

    try:
        signers = signatures.verify(signature, data)
    except VerificationFailed as failure:
        raise VerificationFailed(f"{path} cannot be trusted: {failure.message}", failure.hint or _SIGN) from None
    if {key.upper() for key in wanted}.isdisjoint(signers):
        raise VerificationFailed(
            f"{path} is signed by {signers[0]}, which PASSWORD_STORE_SIGNING_KEY does not name", _SIGN
        )
