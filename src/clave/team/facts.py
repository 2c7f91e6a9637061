"""A roster taken apart into facts that stand for themselves, so that two of them can be compared or merged.

A fact is a short tuple that says what it is about, with a value:

| fact | value |
|---|---|
| `member`, name | role |
| `key`, fingerprint | whose it is, why it was removed ("" where it is in use), `last_good` |
| `subkey`, fingerprint, id | whether it is in use |
| `group`, name | nothing more |
| `in`, group, member | nothing more |
| `folder`, path | whether it inherits |
| `read` or `write`, path, who | the day up to which it is meant to last, "" for good |
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from clave.team.roster import Folder, Grant, Group, Key, Member, Removed, Roster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Fact = tuple[str, ...]
    Value = str | bool | date | tuple[str, str, str]
    Facts = Mapping[Fact, Value]


def facts(roster: Roster) -> dict[Fact, Value]:
    """Return the facts of a roster: all of it but store, number and what it follows."""
    found: dict[Fact, Value] = {("member", member.name): member.role for member in roster.members}
    for fpr, owner in roster.owners.items():
        found["key", fpr] = (owner.name, owner.removed, owner.last_good)
        found |= {("subkey", fpr, subkey): subkey in owner.key.enc for subkey in owner.key.subkeys}
    for group in roster.groups:
        found["group", group.name] = True
        found |= {("in", group.name, member): True for member in group.members}
    for folder in roster.folders:
        found["folder", folder.path] = folder.inherit
        for right, grants in (("read", folder.read), ("write", folder.write)):
            found |= {(right, folder.path, grant.who): grant.until or "" for grant in grants}
    return found


def roster_of(found: Facts, store: str, seq: int, prev: str) -> Roster:
    """Return the roster that has these facts. Raises UsageError where they do not fit together."""
    return Roster(
        store=store,
        seq=seq,
        prev=prev,
        members=tuple(_members(found)),
        removed=tuple(_removed(found)),
        groups=tuple(Group(name, _third(found, "in", name)) for name in _second(found, "group", "in")),
        folders=tuple(
            Folder(
                path,
                _grants(found, "read", path),
                _grants(found, "write", path),
                bool(found.get(("folder", path), True)),
            )
            for path in _second(found, "folder", "read", "write")
        ),
    )


def _members(found: Facts) -> Iterator[Member]:
    owned = _keys(found)
    for name in dict.fromkeys((*_second(found, "member"), *(name for name, reason, _ in owned if not reason))):
        # Somebody with keys and no role, or the other way round, is for the roster to refuse.
        yield Member(name, str(found.get(("member", name), "")), tuple(owned.get((name, "", ""), ())))


def _removed(found: Facts) -> Iterator[Removed]:
    for (name, reason, last_good), keys in _keys(found).items():
        if reason:
            yield Removed(name, tuple(keys), reason, last_good)


def _keys(found: Facts) -> dict[tuple[str, str, str], list[Key]]:
    """Return the keys by whose they are and why they were removed."""
    owned: dict[tuple[str, str, str], list[Key]] = {}
    subkeys: dict[str, dict[str, bool]] = {}
    for fact, value in found.items():
        if fact[0] == "subkey":
            subkeys.setdefault(fact[1], {})[fact[2]] = bool(value)
    for fact, value in found.items():
        if fact[0] == "key" and isinstance(value, tuple):
            mine = subkeys.get(fact[1], {})
            enc = tuple(subkey for subkey, current in mine.items() if current)
            enc_old = tuple(subkey for subkey, current in mine.items() if not current)
            owned.setdefault(value, []).append(Key(fact[1], enc, enc_old))
    return owned


def _second(found: Facts, *kinds: str) -> list[str]:
    return list(dict.fromkeys(fact[1] for fact in found if fact[0] in kinds))


def _third(found: Facts, kind: str, second: str) -> tuple[str, ...]:
    return tuple(fact[2] for fact in found if fact[:2] == (kind, second))


def _grants(found: Facts, right: str, path: str) -> tuple[Grant, ...]:
    grants = ((fact[2], value) for fact, value in found.items() if fact[:2] == (right, path))
    return tuple(Grant(who, until if isinstance(until, date) else None) for who, until in grants)
