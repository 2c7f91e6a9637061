"""Changes of a roster: pure functions from one to its successor. The rules:

- A change touches what it says and nothing else. One that changes nothing returns the very roster that it was given.
- It forgets no key and no subkey: what somebody no longer has stands among the removed ones, with the reason.
- There is an admin left, and whatever had a reader has one.
- A right is taken away where it was given. Who has it only through a group, or from a folder above, has none there to
  take: that is refused, and the answer names the way.
- What cannot be done is a UsageError that names who or what, and the next step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from clave.errors import UsageError
from clave.model.text import printable
from clave.team.facts import facts, roster_of
from clave.team.roster import (
    ADMIN,
    LEFT,
    MACHINE,
    MEMBER,
    REPLACED,
    Folder,
    Grant,
    Group,
    Key,
    Member,
    Removed,
    Roster,
    check_reader,
    successor_problem,
)
from clave.team.wording import folder_words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import date

    from clave.team.facts import Fact, Value

READ, WRITE = "read", "write"
BOTH = (READ, WRITE)


class Way(NamedTuple):
    """How somebody has a right on a folder: the folder that gives it ("": the store's own), to them or to `@group`."""

    folder: str
    who: str


# People and keys


def add_member(roster: Roster, name: str, keys: Iterable[Key], role: str = MEMBER) -> Roster:
    """Add somebody, without any right. A key that was theirs before comes back, with all its old subkeys."""
    if roster.member(name):
        raise UsageError(
            f"{name} is a member already", f"Another key of theirs: clave team key replace {name} KEYFILE."
        )
    found = tuple(_free(roster, name, key) for key in keys)
    removed = _without({key.fpr for key in found}, roster.removed)
    return _next(roster, members=(*roster.members, Member(name, role, found)), removed=removed)


def remove_member(roster: Roster, name: str, reason: str = LEFT, last_good: str = "") -> Roster:
    """Take somebody out of the team, of groups and of grants; their keys stand among the removed ones."""
    gone = _member(roster, name)
    if roster.admins == (gone,):
        raise _last_admin(name)
    return _next(
        roster,
        members=tuple(member for member in roster.members if member != gone),
        removed=(*roster.removed, Removed(name, gone.keys, reason, last_good)),
        groups=tuple(Group(g.name, tuple(each for each in g.members if each != name)) for g in roster.groups),
        folders=_without_grants(roster, name),
    )


def set_role(roster: Roster, name: str, role: str) -> Roster:
    """Make somebody an admin, or an ordinary member again."""
    member = _member(roster, name)
    if role not in (ADMIN, MEMBER):
        raise UsageError(f"'{printable(role)}' is no role that can be given", f"There are {ADMIN} and {MEMBER}.")
    if member.role == MACHINE:
        raise UsageError(f"{name} is a machine, and stays one", "Remove it and add it anew as what it shall be.")
    if role != ADMIN and roster.admins == (member,):
        raise _last_admin(name)
    return _with_member(roster, member._replace(role=role))


def add_key(roster: Roster, name: str, key: Key) -> Roster:
    """Give a member one more key."""
    member = _member(roster, name)
    if key.fpr in {each.fpr for each in member.keys}:
        raise UsageError(f"the key {key.fpr} is one of {name} already", f"Its new subkeys: clave key renew {key.fpr}.")
    key = _free(roster, name, key)
    removed = _without({key.fpr}, roster.removed)
    return _with_member(roster, member._replace(keys=(*member.keys, key)), removed=removed)


def renew_key(roster: Roster, fpr: str, enc: Iterable[str]) -> Roster:
    """Make these the encryption subkeys in use of a key; those that were are retired."""
    member, key = _key(roster, fpr)
    current = tuple(enc)
    retired = tuple(subkey for subkey in key.subkeys if subkey not in current)
    return _with_key(roster, member, Key(fpr, current, retired))


def replace_key(
    roster: Roster, name: str, key: Key, *, old: str = "", reason: str = REPLACED, last_good: str = ""
) -> Roster:
    """Give a member a key instead of another: `old` is its fingerprint, needed where they have several."""
    member = _member(roster, name)
    if not old and len(member.keys) > 1:
        have = ", ".join(each.fpr for each in member.keys)
        raise UsageError(f"{name} has {len(member.keys)} keys: {have}", "Say which of them is to be replaced.")
    old = old or member.keys[0].fpr
    owner, gone = _key(roster, old)
    if owner != member:
        raise UsageError(f"the key {old} is one of {owner.name}, not of {name}")
    if key.fpr == old:
        raise UsageError(f"the key {old} is one of {name} already", f"Its new subkeys: clave key renew {old}.")
    key = _free(roster, name, key)
    keys = (*(each for each in member.keys if each != gone), key)
    removed = (*_without({key.fpr}, roster.removed), Removed(name, (gone,), reason, last_good))
    return _with_member(roster, member._replace(keys=keys), removed=removed)


# Groups


def add_to_group(roster: Roster, group: str, names: Iterable[str]) -> Roster:
    """Put members into a group, which is made if need be."""
    names = tuple(dict.fromkeys(names))
    for name in names:
        _member(roster, name)
    old = _group(roster, group)
    members = {*(old.members if old else ()), *names}
    others = tuple(each for each in roster.groups if each.name != group)
    return _next(roster, groups=(*others, Group(group, tuple(members))))


def remove_from_group(roster: Roster, group: str, names: Iterable[str]) -> Roster:
    """Take members out of a group, which stays even if nobody is left in it."""
    old = _group(roster, group) or _no_group(roster, group)
    gone = set(names)
    for name in sorted(gone.difference(old.members)):
        _member(roster, name)
        raise UsageError(f"{name} is not in the group @{group}", f"In it: {', '.join(old.members) or 'nobody'}.")
    members = tuple(name for name in old.members if name not in gone)
    others = tuple(each for each in roster.groups if each != old)
    return _next(roster, groups=(*others, Group(group, members)))


def remove_group(roster: Roster, group: str) -> Roster:
    """Remove a group, and with it every right that it has."""
    old = _group(roster, group) or _no_group(roster, group)
    groups = tuple(each for each in roster.groups if each != old)
    return _next(roster, groups=groups, folders=_without_grants(roster, f"@{group}"))


# Rights


def grant(roster: Roster, who: str, path: str, rights: Collection[str] = (READ,), until: date | None = None) -> Roster:
    """Give a member or `@group` rights on a folder. Given again, `until` is the new one."""
    require(roster, who)
    folder = _folder(roster, path) or Folder(path)
    given = Grant(who, until)
    return _with_folder(roster, _changed(folder, rights, lambda grants: (*_others(grants, who), given)))


def revoke(roster: Roster, who: str, path: str, rights: Collection[str] = BOTH) -> Roster:
    """Take the rights that were given to a member or `@group` on a folder. What is kept otherwise, `ways` tells."""
    require(roster, who)
    folder = _folder(roster, path) or Folder(path)
    after = _with_folder(roster, _changed(folder, rights, lambda grants: _others(grants, who)))
    if after is roster:
        for right in rights:
            for way in ways(roster, who, path, right):
                raise UsageError(*kept(who, path, right, way))
        raise UsageError(f"{who} may not {' or '.join(rights)} {folder_words(path)} anyway", "Who may: clave access.")
    return after


def restrict(roster: Roster, path: str) -> Roster:
    """End that a folder inherits. The rights that hold for it now become its own."""
    if not path:
        raise UsageError("the store's own folder inherits from nothing", "Name a folder in it.")
    folder = _folder(roster, path) or Folder(path)
    if not folder.inherit:
        return roster
    read, write = _inherited(roster, path, READ), _inherited(roster, path, WRITE)
    return _with_folder(roster, Folder(path, _added(folder.read, read), _added(folder.write, write), inherit=False))


def unrestrict(roster: Roster, path: str) -> Roster:
    """Let a folder inherit again. Rights of its own that it also inherits are its own no more."""
    folder = _folder(roster, path)
    if folder is None or folder.inherit:
        return roster
    read, write = _inherited(roster, path, READ), _inherited(roster, path, WRITE)
    inherits = Folder(
        path,
        tuple(each for each in folder.read if each not in read),
        tuple(each for each in folder.write if each not in write),
    )
    return _with_folder(roster, inherits)


def ways(roster: Roster, who: str, path: str, right: str) -> list[Way]:
    """Return how a member or `@group` has a right on a folder, their own right there first."""
    through = {f"@{group.name}" for group in roster.groups if who in group.members}
    found = [
        Way(folder.path, grant.who)
        for folder in _holding(roster, path)
        for grant in _grants(folder, right)
        if grant.who == who or grant.who in through
    ]
    return sorted(found, key=lambda way: (way.folder, way.who) != (path, who))


def kept(who: str, path: str, right: str, way: Way) -> tuple[str, str]:
    """Say that somebody has a right on a folder, how, and what would take it."""
    shown, given, revoke = folder_words(path), folder_words(way.folder), f"clave revoke {way.who} {way.folder or '.'}"
    if way.who != who:
        group = way.who.removeprefix("@")
        at = f", which has it on {given}" if way.folder != path else ""
        return (
            f"{who} may {right} {shown} through the group {way.who}{at}",
            f"Take the right from it: {revoke}, or them out of it: clave group remove {group} {who}.",
        )
    return (
        f"{who} may {right} {shown} because of a right on {given}",
        f"Take that one: {revoke}, or end that {path} inherits: clave restrict {path}.",
    )


# The same change on another roster


def redo(base: Roster, mine: Roster, theirs: Roster) -> Roster:
    """Return the successor of `theirs` with what `mine` changed since `base`.

    Returns `theirs` itself if that is there already. Raises UsageError that names what both have changed, each in
    another way, and what no longer fits.
    """
    before, ours, now = facts(base), facts(mine), facts(theirs)
    for fact in sorted({*before, *ours}):
        wanted = ours.get(fact)
        if wanted in (before.get(fact), now.get(fact)):
            continue
        if now.get(fact) != before.get(fact):
            raise UsageError(
                f"{_about(fact, base, mine)} was changed in roster {theirs.seq} too, in another way",
                "Look at it (clave team log), then make your change again.",
            )
        if wanted is None:
            del now[fact]
        else:
            now[fact] = wanted
    for fact, value in now.items():
        name = _person(fact, value)
        if name and ("member", name) not in now:
            about = _about(fact, base, mine, theirs)
            raise UsageError(f"{name} was removed meanwhile, and {about} was changed", "Look at it: clave team log.")
    return _checked(theirs, roster_of(now, theirs.store, theirs.seq + 1, theirs.digest))


def _person(fact: Fact, value: Value) -> str:
    """Return the member without whom a fact makes no sense, if there is one."""
    match fact, value:
        case ("key", _), (str(name), "", _):
            return name
        case ("in", _, str(name)), _:
            return name
        case ("read" | "write", _, str(name)), _ if not name.startswith("@"):
            return name
        case _:
            return ""


def _about(fact: Fact, *known: Roster) -> str:
    """Return what a fact is about, in words."""
    match fact:
        case ("key" | "subkey", fpr, *_):
            owner = next(roster.owners[fpr] for roster in known if fpr in roster.owners)
            return f"the key {fpr} of {owner.name}"
        case ("in", group, member):
            return f"whether {member} is in the group @{group}"
        case ("read" | "write" as right, path, who):
            return f"whether {who} may {right} {folder_words(path)}"
        case ("folder", path):
            return f"whether {folder_words(path)} inherits"
        case ("group", group):
            return f"the group @{group}"
        case _:
            return f"the role of {fact[1]}"


# Inside


def _next(roster: Roster, **parts: Any) -> Roster:
    """Return the successor that has these parts; the roster itself where they are what it has."""
    if replace(roster, **parts) == roster:
        return roster
    return _checked(roster, replace(roster, **parts, seq=roster.seq + 1, prev=roster.digest))


def _checked(before: Roster, after: Roster) -> Roster:
    if replace(after, seq=before.seq, prev=before.prev) == before:
        return before
    for folder in before.folders:
        check_reader(after, folder.path)  # also of one that is not there any more
    problem = successor_problem(before, after)
    if problem:
        raise UsageError(f"that cannot follow roster {before.seq}: {problem}")
    return after


def _last_admin(name: str) -> UsageError:
    return UsageError(f"{name} is the last admin", "Make somebody else one first: clave team role NAME admin.")


def _member(roster: Roster, name: str) -> Member:
    member = roster.member(name)
    if member is None:
        names = [each.name for each in roster.members]
        raise UsageError(f"'{printable(name)}' is no member", _did_you_mean(name, names, "Members"))
    return member


def _group(roster: Roster, name: str) -> Group | None:
    return next((group for group in roster.groups if group.name == name), None)


def _no_group(roster: Roster, name: str) -> NoReturn:
    names = [f"@{group.name}" for group in roster.groups]
    raise UsageError(f"'@{printable(name)}' is no group", _did_you_mean(f"@{name}", names, "Groups"))


def require(roster: Roster, who: str) -> None:
    """Raise UsageError unless this is a member or `@group`."""
    if who.startswith("@"):
        _group(roster, who[1:]) or _no_group(roster, who[1:])
    else:
        _member(roster, who)


def _did_you_mean(word: str, known: list[str], what: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"{what}: {', '.join(known) or 'none'}."


def _key(roster: Roster, fpr: str) -> tuple[Member, Key]:
    for member in roster.members:
        for key in member.keys:
            if key.fpr == fpr:
                return member, key
    raise UsageError(f"{printable(fpr)} is no key of a member", "The keys of the team: clave team.")


def _free(roster: Roster, name: str, key: Key) -> Key:
    """Return a key that nobody has; of one that this person had, with the subkeys that it had then."""
    owner = roster.owners.get(key.fpr)
    if owner is None:
        return key
    if not owner.removed:
        raise UsageError(f"the key {key.fpr} is {owner.name}'s", "Each key belongs to one member.")
    if owner.last_good:
        raise UsageError(
            f"the key {key.fpr} of {owner.name} was {owner.removed}", "It cannot come back; make a new one."
        )
    if owner.name != name:
        raise UsageError(f"the key {key.fpr} was {owner.name}'s", f"Who comes back has the same name: {owner.name}.")
    return Key(key.fpr, key.enc, tuple(each for each in (*key.enc_old, *owner.key.subkeys) if each not in key.enc))


def _without(fprs: set[str], removed: Iterable[Removed]) -> tuple[Removed, ...]:
    """Return who was removed, without some keys."""
    rest = (gone._replace(keys=tuple(key for key in gone.keys if key.fpr not in fprs)) for gone in removed)
    return tuple(gone for gone in rest if gone.keys)


def _with_member(roster: Roster, member: Member, **parts: Any) -> Roster:
    others = (each for each in roster.members if each.name != member.name)
    return _next(roster, members=(*others, member), **parts)


def _with_key(roster: Roster, member: Member, key: Key) -> Roster:
    others = (each for each in member.keys if each.fpr != key.fpr)
    return _with_member(roster, member._replace(keys=(*others, key)))


def _folder(roster: Roster, path: str) -> Folder | None:
    return next((folder for folder in roster.folders if folder.path == path), None)


def _with_folder(roster: Roster, folder: Folder) -> Roster:
    others = (each for each in roster.folders if each.path != folder.path)
    return _next(roster, folders=(*others, *_worth([folder])))


def _worth(folders: Iterable[Folder]) -> tuple[Folder, ...]:
    """Return the folders that say anything: not those that only inherit."""
    return tuple(folder for folder in folders if folder.read or folder.write or not folder.inherit)


def _without_grants(roster: Roster, who: str) -> tuple[Folder, ...]:
    """Return the folders without the grants to somebody; one that says nothing after that is none."""
    found: list[Folder] = []
    for folder in roster.folders:
        without = _changed(folder, BOTH, lambda grants: _others(grants, who))
        found += [folder] if without == folder else _worth([without])
    return tuple(found)


def _changed(
    folder: Folder, rights: Collection[str], change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]]
) -> Folder:
    """Return a folder with the grants of some rights changed."""
    return folder._replace(
        read=change(folder.read) if READ in rights else folder.read,
        write=change(folder.write) if WRITE in rights else folder.write,
    )


def _grants(folder: Folder, right: str) -> tuple[Grant, ...]:
    return folder.read if right == READ else folder.write


def _others(grants: Iterable[Grant], who: str) -> tuple[Grant, ...]:
    return tuple(grant for grant in grants if grant.who != who)


def _added(own: tuple[Grant, ...], more: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return grants with those to others."""
    known = {grant.who for grant in own}
    return (*own, *(grant for grant in more if grant.who not in known))


def _holding(roster: Roster, path: str) -> Iterator[Folder]:
    """Yield the folders whose rights hold for a folder: it, and those above up to the first that does not inherit."""
    while True:
        folder = _folder(roster, path)
        if folder:
            yield folder
        if not path or (folder and not folder.inherit):
            return
        path = path.rpartition("/")[0]


def _inherited(roster: Roster, path: str, right: str) -> tuple[Grant, ...]:
    """Return the grants of the folders above one that hold there, the nearest first."""
    found: dict[str, Grant] = {}
    for folder in _holding(roster, path.rpartition("/")[0]):
        for grant in _grants(folder, right):
            found.setdefault(grant.who, grant)
    return tuple(found.values())
