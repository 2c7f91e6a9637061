"""The roster: one spelling, nothing passed over, and the rights that a model gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.errors import UsageError, VerificationFailed
from clave.team.roster import (
    LEFT,
    MAX_FILE,
    STOLEN,
    Folder,
    Grant,
    Group,
    Key,
    Member,
    Removed,
    Roster,
    digest,
    may_sign,
    new_store_id,
    parse,
    successor_problem,
    write,
)
from tests.team.rosters import Numbers, fingerprint, rosters, subkey, team

EXAMPLE = b"""\
format = 1
store = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
seq = 2
prev = "abababababababababababababababababababababababababababababababab"
threshold = 1

[[member]]
name = "alice"
role = "admin"

[[member.key]]
fpr = "00000000000000000000000000000000000000A1"
enc = ["00000000000000A2"]
enc_old = ["00000000000000A3"]

[[member]]
name = "bob"
role = "member"

[[member.key]]
fpr = "00000000000000000000000000000000000000B1"
enc = ["00000000000000B2"]
enc_old = []

[[removed]]
name = "carol"
reason = "stolen"
last_good = "1111111111111111111111111111111111111111"

[[removed.key]]
fpr = "00000000000000000000000000000000000000C1"
enc = []
enc_old = ["00000000000000C2"]

[groups]
"ops" = ["alice", "bob"]

[[folder]]
path = "."
read = ["@ops"]
write = ["alice", { who = "bob", until = 2026-12-31 }]
inherit = true

