"""Who can read and write what: the roster, `.gpg-id` and what the files are encrypted to, side by side.

Each says something else. The roster says who may; `.gpg-id` is whom pass encrypts to; the ciphertext is for those who
can open it today. A plain store has no roster: who reads by `.gpg-id` may also write.

Nothing is decrypted. The people of a team go by their names in it, others by the user id of their key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from clave.errors import CannotEncrypt, NotFound, UsageError
from clave.model.name import check_folder
from clave.openpgp import keys, packets
from clave.store import layout, rekeying
from clave.store.recipients import Readers, ids_for_folder
from clave.store.renewal import fits
from clave.store.search import missing
from clave.team import editing
from clave.team.readers import recipients_problem
from clave.team.roster import upwards

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clave.store.store import Store
    from clave.team.roster import Roster

HIDDEN = "hidden"


class Access(NamedTuple):
    """What somebody can do with the entries of a place.

    `read` and `write` are what the roster says (in a plain store: `.gpg-id`), `listed` whether `.gpg-id` has them,
    `opens` how many of the entries are encrypted to a key of theirs.
    """

    who: str
    read: bool
    write: bool
    listed: bool
    opens: int


class Place(NamedTuple):
    """A folder with rights of its own, or an entry: how many entries go by its rights, and who can do what with them.

    `folder` is the one whose rights hold, `by` what says them: roster or .gpg-id. `due` are the entries that are
    encrypted to others than its readers, `flaws` those whose files are no messages.
    """

    path: str
    folder: str
    by: str
    entries: int
    people: tuple[Access, ...]
    due: tuple[str, ...]
    flaws: tuple[str, ...]

    @property
    def differences(self) -> list[str]:
        """Where roster, `.gpg-id` and ciphertext do not say the same: a line for each."""
        found: list[str] = []
        whole = self.entries - len(self.flaws)
        for who, read, _, listed, opens in self.people:
            if read != listed:
                found.append(f"{who}: roster {_yes(read)}, .gpg-id {_yes(listed)}")
            if read and opens < whole:
                found.append(f"{who}: {self.by} yes, ciphertext no in {whole - opens} of {self.entries}: rekey due")
            if not read and opens:
                found.append(f"{who}: {self.by} no, ciphertext yes in {opens} of {self.entries}: rekey due")
        if self.due and not found:
            found.append(f"{len(self.due)} of {self.entries} are encrypted to a key that is not in use: rekey due")
        return found + [f"{name} is no message that may be opened" for name in self.flaws]


class Held(NamedTuple):
    """What a member may do in a folder with so many entries: right and the way in which they have it."""

    path: str
    entries: int
    rights: dict[str, tuple[editing.Way, ...]]


class _Says(Protocol):
    """What says who may do what: a team, or the `.gpg-id` files."""

    name: str
    folders: tuple[str, ...]

    def may(self, folder: str) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """Return readers and writers of a folder, and who is in its `.gpg-id`."""

    def owners(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return whose keys these are, as far as that is known."""

    def is_due(self, folder: str, ids: Sequence[str]) -> bool:
        """Tell whether the recipients of an entry of a folder are others than its readers."""


def look(store: Store, path: str = "") -> list[Place]:
    """Return who can do what at a path: an entry, or a folder and each below it that has rights of its own.

    Raises NotFound, UsageError for no name, VerificationFailed.
    """
    path = check_folder("" if path.strip("/") == "." else path)
    says: _Says = _Team(store) if store.is_team else _Plain(store)
    inside = [each for each in says.folders if not path or each.startswith(f"{path}/")]
    try:
        names = rekeying.below(store, path)
    except NotFound:
        if path not in says.folders and not inside:
            raise missing(store, path) from None
        names = []
    areas: dict[str, list[str]] = {each: [] for each in (path, *inside)}
    for name in names:
        areas[next((each for each in upwards(os.path.dirname(name)) if each in areas), path)].append(name)
    if names == [path]:
        return [_place(store, says, path, os.path.dirname(path), names)]
    own = sorted(area for area, below in areas.items() if below or area in says.folders)
    return [_place(store, says, area, area, areas[area]) for area in own]


def held(store: Store, who: str, path: str = "") -> list[Held]:
    """Return what a member or `@group` of a team may do below a path, by folder. Raises UsageError for nobody."""
    roster = store.team().roster
    editing.require(roster, who)
    found: list[Held] = []
    for place in look(store, path):
        rights = {right: tuple(editing.ways(roster, who, place.folder, right)) for right in editing.BOTH}
        if any(rights.values()):
            found.append(Held(place.path, place.entries, rights))
    return found


