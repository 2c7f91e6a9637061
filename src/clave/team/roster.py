"""The roster: who belongs to the team, with which keys, and who may read and write which folder.

A store keeps every roster that it ever had, `.clave/roster/00001.toml` and on; the highest is in force. The rules:

- A roster has exactly one spelling: what `write` makes. `parse` refuses every other, so equal rosters are equal
  bytes, and the sha256 of the bytes names the roster.
- Nothing is passed over: an unknown word, a wrong type, a missing field, a name, key or subkey that stands there
  twice, somebody who is no member: the whole roster is refused.
- There is an admin, and every folder has a reader. No `Roster` without them can be made.
- Readers and writers of a folder are its own and those of the folders above, up to the first with `inherit = false`.
  A writer need not be a reader. An admin is neither, unless the folder says so.
- `until` of a grant is a reminder: it never changes who is a reader or writer, or old commits would turn bad.
- A successor has the same store, the next number, the hash of the one before, and the signature of an admin of the
  one before. It forgets no key and no subkey: what was ever encrypted to a key is known from the newest roster alone.
- A key that was removed with a `last_good` has been in wrong hands: it never comes back.
"""

from __future__ import annotations

import re
import secrets
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from clave.errors import UsageError, VerificationFailed
from clave.model.name import check_new
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_Value = TypeVar("_Value")

FORMAT = 1
THRESHOLD = 1  # signatures of admins that a roster needs; a higher one is for later versions
LAST = 99_999  # the number has five digits
MAX_FILE = 1 << 20  # bytes: a thousand people with three keys each need half of it
MAX_COMPONENT = 200  # bytes of a folder's name (DESIGN, rule 4)

ADMIN, MEMBER, MACHINE = "admin", "member", "machine"
ROLES = (ADMIN, MEMBER, MACHINE)
LEFT, REPLACED, LOST, STOLEN = "left", "replaced", "lost", "stolen"
REASONS = (LEFT, REPLACED, LOST, STOLEN)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}(?:[0-9A-F]{24})?")
_KEY_ID = re.compile(r"[0-9A-F]{16}")
_STORE = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Key(NamedTuple):
    """A key of somebody: fingerprint of the primary key, ids of the encryption subkeys in use, and of retired ones."""

    fpr: str
    enc: tuple[str, ...]
    enc_old: tuple[str, ...] = ()

    @property
    def subkeys(self) -> tuple[str, ...]:
        """All ids that the key ever had."""
        return (*self.enc, *self.enc_old)


class Member(NamedTuple):
    """Somebody of the team. `role` is admin, member or machine."""

    name: str
    role: str
    keys: tuple[Key, ...]


class Removed(NamedTuple):
    """Keys that somebody no longer has: who left, or whose key was replaced, lost or stolen (`reason`).

    `last_good` is the last commit up to which signatures of these keys count, "" where all of them do that were made
    before the removal.
    """

    name: str
    keys: tuple[Key, ...]
    reason: str
    last_good: str = ""


class Grant(NamedTuple):
    """A member, or `@` and the name of a group, and the day up to which the right is meant to last."""

    who: str
    until: date | None = None


class Folder(NamedTuple):
    """The rights on a folder; the path `""` is the store's own. `inherit`: the rights on the folders above hold too."""

    path: str
    read: tuple[Grant, ...] = ()
    write: tuple[Grant, ...] = ()
    inherit: bool = True


class Group(NamedTuple):
    """Members under one name."""

    name: str
    members: tuple[str, ...]


class Owner(NamedTuple):
    """Whose key it is. `removed` says why it is no longer a key of the team, `last_good` where it stops to count."""

    name: str
    key: Key
    removed: str = ""
    last_good: str = ""


