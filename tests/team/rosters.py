"""Random rosters: small, and with everything in them that a roster may have."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from clave.team.roster import (
    MACHINE,
    MEMBER,
    REASONS,
    ROLES,
    STOLEN,
    Folder,
    Grant,
    Group,
    Key,
    Member,
    Removed,
    Roster,
)

NAMES = ("alice", "bob", "carol", "dave", "x", "anna.meier", "ci-1", "0_o")
# Paths whose spelling in TOML matters, and whose order as text is not that of a tree.
FOLDERS = ("", "prod", "prod/db", "prod/db/eu", "prod-old", 'say "hi"', "back\\slash", "über", "a b#c", "{0}")


def fingerprint(number: int) -> str:
    return f"{number:040X}"


def subkey(number: int) -> str:
    return f"{number:016X}"


class Numbers:
    """Keys and subkeys that nobody else has."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last

    def key(self, current: int, old: int) -> Key:
        return Key(
            fingerprint(self.next()),
            tuple(subkey(self.next()) for _ in range(current)),
            tuple(subkey(self.next()) for _ in range(old)),
        )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    numbers = Numbers()

    def keys(least: int = 1) -> tuple[Key, ...]:
        counts = st.tuples(st.integers(least, 2), st.integers(0, 2))
        return tuple(numbers.key(*draw(counts)) for _ in range(draw(st.integers(1, 2))))

    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    roles = ["admin", *(draw(st.sampled_from(ROLES)) for _ in names[1:])]
    members = tuple(Member(name, role, keys()) for name, role in zip(names, roles, strict=True))
    groups = tuple(
        Group(name, tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True))))
        for name in draw(st.lists(st.sampled_from(("ops", "dev", "alice")), max_size=2, unique=True))
    )
    removed = []
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        reason = draw(st.sampled_from(REASONS))
        last_good = draw(st.sampled_from(("", "0a" * 20, "0a" * 32)))
        removed.append(Removed(name, keys(0), reason, last_good or "1" * 40 if reason == STOLEN else last_good))
    whom = [*names, *(f"@{group.name}" for group in groups)]
    until = st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1))

    def grants(least: tuple[str, ...] = ()) -> tuple[Grant, ...]:
        chosen = draw(st.lists(st.sampled_from(whom), max_size=3, unique=True))
        return tuple(Grant(who, draw(until)) for who in dict.fromkeys((*least, *chosen)))

    paths = draw(st.lists(st.sampled_from(FOLDERS), min_size=1, max_size=5, unique=True))
    folders = tuple(
        Folder(path, grants((draw(st.sampled_from(names)),)), grants(), draw(st.booleans())) for path in paths
    )
    seq = draw(st.sampled_from((1, 2, 77, 99_999)))
    return Roster(
        store=draw(st.sampled_from(("00" * 16, "0123456789abcdef" * 2))),
        seq=seq,
        prev="" if seq == 1 else "ab" * 32,
        members=members,
        folders=folders,
        groups=groups,
        removed=tuple(removed),
    )


def team(*names: str, machine: str = "") -> Roster:
    """Return the first roster of a team: the first is admin, all may read and write the store's own folder."""
    numbers = Numbers()
    members = tuple(Member(name, "admin" if name == names[0] else MEMBER, (numbers.key(1, 0),)) for name in names)
    if machine:
        members += (Member(machine, MACHINE, (numbers.key(1, 0),)),)
    everybody = tuple(Grant(name) for name in names)
    return Roster("5a" * 16, 1, "", members, (Folder("", everybody, everybody),))
