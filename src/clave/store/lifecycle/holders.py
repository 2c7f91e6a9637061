"""Who could ever hold something of a store: people, with the ids of all keys that they ever had.

In a team's store people are those of all its rosters, under their names, with the keys that these say and every version
of their certificate in `.public-keys`. Whoever else a message was made for, as everybody in a plain store, is a key: of
`.public-keys`, of the user's keyring, and else the bare id that stands in messages. Whoever is asked for by name may be
named by a fingerprint or a user id too.

Of somebody whose key nobody has any more, an old `.gpg-id` tells which ids are theirs (`former_ids`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import NotFound, VerificationFailed
from clave.openpgp import certificates, keys
from clave.openpgp.keys import long_id
from clave.rotation.exposure import Somebody
from clave.team import paths
from clave.team import roster as rosters
from clave.vcs import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.store.lifecycle.ages import History
    from clave.store.store import Store
    from clave.team.roster import Roster
    from clave.vcs.git import Repository

_KEY_ID = re.compile(r"(?:0x)?([0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64})", re.IGNORECASE)


class Holders(NamedTuple):
    """People by name; `gone` are those who are in no team any more, `addresses` what commits may name as an author.

    `is_team`: names are the roster's, and who signed a commit made it.
    """

    people: Mapping[str, frozenset[str]]
    gone: frozenset[str]
    addresses: Mapping[str, frozenset[str]]
    is_team: bool


def of(store: Store, history: History, known: Iterable[str]) -> Holders:
    """Return all people; `known` are the key ids that stand in the messages of the store."""
    repository, head = history.repository, history.head
    versions = _certificates(repository, history.trace.certificates)
    if not store.is_team:
        return _of_keys(store, versions, known)
    return _with_others(store, _of_team(repository, head, versions), set(known))


def named(holders: Holders, who: str, signed: Mapping[str, str], authors: Mapping[str, str]) -> list[Somebody]:
    """Return whom a name means. Raises NotFound.

    `signed` are the keys that commits are signed by, `authors` the addresses of those who made them.
    """
    wanted = who.casefold()
    ids = ids_of(who)
    found = [name for name, keys in holders.people.items() if name.casefold() == wanted or ids & keys]
    if not found and not ids:
        found = [name for name in holders.people if wanted in name.casefold()]
    if not found:
        names = ", ".join(sorted(holders.people))
        hint = f"There are: {names}." if holders.is_team else "Import their key: gpg --import FILE."
        raise NotFound(f"nobody is known as '{who}' in the history of this store", hint)
    return [somebody(holders, name, signed, authors) for name in found]


def ids_of(who: str) -> set[str]:
    """Return the long id that a fingerprint or an id stands for, nothing for another text."""
    key = _KEY_ID.fullmatch(who.replace(" ", ""))
    return {long_id(key[1].upper())} if key else set()


def keys_of(who: str) -> set[str]:
    """Return the long ids of the primary keys that a fingerprint, an id or a part of a user id stands for."""
    return ids_of(who) or {long_id(owner.fingerprint) for owner in keys.matching(who)}


def somebody(holders: Holders, name: str, signed: Mapping[str, str], authors: Mapping[str, str]) -> Somebody:
    """Return a person with the commits that they made: signed in a team's store, elsewhere with their address."""
    ids = holders.people[name]
    if holders.is_team:
        made = frozenset(commit for commit, key in signed.items() if key and long_id(key) in ids)
    else:
        made = frozenset(commit for commit, email in authors.items() if email.casefold() in holders.addresses[name])
    return Somebody(name, ids, made)


def _of_team(repository: Repository, head: str, versions: Mapping[str, frozenset[str]]) -> Holders:
    people: dict[str, set[str]] = {}
    members: set[str] = set()
    for roster in _rosters(repository, head):
        owned = [(each.name, each.keys) for each in roster.members] + [
            (each.name, each.keys) for each in roster.removed
        ]
        members = {each.name for each in roster.members}
        for name, theirs in owned:
            for key in theirs:
                people.setdefault(name, set()).update((long_id(key.fpr), *key.subkeys), versions.get(key.fpr, ()))
    return Holders(
        {name: frozenset(ids) for name, ids in people.items()}, frozenset(people.keys() - members), {}, is_team=True
    )


def _with_others(store: Store, team: Holders, known: set[str]) -> Holders:
    """Add whom messages were made for without their being in a roster: of the time before, or let in by nobody.

    A subkey of a member's key that no roster had is the member's.
    """
    lacking = known.difference(*team.people.values())
    owners = keys.owners(lacking, options=store.options)
    people = {
        name: ids | {key_id for key_id, owner in owners.items() if long_id(owner.fingerprint) in ids}
        for name, ids in team.people.items()
    }
    others = _of_keys(store, {}, lacking.difference(*people.values())).people
    named = {f"{name}, no member" if name in people else name: ids for name, ids in others.items()}
    return team._replace(people={**people, **named}, gone=team.gone | named.keys())


def _of_keys(store: Store, versions: Mapping[str, frozenset[str]], known: Iterable[str]) -> Holders:
    people: dict[str, set[str]] = {}
    addresses: dict[str, set[str]] = {}
    owners = keys.owners(known, options=store.options)
    by_fingerprint = {owner.fingerprint: owner.user_id for owner in owners.values()}
    placed: set[str] = set()
    for fingerprint, ids in versions.items():
        name = by_fingerprint.get(fingerprint, fingerprint)
        people.setdefault(name, set()).update(ids)
        placed |= ids
    for key_id, owner in owners.items():
        people.setdefault(owner.user_id, set()).update((key_id, long_id(owner.fingerprint)))
        placed.add(key_id)
    for key_id in set(known) - placed:
        people[key_id] = {key_id}
    for name in people:
        address = re.search(r"<([^<>]+@[^<>]+)>", name)
        addresses[name] = {address[1].casefold()} if address else {name.casefold()}
    found = {name: frozenset(ids) for name, ids in people.items()}
    return Holders(found, frozenset(), {name: frozenset(each) for name, each in addresses.items()}, is_team=False)


def _rosters(repository: Repository, head: str) -> list[Roster]:
    files = {row.path: row.blob for row in reading.files(repository, head, (paths.ROSTERS,))}
    numbered = {blob: number for path, blob in files.items() if (number := paths.roster_number(path))}
    found = {numbered[blob]: rosters.parse(data) for blob, data in reading.objects(repository, numbered, "blob")}
    if not found:
        raise VerificationFailed("the team's roster is missing", "Get it back: clave sync.")
    return [found[number] for number in sorted(found)]


def _certificates(repository: Repository, blobs: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the ids of all keys that stood in a file of `.public-keys`, by its fingerprint, which `blobs` has."""
    found: dict[str, set[str]] = {}
    for blob, data in reading.objects(repository, blobs, "blob"):
        try:
            certificate = certificates.read(data)
        except VerificationFailed:  # Sequoia is not installed: the roster and gpg know of keys, too
            return {}
        if certificate:
            found.setdefault(blobs[blob], set()).update(each.id for each in certificate.keys)
    return {fingerprint: frozenset(ids) for fingerprint, ids in found.items()}