@dataclass(frozen=True)
class Roster:
    """A team, valid by construction and in one order, so that equal teams are equal values.

    `store` is the random id of the store, `seq` the number of this roster, `prev` the hash of the one before ("" for
    the first). Raises UsageError for what the rules at the top of the module do not allow.
    """

    store: str
    seq: int
    prev: str
    members: tuple[Member, ...]
    folders: tuple[Folder, ...]
    groups: tuple[Group, ...] = ()
    removed: tuple[Removed, ...] = ()
    threshold: int = THRESHOLD

    def __post_init__(self) -> None:
        for name, value in _in_order(self).items():
            object.__setattr__(self, name, value)
        _check(self)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the roster's file, which the next one names as `prev`."""
        return digest(write(self))

    @cached_property
    def admins(self) -> tuple[Member, ...]:
        """The members who may change everything but entries."""
        return tuple(member for member in self.members if member.role == ADMIN)

    @cached_property
    def owners(self) -> Mapping[str, Owner]:
        """Whose each key is, by its fingerprint; also of the keys that were removed."""
        found = {key.fpr: Owner(member.name, key) for member in self.members for key in member.keys}
        for gone in self.removed:
            found |= {key.fpr: Owner(gone.name, key, gone.reason, gone.last_good) for key in gone.keys}
        return found

    @cached_property
    def subkeys(self) -> Mapping[str, Owner]:
        """Whose each encryption subkey is, by its id; retired ones and those of removed keys too."""
        return {subkey: owner for owner in self.owners.values() for subkey in owner.key.subkeys}

    def member(self, name: str) -> Member | None:
        """Return the member of that name."""
        return self._members.get(name)

    def who(self, fingerprint: str) -> Member | None:
        """Return the member whose key that is today; None also for a removed key."""
        owner = self.owners.get(fingerprint)
        return self.member(owner.name) if owner and not owner.removed else None

    def readers(self, folder: str) -> tuple[str, ...]:
        """Return the names of those who may read a folder, sorted."""
        return self._holders(folder)[0]

    def writers(self, folder: str) -> tuple[str, ...]:
        """Return the names of those who may write a folder, sorted."""
        return self._holders(folder)[1]

    def may_write(self, name: str, path: str) -> bool:
        """Tell whether a member may write the file of an entry (`a/b.gpg`): who may write its folder."""
        return name in self.writers(path.rpartition("/")[0])

    def recipients(self, folder: str) -> tuple[Key, ...]:
        """Return all keys of all readers of a folder, by fingerprint: what an entry in it is encrypted to."""
        keys = (key for name in self.readers(folder) for key in self._members[name].keys)
        return tuple(sorted(keys))

    def gpg_ids(self) -> dict[str, bytes]:
        """Return path and content of the `.gpg-id` of each folder that has rights of its own: a fingerprint a line."""
        found: dict[str, bytes] = {}
        for folder in self.folders:
            path = f"{folder.path}/.gpg-id" if folder.path else ".gpg-id"
            found[path] = "".join(f"{key.fpr}\n" for key in self.recipients(folder.path)).encode()
        return found

    def lapsed(self, today: date) -> tuple[tuple[str, str, Grant], ...]:
        """Return folder, `read` or `write`, and grant of each right that was meant to end before today."""
        return tuple(
            (folder.path, right, grant)
            for folder in self.folders
            for right, grants in (("read", folder.read), ("write", folder.write))
            for grant in grants
            if grant.until is not None and grant.until < today
        )

    @cached_property
    def _members(self) -> Mapping[str, Member]:
        return {member.name: member for member in self.members}

    @cached_property
    def _folders(self) -> Mapping[str, Folder]:
        return {folder.path: folder for folder in self.folders}

    @cached_property
    def _held(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        return {}

    def _holders(self, folder: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return readers and writers of a folder."""
        if folder not in self._held:
            read: set[str] = set()
            write: set[str] = set()
            for path in upwards(folder):
                rights = self._folders.get(path)
                if rights:
                    read |= self._expand(rights.read)
                    write |= self._expand(rights.write)
                    if not rights.inherit:
                        break
            self._held[folder] = tuple(sorted(read)), tuple(sorted(write))
        return self._held[folder]

    def _expand(self, grants: Iterable[Grant]) -> set[str]:
        """Return the members whom grants name, by themselves or through a group."""
        names: set[str] = set()
        for grant in grants:
            if grant.who.startswith("@"):
                names.update(next(group.members for group in self.groups if f"@{group.name}" == grant.who))
            else:
                names.add(grant.who)
        return names


def new_store_id() -> str:
    """Return a random id for a store: 128 bits in hex."""
    return secrets.token_hex(16)


def digest(data: bytes) -> str:
    """Return the sha256 of a roster's file."""
    return sha256(data).hexdigest()


def upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those above it, the store's own (`""`) last."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def successor_problem(before: Roster, after: Roster) -> str | None:
    """Return why `after` cannot follow `before`, None if it can. Who signed it is `may_sign`'s to say."""
    if after.store != before.store:
        return "it is of another store"
    if after.seq != before.seq + 1:
        return f"its number is {after.seq} and must be {before.seq + 1}"
    if after.prev != before.digest:
        return f"its prev is not the hash of roster {before.seq}"
    for fpr, owner in before.owners.items():
        now = after.owners.get(fpr)
        if now is None:
            return f"it forgets the key {fpr} of {owner.name}"
        if owner.last_good and (now.removed, now.last_good) != (owner.removed, owner.last_good):
            return f"it takes the {owner.removed} key {fpr} of {owner.name} back"
        forgotten = set(owner.key.subkeys).difference(now.key.subkeys)
        if forgotten:
            return f"it forgets the subkey {min(forgotten)} of {owner.name}"
    return None


def may_sign(before: Roster, fingerprint: str) -> bool:
    """Tell whether a key may sign the successor of `before`: that of an admin. The first roster is its own `before`."""
    member = before.who(fingerprint)
    return member is not None and member.role == ADMIN


def parse(data: bytes) -> Roster:
    """Return the roster that a file holds. Raises VerificationFailed, whose message has no file name."""
    if len(data) > MAX_FILE:
        raise VerificationFailed(f"the roster is larger than {MAX_FILE >> 10} KiB")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise VerificationFailed("the roster is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(f"the roster is not TOML: {printable(str(error))}") from None
    try:
        roster = _read(table)
    except UsageError as problem:
        raise VerificationFailed(f"the roster is wrong: {problem.message}") from None
    if write(roster) != data:
        raise VerificationFailed("the roster is not spelled as clave spells it")
    return roster


def write(roster: Roster) -> bytes:
    """Return the file of a roster: the one spelling that `parse` takes."""
    return ("\n".join(_lines(roster)) + "\n").encode()


def _lines(roster: Roster) -> Iterator[str]:
    yield f"format = {FORMAT}"
    yield f"store = {_quote(roster.store)}"
    yield f"seq = {roster.seq}"
    yield f"prev = {_quote(roster.prev)}"
    yield f"threshold = {roster.threshold}"
    for member in roster.members:
        yield from ("", "[[member]]", f"name = {_quote(member.name)}", f"role = {_quote(member.role)}")
        yield from _key_lines("member", member.keys)
    for gone in roster.removed:
        yield from ("", "[[removed]]", f"name = {_quote(gone.name)}", f"reason = {_quote(gone.reason)}")
        if gone.last_good:
            yield f"last_good = {_quote(gone.last_good)}"
        yield from _key_lines("removed", gone.keys)
    if roster.groups:
        yield from ("", "[groups]")
        for group in roster.groups:
            yield f"{_quote(group.name)} = {_quote_all(group.members)}"
    for folder in roster.folders:
        yield from ("", "[[folder]]", f"path = {_quote(folder.path or '.')}")
        yield f"read = [{', '.join(map(_grant, folder.read))}]"
        yield f"write = [{', '.join(map(_grant, folder.write))}]"
        yield f"inherit = {'true' if folder.inherit else 'false'}"


def _key_lines(table: str, keys: Iterable[Key]) -> Iterator[str]:
    for key in keys:
        yield from ("", f"[[{table}.key]]", f"fpr = {_quote(key.fpr)}")
        yield f"enc = {_quote_all(key.enc)}"
        yield f"enc_old = {_quote_all(key.enc_old)}"


def _grant(grant: Grant) -> str:
    if grant.until is None:
        return _quote(grant.who)
    return f"{{ who = {_quote(grant.who)}, until = {grant.until.isoformat()} }}"


def _quote_all(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quote, texts))}]"


