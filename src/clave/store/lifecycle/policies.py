"""The policy of a store: where it is read from, how it is changed, what is wrong with it.

In a team's store it is what the verified commit holds, and admins change it; in a plain store it is the file that is
there, and anybody who may write changes it. A policy that cannot be read refuses what would have to obey it.

Asked by every write that makes a password: a store without a policy loads nothing for it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from clave.errors import CannotWrite, Finding, StoreDamaged, UsageError
from clave.store import layout
from clave.store.layout import POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from clave.config import Settings
    from clave.rotation.policy import Generate, Policy, Rule
    from clave.store.passwords import Generated
    from clave.store.store import Store

_LIMIT = 1 << 20  # bytes that are read; what a policy may have is less, and its reader's to say


def policy(store: Store) -> Policy:
    """Return the policy of a store, one that wants nothing where there is none.

    Raises UsageError for a broken one, which names its line, and VerificationFailed for a team's store in doubt.
    """
    from clave.rotation.policy import Policy, parse

    data = _data(store)
    return Policy() if data is None else parse(data)


def rule(store: Store, name: str) -> Rule | None:
    """Return what is wanted of an entry; None: the store has no policy. Raises as `policy`."""
    data = _data(store)
    if data is None:
        return None
    from clave.rotation.policy import parse

    return parse(data).rule(name)


def make(wanted: Generate, settings: Settings) -> Generated:
    """Return a new password as a policy wants it, and as the settings say what it does not. Raises UsageError."""
    from clave.store import passwords

    if wanted.words is not None:
        return passwords.words(wanted.words)
    default = settings.generate_charset if wanted.symbols else settings.generate_charset_no_symbols
    length = wanted.length or settings.generate_length
    return passwords.characters(length, wanted.charset or default, exclude_similar=wanted.exclude_similar)


def require_strength(rule: Rule | None, name: str, password: bytes, *, bits: float | None = None) -> None:
    """Raise Finding for a password that is weaker than the rule wants.

    `bits` is the entropy of the generator that made it; None: somebody typed it, and it is estimated.
    """
    if rule is None or not rule.min_entropy:
        return
    said = "has"
    if bits is None:
        from clave.rotation.strength import estimate
        from clave.store.passwords import eff_words

        bits, said = estimate(password, frozenset(eff_words())), "is estimated at"
    if bits < rule.min_entropy:
        raise Finding(
            f"the password {said} {bits:.0f} bits, and the policy of the store wants {rule.min_entropy:.0f} for {name}",
            "Nothing was changed. Make one: clave generate. To store it all the same: --allow-weak.",
        )


def change(
    store: Store, pattern: str, values: Mapping[str, Any], *, unset: Iterable[str] = (), max_age: str | None = None
) -> bool:
    """Set and take out keys of a pattern (`generate.length` for one in a table), as one commit; tell if it is changed.

    Comments stay. Raises UsageError for what is then no policy, VerificationFailed for somebody of a team who is no
    admin, GitFailed for a file that is not as it was committed.
    """
    from clave.rotation.policy import parse
    from clave.store.operation import begin

    with begin(store) as operation:
        if operation.team:
            operation.team.require_admin()
        old = operation.content(POLICY)
        if not isinstance(old, bytes | None):
            raise StoreDamaged(f"{POLICY} is a symlink", "Remove it first.")
        if old is not None:
            parse(old)
        new = _edited(old or b"", pattern, values, unset, max_age)
        parse(new)
        if new == (old or b""):
            return False
        operation.place(POLICY, new)
        operation.commit(f"Set policy of {pattern}." if pattern else "Set policy of the store.", "policy")
    return True


def check(store: Store) -> list[str]:
    """Return what is wrong with a policy that can be read, a sentence each. Raises as `policy`."""
    found = policy(store)
    names = layout.entries(store.root)
    problems = [
        f"{found.where(pattern)}: '{pattern}' holds for no entry"
        for pattern in found.patterns
        if not any(found.matches(pattern, name) for name in names)
    ]
    problems += _owners(store, found, names)
    problems += _drivers(filter(None, {found.rule(name).driver for name in names}))
    for name in names:
        problems += _generators(store, name, found.rule(name))
    return list(dict.fromkeys(problems))


def _owners(store: Store, found: Policy, names: Iterable[str]) -> list[str]:
    """Return which owners nobody of the team is."""
    if not store.is_team:
        return []
    roster = store.team().roster
    known = {each.name for each in roster.members} | {f"@{each.name}" for each in roster.groups}
    owners = {owner: name for name in names if (owner := found.rule(name).owner) and owner not in known}
    return [f"the owner of {name}, {owner}, is neither a member nor a group" for owner, name in sorted(owners.items())]


def _drivers(names: Iterable[str]) -> Iterator[str]:
    """Yield which drivers are not here. Which program a `command:NAME` is, each user's own settings say."""
    from clave.rotation import drivers

    for name in sorted(names):
        if name.partition(":")[0] not in drivers.names():
            yield f"there is no driver '{name}' here: it has {', '.join(drivers.names())}"


def _generators(store: Store, name: str, rule: Rule) -> list[str]:
    """Return that what is generated for an entry is not what is wanted of it."""
    if rule.generate is None:
        return []
    try:
        made = make(rule.generate, store.settings)
        require_strength(rule, name, b"", bits=made.bits)
    except UsageError as problem:
        return [f"'generate' of {rule.pattern}: {problem.message}"]
    except Finding:
        return [f"'generate' of {rule.pattern} makes {made.bits:.0f} bits, and 'min_entropy' wants more for {name}"]
    return []


def _data(store: Store) -> bytes | None:
    """Return the bytes of the policy, None where there is none."""
    if store.is_team:
        return store.team().policy
    path = os.path.join(store.root, POLICY)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise CannotWrite(f"{POLICY} cannot be read, and nothing is written without it", "Check its mode.") from None
    except OSError as error:
        raise StoreDamaged(f"{POLICY} cannot be read: {error.strerror}", "Mend or remove it.") from None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or not layout.inside(store.root, path):
            raise StoreDamaged(f"{POLICY} is not a file of the store", "Mend or remove it.")
        return file.read(_LIMIT)


def _edited(data: bytes, pattern: str, values: Mapping[str, Any], unset: Iterable[str], max_age: str | None) -> bytes:
    """Return the document with the changes made; what it then says is for `parse` to judge."""
    import tomlkit

    document = tomlkit.parse(data.decode())
    if max_age is not None:
        document["max_age"] = max_age
    if pattern:
        paths = document.setdefault("paths", tomlkit.table(is_super_table=True))
        # A pattern may stand there with a slash at its end.
        written = pattern if pattern in paths or f"{pattern}/" not in paths else f"{pattern}/"
        table = paths.setdefault(written, tomlkit.table())
        for key, value in values.items():
            _set(table, key.split("."), value)
        for key in unset:
            _unset(table, key.split("."))
        if not table:
            del paths[written]
    return tomlkit.dumps(document).encode()


def _set(table: Any, key: list[str], value: object) -> None:
    import tomlkit

    for part in key[:-1]:
        table = _table(table.setdefault(part, tomlkit.inline_table()), part)
    table[key[-1]] = value


def _unset(table: Any, key: list[str]) -> None:
    if len(key) > 1 and key[0] in table:
        _unset(_table(table[key[0]], key[0]), key[1:])
        if not table[key[0]]:
            del table[key[0]]
    elif len(key) == 1:
        table.pop(key[0], None)


def _table(found: Any, name: str) -> Any:
    if not isinstance(found, dict):
        raise UsageError(f"'{name}' of a policy is no table")
    return found