[[folder]]
path = "prod"
read = ["alice"]
write = []
inherit = false
"""


def parsed(data: bytes) -> Roster | None:
    """Return what was read; None for what was refused, with one clear line."""
    try:
        return parse(data)
    except VerificationFailed as refused:
        if not refused.message.startswith("the roster ") or not refused.message.isprintable():
            raise
        return None


def test_the_format_is_the_one_that_stores_have() -> None:
    roster = parse(EXAMPLE)
    assert write(roster) == EXAMPLE
    assert [member.name for member in roster.admins] == ["alice"]
    assert roster.folders[0] == Folder("", (Grant("@ops"),), (Grant("alice"), Grant("bob", date(2026, 12, 31))))
    assert roster.removed[0].last_good == "1" * 40
    assert roster.gpg_ids() == {
        ".gpg-id": b"00000000000000000000000000000000000000A1\n00000000000000000000000000000000000000B1\n",
        "prod/.gpg-id": b"00000000000000000000000000000000000000A1\n",
    }


@given(roster=rosters())
def test_what_is_written_is_read_again(roster: Roster) -> None:
    assert parse(write(roster)) == roster
    assert roster.digest == digest(write(roster))


@given(roster=rosters(), data=st.data())
def test_the_order_of_what_has_no_order_does_not_matter(roster: Roster, data: st.DataObject) -> None:
    def mixed(parts: tuple) -> tuple:
        return tuple(data.draw(st.permutations(parts)))

    other = replace(
        roster,
        members=mixed(tuple(Member(m.name, m.role, mixed(m.keys)) for m in roster.members)),
        groups=mixed(tuple(Group(g.name, mixed(g.members)) for g in roster.groups)),
        removed=mixed(roster.removed),
        folders=mixed(tuple(Folder(f.path, mixed(f.read), mixed(f.write), f.inherit) for f in roster.folders)),
    )
    assert other == roster
    assert write(other) == write(roster)


@given(roster=rosters(), data=st.data())
def test_one_byte_more_less_or_other_is_refused_or_another_roster(roster: Roster, data: st.DataObject) -> None:
    written = write(roster)
    at = data.draw(st.integers(0, len(written) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    changed = data.draw(
        st.sampled_from((
            written[:at] + byte + written[at + 1 :],
            written[:at] + byte + written[at:],
            written[:at] + written[at + 1 :],
            written + byte,
        ))
    )  # fmt: skip
    if changed != written:
        assert parsed(changed) != roster


@given(roster=rosters(), data=st.data())
def test_one_line_twice_gone_or_elsewhere_is_refused_or_another_roster(roster: Roster, data: st.DataObject) -> None:
    lines = write(roster).splitlines(keepends=True)
    at, to = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    changed = data.draw(
        st.sampled_from((
            lines[:at] + lines[at + 1 :],
            [*lines[:to], lines[at], *lines[to:]],
            [*lines[:at], b"unknown = 1\n", *lines[at:]],
            [*lines[:at], b"# a remark\n", *lines[at:]],
        ))
    )  # fmt: skip
    if changed != lines:
        assert parsed(b"".join(changed)) != roster


@given(data=st.binary(max_size=200))
def test_parse_takes_anything(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match=r"\Athe roster "):
        parse(data)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"format = 1", b"format = 2", "its format is 2; this clave knows 1 alone"),
        (b"format = 1", b"format = true", "'format' of the roster is of a wrong type"),
        (b"format = 1\n", b"", "'format' of the roster is missing"),
        (b"seq = 2", b"seq = 0", "its number is not between 1 and 99999"),
        (b"seq = 2", b"seq = 1", "the first roster has a prev"),
        (b"seq = 2", b'seq = "2"', "'seq' of the roster is of a wrong type"),
        (b'prev = "abab', b'prev = "ABab', "its prev is not 64 hex digits"),
        (b'store = "5a', b'store = "5', "the id of the store is not 32 hex digits"),
        (b"threshold = 1", b"threshold = 2", "threshold is 2; this clave knows 1 alone"),
        (b"threshold = 1", b"threshold = 1\nextra = 1", "the roster has an unknown 'extra'"),
        (b'role = "admin"', b'role = "owner"', "the role of alice is none of admin, member, machine"),
        (b'role = "admin"', b'role = "member"', "nobody would be an admin"),
        (b'role = "admin"', b'role = "admin"\nemail = "a"', "[[member]] has an unknown 'email'"),
        (b'name = "bob"', b'name = "alice"', "the member alice stands there twice"),
        (b'name = "bob"', b'name = "Bob"', "'Bob' cannot be the name of a member"),
        (b'name = "bob"', rb'name = "b\u202eb"', r"'b\u202eb' cannot be the name of a member"),
        (b'name = "bob"', b'name = "-bob"', "'-bob' cannot be the name of a member"),
        (b"0000B1", b"0000A1", "the key 00000000000000000000000000000000000000A1 stands there twice"),
        (b"0000C1", b"0000A1", "the key 00000000000000000000000000000000000000A1 stands there twice"),
        (b"0000B2", b"0000A3", "the subkey 00000000000000A3 stands there twice"),
        (b"0000B2", b"00B2", "'000000000000B2' of bob is no id of a subkey"),
        (b"00000000000000B2", b"0000000000000000", "'0000000000000000' of bob is no id of a subkey"),
        (b"0000B1", b"0000b1", "'00000000000000000000000000000000000000b1' of bob is no full fingerprint"),
        (b'enc = ["00000000000000B2"]', b"enc = []", "of bob has no encryption subkey"),
        (b'enc = ["00000000000000B2"]', b"enc = [1]", "'enc' of a key is no list of strings"),
        (b'enc = ["00000000000000B2"]\n', b"", "'enc' of a key is missing"),
        (b'reason = "stolen"', b'reason = "bored"', "the reason for carol is none of left, replaced, lost, stolen"),
        (b'last_good = "1111', b'last_good = "111', "last_good of carol is no commit id"),
        (b'last_good = "' + b"1" * 40 + b'"\n', b"", "the key of carol was stolen, and there is no last_good"),
        (b'"ops" = ["alice", "bob"]', b'"ops" = ["alice", "dave"]', "'dave' of the group @ops is no member"),
        (b'"ops" = ["alice", "bob"]', b'"ops" = ["bob", "bob"]', "the member bob of @ops stands there twice"),
        (b'"ops" = ["alice", "bob"]', b'"ops" = 1', "'ops' of the group ops is of a wrong type"),
        (b'"ops" =', b'"Ops" =', "'Ops' cannot be the name of a group"),
        (b'["@ops"]', b'["@opt"]', "'@opt', who may read ., is no member or group"),
        (b'["@ops"]', b'["@ops", "@ops"]', "@ops among those who may read . stands there twice"),
        (b'["@ops"]', b"[]", "nobody could read the folder ."),
        (b'["@ops"]', b"[1]", "'read' of a folder holds what is no member or group"),
        (b"2026-12-31", b"2026-12-31T00:00:00", "'until' of a grant is of a wrong type"),
        (b"until = 2026-12-31", b'until = 2026-12-31, why = "x"', "a grant has an unknown 'why'"),
        (b', until = 2026-12-31', b"", "'until' of a grant is missing"),
        (b'path = "prod"', b'path = "."', "the folder . stands there twice"),
        (b'path = "prod"', b'path = ""', "a folder has an empty path"),
        (b'path = "prod"', b'path = "prod/"', "the folder 'prod/' is not written plainly"),
        (b'path = "prod"', b'path = "../x"', "sneaky path"),
        (b'path = "prod"', b'path = ".git"', "'.git' is not a name"),
        (b'path = "prod"', b'path = "' + b"x" * 201 + b'"', "has more than 200 bytes"),
        (b"inherit = false", b"inherit = 0", "'inherit' of a folder is of a wrong type"),
        (b"inherit = false\n", b"", "'inherit' of a folder is missing"),
        (b"inherit = false", b"inherit = false # no", "not spelled as clave spells it"),
        (b"\n", b"\r\n", "not spelled as clave spells it"),
        (b"seq = 2", b"seq = 2\nseq = 2", "the roster is not TOML"),
        (b"seq = 2", b"seq = " + b"[" * 5000, "the roster is not TOML"),
        (b"seq = 2", b"seq = \xff", "the roster is not UTF-8"),
        (b"seq = 2", b"seq = 2" + b" " * MAX_FILE, "the roster is larger than 1024 KiB"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(old: bytes, new: bytes, problem: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(VerificationFailed) as refused:
        parse(EXAMPLE.replace(old, new))
    assert problem in refused.value.message
    assert "\n" not in refused.value.message


@given(roster=rosters(), data=st.data())
def test_readers_and_writers_are_those_of_a_model(roster: Roster, data: st.DataObject) -> None:
    """From the top downwards: each folder adds its own to those from above, or begins anew."""
    folder = data.draw(
        st.sampled_from(("", "prod", "prod/db", "prod/db/eu/x", "prod-old/x", "produce", "a b#c", "über/x"))
    )
    groups = {f"@{group.name}": set(group.members) for group in roster.groups}
    readers: set[str] = set()
    writers: set[str] = set()
    parts = folder.split("/") if folder else []
    for depth in range(len(parts) + 1):
        for rights in roster.folders:
            if rights.path == "/".join(parts[:depth]):
                if not rights.inherit:
                    readers, writers = set(), set()
                for grant in rights.read:
                    readers |= groups.get(grant.who, {grant.who})
                for grant in rights.write:
                    writers |= groups.get(grant.who, {grant.who})
    assert set(roster.readers(folder)) == readers
    assert set(roster.writers(folder)) == writers
    for member in roster.members:
        assert roster.may_write(member.name, f"{folder}/e.gpg".lstrip("/")) == (member.name in writers)
    expected = {key.fpr for member in roster.members if member.name in readers for key in member.keys}
    assert [key.fpr for key in roster.recipients(folder)] == sorted(expected)


@given(roster=rosters())
def test_every_key_and_subkey_has_its_owner(roster: Roster) -> None:
    for member in roster.members:
        for key in member.keys:
            assert roster.who(key.fpr) == member
            assert may_sign(roster, key.fpr) == (member.role == "admin")
            assert {roster.subkeys[each].name for each in key.subkeys} == {member.name}
    for gone in roster.removed:
        for key in gone.keys:
            assert roster.who(key.fpr) is None
            assert not may_sign(roster, key.fpr)
            assert roster.owners[key.fpr][2:] == (gone.reason, gone.last_good)
    assert roster.who(fingerprint(10**6)) is None


def test_a_lapsed_grant_is_told_and_still_holds() -> None:
    roster = parse(EXAMPLE)
    assert roster.lapsed(date(2026, 12, 31)) == ()
    assert roster.lapsed(date(2027, 1, 1)) == (("", "write", Grant("bob", date(2026, 12, 31))),)
    assert roster.writers("") == ("alice", "bob")


def test_no_roster_without_an_admin_or_a_reader_can_be_made() -> None:
    roster = team("alice", "bob")
    with pytest.raises(UsageError, match="nobody would be an admin"):
        replace(roster, members=tuple(m._replace(role="member") for m in roster.members))
    with pytest.raises(UsageError, match="nobody could read the folder prod"):
        replace(roster, folders=(*roster.folders, Folder("prod", inherit=False)))
    with pytest.raises(UsageError, match="there is no folder"):
        replace(roster, folders=())


def following(before: Roster, **changes: object) -> Roster:
    return replace(before, **{"seq": before.seq + 1, "prev": before.digest, **changes})


def test_what_may_follow_a_roster() -> None:
    before = team("alice", "bob", "carol")
    carol = before.members[2]
    rest = tuple(m for m in before.members if m.name != "carol")
    only = (Folder("", (Grant("alice"), Grant("bob")), (Grant("alice"),)),)
    left = Removed("carol", carol.keys, LEFT)
    assert successor_problem(before, following(before)) is None
    gone = following(before, members=rest, folders=only, removed=(left,))
    assert successor_problem(before, gone) is None
    # She may come back with her key; one that was in wrong hands may not.
    assert successor_problem(gone, following(gone, members=before.members, removed=())) is None
    stolen = following(before, members=rest, folders=only, removed=(left._replace(reason=STOLEN, last_good="1" * 40),))
    assert successor_problem(before, stolen) is None
    back = following(stolen, members=before.members, removed=())
    assert successor_problem(stolen, back) == f"it takes the stolen key {carol.keys[0].fpr} of carol back"
    later = following(stolen, removed=(left._replace(reason=STOLEN, last_good="2" * 40),))
    assert "takes the stolen key" in str(successor_problem(stolen, later))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"store": "6b" * 16}, "it is of another store"),
        ({"seq": 3}, "its number is 3 and must be 2"),
        ({"seq": 1, "prev": ""}, "its number is 1 and must be 2"),
        ({"prev": "00" * 32}, "its prev is not the hash of roster 1"),
    ],
)
def test_what_may_not_follow_a_roster(changes: dict[str, object], problem: str) -> None:
    before = team("alice", "bob")
    assert successor_problem(before, following(before, **changes)) == problem


@given(before=rosters().filter(lambda roster: roster.seq < 99_999), data=st.data())
def test_a_successor_forgets_no_key_and_no_subkey(before: Roster, data: st.DataObject) -> None:
    fpr = data.draw(st.sampled_from(sorted(before.owners)))
    new = Numbers()
    new.last = 10**6

    def without(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        return tuple(new.key(1, 0) if key.fpr == fpr else key for key in keys)

    def retired(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        """The same key with a new subkey: the old ones must stay named."""
        return tuple(Key(k.fpr, (subkey(10**7),), k.subkeys) if k.fpr == fpr else k for k in keys)

    def cut(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        return tuple(Key(k.fpr, (subkey(10**7),), k.subkeys[1:]) if k.fpr == fpr else k for k in keys)

    def changed(how) -> Roster:
        return following(
            before,
            members=tuple(m._replace(keys=how(m.keys)) for m in before.members),
            removed=tuple(r._replace(keys=how(r.keys)) for r in before.removed),
        )

    assert successor_problem(before, changed(retired)) is None
    assert str(successor_problem(before, changed(without))).startswith(f"it forgets the key {fpr} of ")
    if before.owners[fpr].key.subkeys:
        assert str(successor_problem(before, changed(cut))).startswith("it forgets the subkey ")


def test_ids_of_stores_are_long_and_differ() -> None:
    assert len({new_store_id() for _ in range(100)}) == 100
    assert replace(team("alice"), store=new_store_id()).store