def _quote(text: str) -> str:
    """Return a basic string of TOML. No text of a roster holds a control character."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_order(roster: Roster) -> dict[str, Any]:
    """Return the parts of a roster whose order has no meaning, sorted."""
    return {
        "members": tuple(sorted(Member(m.name, m.role, _keys_in_order(m.keys)) for m in roster.members)),
        "removed": tuple(sorted(Removed(r.name, _keys_in_order(r.keys), *r[2:]) for r in roster.removed)),
        "groups": tuple(sorted(Group(g.name, tuple(sorted(g.members))) for g in roster.groups)),
        "folders": tuple(
            sorted(
                (
                    Folder(f.path, _grants_in_order(f.read), _grants_in_order(f.write), f.inherit)
                    for f in roster.folders
                ),
                key=lambda folder: folder.path,
            )
        ),
    }


def _keys_in_order(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(sorted(Key(key.fpr, tuple(sorted(key.enc)), tuple(sorted(key.enc_old))) for key in keys))


def _grants_in_order(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: grant.who))


# What a roster must be, whoever made it. ---------------------------------------------------------------------------


def _check(roster: Roster) -> None:
    _must(_STORE.fullmatch(roster.store), "the id of the store is not 32 hex digits")
    _must(1 <= roster.seq <= LAST, f"its number is not between 1 and {LAST}")
    if roster.seq == 1:
        _must(not roster.prev, "the first roster has a prev")
    else:
        _must(_HASH.fullmatch(roster.prev), "its prev is not 64 hex digits")
    _must(roster.threshold == THRESHOLD, f"threshold is {roster.threshold}; this clave knows {THRESHOLD} alone")
    for member in roster.members:
        _check_name(member.name, "a member")
        _must(member.role in ROLES, f"the role of {member.name} is none of {', '.join(ROLES)}")
        _must(member.keys, f"{member.name} has no key")
    for gone in roster.removed:
        _check_removed(gone)
    _check_keys(roster)
    _once((member.name for member in roster.members), "the member ")
    _must(roster.admins, "nobody would be an admin")
    _check_groups(roster)
    _check_folders(roster)


def _check_removed(gone: Removed) -> None:
    _check_name(gone.name, "a removed member")
    _must(gone.keys, f"the removed {gone.name} has no key")
    _must(gone.reason in REASONS, f"the reason for {gone.name} is none of {', '.join(REASONS)}")
    _must(not gone.last_good or _COMMIT.fullmatch(gone.last_good), f"last_good of {gone.name} is no commit id")
    _must(gone.reason != STOLEN or gone.last_good, f"the key of {gone.name} was stolen, and there is no last_good")


def _check_keys(roster: Roster) -> None:
    keys = [(member.name, key) for member in roster.members for key in member.keys]
    for name, key in keys:
        _must(key.enc, f"the key {printable(key.fpr)} of {name} has no encryption subkey")
    keys += [(gone.name, key) for gone in roster.removed for key in gone.keys]
    for name, key in keys:
        _must(_FINGERPRINT.fullmatch(key.fpr), f"'{printable(key.fpr)}' of {name} is no full fingerprint")
        for subkey in key.subkeys:
            # An id of zeros is that of a recipient who hides.
            is_id = _KEY_ID.fullmatch(subkey) and subkey.strip("0")
            _must(is_id, f"'{printable(subkey)}' of {name} is no id of a subkey")
    _once((key.fpr for _, key in keys), "the key ")
    _once((subkey for _, key in keys for subkey in key.subkeys), "the subkey ")


def _check_groups(roster: Roster) -> None:
    names = {member.name for member in roster.members}
    for group in roster.groups:
        _check_name(group.name, "a group")
        _once(group.members, "the member ", f" of @{group.name}")
        for member in group.members:
            _must(member in names, f"'{printable(member)}' of the group @{group.name} is no member")
    _once((group.name for group in roster.groups), "the group @")


def _check_folders(roster: Roster) -> None:
    known = {member.name for member in roster.members} | {f"@{group.name}" for group in roster.groups}
    for folder in roster.folders:
        _check_path(folder.path)
        shown = folder.path or "."
        for right, grants in (("read", folder.read), ("write", folder.write)):
            _once((grant.who for grant in grants), "", f" among those who may {right} {shown}")
            for grant in grants:
                _must(grant.who in known, f"'{printable(grant.who)}', who may {right} {shown}, is no member or group")
    _once((folder.path or "." for folder in roster.folders), "the folder ")
    _must(roster.folders, "nobody could read anything: there is no folder")
    for folder in roster.folders:
        check_reader(roster, folder.path)


def check_reader(roster: Roster, path: str) -> None:
    """Raise UsageError for a folder that nobody could read."""
    if not roster.readers(path):
        command = f"clave grant WHO {path}." if path else "clave grant WHO ."
        raise UsageError(f"nobody could read the folder {path or '.'}", f"Give it a reader first: {command}")


def _check_path(path: str) -> None:
    if path:
        _must(check_new(path) == path, f"the folder '{printable(path)}' is not written plainly")
        for part in path.split("/"):
            _must(
                len(part.encode()) <= MAX_COMPONENT,
                f"a name in the folder '{path}' has more than {MAX_COMPONENT} bytes",
            )


def _check_name(name: str, what: str) -> None:
    _must(_NAME.fullmatch(name), f"'{printable(name)}' cannot be the name of {what} (a-z, 0-9, '.', '_' and '-')")


def _once(values: Iterable[str], before: str, after: str = "") -> None:
    seen: set[str] = set()
    for value in values:
        _must(value not in seen, f"{before}{printable(value)}{after} stands there twice")
        seen.add(value)


def _must(condition: object, problem: str) -> None:
    if not condition:
        raise UsageError(problem, "Nothing was changed.")


# From TOML's tables to values: each field is taken by name and type; what is left over is unknown. -----------------


def _read(table: dict[str, Any]) -> Roster:
    form = _take(table, "format", int, "the roster")
    _must(form == FORMAT, f"its format is {form}; this clave knows {FORMAT} alone, a newer one may know it")
    store = _take(table, "store", str, "the roster")
    seq = _take(table, "seq", int, "the roster")
    prev = _take(table, "prev", str, "the roster")
    threshold = _take(table, "threshold", int, "the roster")
    groups = _take(table, "groups", dict, "the roster", default={})
    members = _tables(table, "member", _member)
    removed = _tables(table, "removed", _removed)
    folders = _tables(table, "folder", _folder)
    _nothing_left(table, "the roster")
    return Roster(
        store=store,
        seq=seq,
        prev=prev,
        threshold=threshold,
        members=members,
        removed=removed,
        folders=folders,
        groups=tuple(Group(name, _texts(groups, name, f"the group {printable(name)}")) for name in list(groups)),
    )


def _member(table: dict[str, Any]) -> Member:
    name = _take(table, "name", str, "a member")
    return Member(name, _take(table, "role", str, "a member"), _tables(table, "key", _key))


def _removed(table: dict[str, Any]) -> Removed:
    name = _take(table, "name", str, "a removed member")
    reason = _take(table, "reason", str, "a removed member")
    last_good = _take(table, "last_good", str, "a removed member", default="")
    return Removed(name, _tables(table, "key", _key), reason, last_good)


def _key(table: dict[str, Any]) -> Key:
    return Key(_take(table, "fpr", str, "a key"), _texts(table, "enc", "a key"), _texts(table, "enc_old", "a key"))


def _folder(table: dict[str, Any]) -> Folder:
    path = _take(table, "path", str, "a folder")
    _must(path, "a folder has an empty path")
    read, write = _grants(table, "read"), _grants(table, "write")
    return Folder("" if path == "." else path, read, write, _take(table, "inherit", bool, "a folder"))


def _grants(table: dict[str, Any], name: str) -> tuple[Grant, ...]:
    grants: list[Grant] = []
    for item in _take(table, name, list, "a folder"):
        if isinstance(item, dict):
            grant = Grant(_take(item, "who", str, "a grant"), _take(item, "until", date, "a grant"))
            _nothing_left(item, "a grant")
            grants.append(grant)
        else:
            _must(isinstance(item, str), f"'{name}' of a folder holds what is no member or group")
            grants.append(Grant(item))
    return tuple(grants)


def _tables(table: dict[str, Any], name: str, read: Callable[[dict[str, Any]], _Value]) -> tuple[_Value, ...]:
    values: list[_Value] = []
    for item in _take(table, name, list, "the roster", default=[]):
        _must(isinstance(item, dict), f"'{name}' is no table")
        values.append(read(item))
        _nothing_left(item, f"[[{name}]]")
    return tuple(values)


def _texts(table: dict[str, Any], name: str, what: str) -> tuple[str, ...]:
    texts = _take(table, name, list, what)
    _must(all(isinstance(text, str) for text in texts), f"'{printable(name)}' of {what} is no list of strings")
    return tuple(texts)


def _take(table: dict[str, Any], name: str, kind: type, what: str, *, default: object = None) -> Any:
    value = table.pop(name, default)
    _must(value is not None, f"'{printable(name)}' of {what} is missing")
    # In Python true is an int, and a moment is a date.
    right = (
        isinstance(value, kind) and not (kind is int and isinstance(value, bool)) and not isinstance(value, datetime)
    )
    _must(right, f"'{printable(name)}' of {what} is of a wrong type")
    return value


def _nothing_left(table: Mapping[str, Any], what: str) -> None:
    _must(not table, f"{what} has an unknown '{printable(min(table, default=''))}'")