def _place(store: Store, says: _Says, path: str, folder: str, names: Sequence[str]) -> Place:
    found = {name: rekeying.present(store, name) for name in names}
    messages = {name: ids for name, ids in found.items() if ids is not None}
    owners = says.owners({each for ids in messages.values() for each in ids})
    opens: dict[str, int] = {}
    for ids in messages.values():
        for who in {HIDDEN if each == packets.HIDDEN else owners.get(each, f"key {each}") for each in ids}:
            opens[who] = opens.get(who, 0) + 1
    readers, writers, listed = says.may(folder)
    people = tuple(
        Access(who, who in readers, who in writers, who in listed, opens.get(who, 0))
        for who in sorted({*readers, *writers, *listed, *opens})
    )
    due = tuple(name for name, ids in messages.items() if says.is_due(os.path.dirname(name), ids))
    return Place(
        path, folder, says.name, len(names), people, due, tuple(name for name in names if name not in messages)
    )


class _Team:
    """A team's roster, and the `.gpg-id` files that should follow from it."""

    name = "roster"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._roster = store.team().roster
        self.folders = tuple(folder.path for folder in self._roster.folders)

    def may(self, folder: str) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """Return readers and writers of a folder, and who is in its `.gpg-id`."""
        try:
            ids = ids_for_folder(self._store, folder)
        except (CannotEncrypt, NotFound):
            ids = []
        owners = self._roster.owners
        listed = [owners[each].name if each in owners else each for each in ids]
        return self._roster.readers(folder), self._roster.writers(folder), listed

    def owners(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return whose keys these are; of a removed key that it is one."""
        known = {each: self._roster.subkeys[each] for each in ids if each in self._roster.subkeys}
        gone = {each for each, owner in known.items() if owner.removed and self._roster.member(owner.name)}
        return {each: f"{owner.name} (removed key)" if each in gone else owner.name for each, owner in known.items()}

    def is_due(self, folder: str, ids: Sequence[str]) -> bool:
        """Tell whether the recipients of an entry of a folder are others than its readers."""
        return recipients_problem(self._roster, folder, ids) is not None


class _Plain:
    """The `.gpg-id` files of a plain store."""

    name = layout.RECIPIENTS

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers = Readers(store)
        self._names: dict[str, str] = {}  # by fingerprint
        self.folders = tuple(layout.folders_with_recipients(store.root))

    def may(self, folder: str) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """Return who is in the `.gpg-id` of a folder: they read, and may write."""
        try:
            who = [self._name(each.fingerprint, each.user_id) for each in self._readers.of(folder)]
        except CannotEncrypt:
            who = [self._of(each) for each in ids_for_folder(self._store, folder)]
        return who, who, who

    def owners(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return whose keys these are, as far as the keyring has them."""
        found = keys.owners(set(ids) - {packets.HIDDEN}, options=self._store.options)
        return {each: self._name(owner.fingerprint, owner.user_id) for each, owner in found.items()}

    def is_due(self, folder: str, ids: Sequence[str]) -> bool:
        """Tell whether the recipients of an entry of a folder are others than its readers."""
        try:
            return not fits(ids, self._readers.of(folder))
        except CannotEncrypt:
            return False  # what they should be cannot be told

    def _of(self, each: str) -> str:
        """Return whose an id of a `.gpg-id` is that cannot be encrypted to."""
        found = keys.matching(each)
        return self._name(*found[0]) if len(found) == 1 else each

    def _name(self, fingerprint: str, user_id: str) -> str:
        """Return what to call the owner of a key: two with the same user id are told apart."""
        twin = any(name == user_id for fpr, name in self._names.items() if fpr != fingerprint)
        return self._names.setdefault(fingerprint, f"{user_id} {fingerprint}" if twin else user_id)


def granted(roster: Roster, folder: str) -> list[str]:
    """Return who was given the right to read a folder: members, and groups by their name alone."""
    found: dict[str, None] = {}
    rights = {each.path: each for each in roster.folders}
    for path in upwards(folder):
        if path in rights:
            found |= dict.fromkeys(grant.who.removeprefix("@") for grant in rights[path].read)
            if not rights[path].inherit:
                break
    return list(found)


def require_team(store: Store) -> None:
    """Raise UsageError for a plain store, where nobody has a name."""
    if not store.is_team:
        raise UsageError("this store has no team, and so nobody in it has a name", "See who reads: clave access.")


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
