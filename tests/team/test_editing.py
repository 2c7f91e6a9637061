"""Changes of a roster: each follows, forgets no key, touches only what it says, and refuses what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clave.errors import UsageError
from clave.team import editing
from clave.team.editing import BOTH, READ, WRITE
from clave.team.facts import facts, roster_of
from clave.team.roster import (
    ADMIN,
    LEFT,
    LOST,
    MEMBER,
    REASONS,
    STOLEN,
    Folder,
    Grant,
    Key,
    Roster,
    parse,
    successor_problem,
    write,
)
from tests.team.rosters import FOLDERS, NAMES, fingerprint, rosters, subkey, team

COMMIT = "0c" * 20
NEW = Key(fingerprint(10**6), (subkey(10**6 + 1),))
RIGHTS = ((READ,), (WRITE,), BOTH)
Edit = Callable[[Roster], Roster]


@st.composite
def edits(draw: st.DrawFn, roster: Roster) -> tuple[Edit, Callable[[tuple[str, ...]], bool]]:
    """A change that may or may not be possible, and which facts it may touch."""
    names = [member.name for member in roster.members]
    groups = [group.name for group in roster.groups]
    name = draw(st.sampled_from((*names, *NAMES)))
    group = draw(st.sampled_from((*groups, "ops", "nobody")))
    who = draw(st.sampled_from((*names, *(f"@{each}" for each in groups), "x", "@nobody")))
    path = draw(st.sampled_from(FOLDERS))
    rights = draw(st.sampled_from(RIGHTS))
    fprs = [key.fpr for member in roster.members if member.name == name for key in member.keys]
    fpr = draw(st.sampled_from((*fprs, *roster.owners, NEW.fpr)))
    subkeys = roster.owners[fpr].key.subkeys if fpr in roster.owners else ()
    reason = draw(st.sampled_from(REASONS))
    good = COMMIT if reason == STOLEN else ""
    key = draw(st.sampled_from((NEW, *(gone_key for gone in roster.removed for gone_key in gone.keys))))
    key = key if key.enc else key._replace(enc=NEW.enc)
    enc = (*draw(st.lists(st.sampled_from((*subkeys, subkey(10**6 + 2))), min_size=1, max_size=2, unique=True)),)

    def of_key(fact: tuple[str, ...]) -> bool:
        return fact[0] in ("key", "subkey") and fact[1] in (fpr, key.fpr, *fprs)

    def of_right(fact: tuple[str, ...]) -> bool:
        return fact == ("folder", path) or (fact[0] in rights and fact[1:] == (path, who))

    def of_name(fact: tuple[str, ...]) -> bool:
        return fact in {("member", name)} or of_key(fact) or fact[-1] == name

    return draw(
        st.sampled_from(
            (
                (lambda r: editing.add_member(r, name, [key]), of_name),
                (lambda r: editing.remove_member(r, name, reason, good), lambda f: of_name(f) or f[0] == "folder"),
                (lambda r: editing.set_role(r, name, ADMIN), lambda f: f == ("member", name)),
                (lambda r: editing.set_role(r, name, MEMBER), lambda f: f == ("member", name)),
                (lambda r: editing.add_key(r, name, key), of_key),
                (lambda r: editing.renew_key(r, fpr, enc), lambda f: f[:2] == ("subkey", fpr)),
                (lambda r: editing.replace_key(r, name, key, old=fpr, reason=reason, last_good=good), of_key),
                (lambda r: editing.replace_key(r, name, key, reason=reason, last_good=good), of_key),
                (lambda r: editing.grant(r, who, path, rights, date(2030, 1, 1)), of_right),
                (lambda r: editing.grant(r, who, path, rights), of_right),
                (lambda r: editing.revoke(r, who, path, rights), of_right),
                (lambda r: editing.restrict(r, path), lambda f: f[0] in ("folder", *BOTH) and f[1] == path),
                (lambda r: editing.unrestrict(r, path), lambda f: f[0] in ("folder", *BOTH) and f[1] == path),
                (lambda r: editing.add_to_group(r, group, [name]), lambda f: f[0] in ("group", "in") and f[1] == group),
                (lambda r: editing.remove_from_group(r, group, [name]), lambda f: f == ("in", group, name)),
                (
                    lambda r: editing.remove_group(r, group),
                    lambda f: (f[0] in ("group", "in") and f[1] == group) or f[-1] == f"@{group}" or f[0] == "folder",
                ),
            )
        )
    )


def edited(edit: Edit, roster: Roster) -> Roster:
    """The roster after a change; the roster itself where that is refused, in one clear line."""
    try:
        return edit(roster)
    except UsageError as refusal:
        if not refusal.line().isprintable():
            raise
        return roster


def follow(roster: Roster) -> Roster:
    """The same roster with a number that something can follow."""
    return replace(roster, seq=2, prev="ab" * 32)


def differing(before: Roster, after: Roster) -> set[tuple[str, ...]]:
    """The facts that are not the same."""
    old, new = facts(before), facts(after)
    return {fact for fact in {*old, *new} if old.get(fact) != new.get(fact)}


@given(data=st.data(), roster=rosters().map(follow))
def test_a_change_follows_and_touches_what_it_says(data: st.DataObject, roster: Roster) -> None:
    edit, touches = data.draw(edits(roster))
    after = edited(edit, roster)
    if after is roster:
        return
    assert successor_problem(roster, after) is None
    assert parse(write(after)) == after
    assert after.owners.keys() >= roster.owners.keys()
    assert differing(roster, after)
    assert [fact for fact in differing(roster, after) if not touches(fact)] == []
    assert [folder.path for folder in roster.folders if not after.readers(folder.path)] == []


@given(roster=rosters().map(follow), path=st.sampled_from(FOLDERS), rights=st.sampled_from(RIGHTS), data=st.data())
def test_what_is_granted_and_revoked_is_as_before(
    roster: Roster, path: str, rights: tuple[str, ...], data: st.DataObject
) -> None:
    who = data.draw(st.sampled_from([*(m.name for m in roster.members), *(f"@{g.name}" for g in roster.groups)]))
    assume(roster.readers(path))  # else it may be the last reader, who stays
    own = editing.Way(path, who)
    assume(all(own not in editing.ways(roster, who, path, right) for right in rights))
    granted = editing.grant(roster, who, path, rights)
    for right in rights:
        assert editing.ways(granted, who, path, right)[0] == own
    after = editing.revoke(granted, who, path, rights)
    assert rights_of(after) == rights_of(roster)
    before = {folder.path: folder for folder in roster.folders}
    assert {f.path: f for f in after.folders} == {p: f for p, f in before.items() if p != path or f != Folder(path)}


@given(roster=rosters().map(follow), path=st.sampled_from(FOLDERS[1:]))
def test_a_restricted_folder_keeps_its_rights_and_gets_no_more(roster: Roster, path: str) -> None:
    assume(roster.readers(path))
    assume(all(folder.inherit for folder in roster.folders if folder.path == path))
    after = editing.restrict(roster, path)
    assert rights_of(after) == rights_of(roster)
    assert rights_of(editing.unrestrict(after, path)) == rights_of(roster)
    newcomer = editing.add_member(after, "newcomer", [NEW])
    above = editing.grant(newcomer, "newcomer", path.rpartition("/")[0])
    assert "newcomer" not in above.readers(path)
    again = editing.unrestrict(above, path)
    assert "newcomer" in again.readers(path)


def rights_of(roster: Roster) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    folders = {*FOLDERS, *(folder.path for folder in roster.folders)}
    return {path: (roster.readers(path), roster.writers(path)) for path in folders}


@given(roster=rosters().map(follow))
def test_facts_are_all_of_a_roster(roster: Roster) -> None:
    again = roster_of(facts(roster), roster.store, roster.seq, roster.prev)
    assert facts(again) == facts(roster)
    assert (again.members, again.groups, again.folders) == (roster.members, roster.groups, roster.folders)
    assert again.owners == roster.owners


@given(data=st.data(), roster=rosters().map(follow))
def test_a_change_is_made_again_on_another_roster(data: st.DataObject, roster: Roster) -> None:
    mine, theirs = (edited(data.draw(edits(roster))[0], roster) for _ in range(2))
    # Nothing collides with a roster that was not changed, or with the very same change.
    if roster in (mine, theirs) or facts(mine) == facts(theirs):
        redone = editing.redo(roster, mine, theirs)
    else:
        made: list[Roster] = []
        edited(lambda after: made.append(editing.redo(roster, mine, after)) or after, theirs)
        assume(made)
        redone = made[0]
    assert redone is theirs or successor_problem(theirs, redone) is None
    for fact in differing(roster, mine):
        assert facts(redone).get(fact) == facts(mine).get(fact)
    for fact in differing(roster, theirs):
        assert facts(redone).get(fact) == facts(theirs).get(fact)
    assert differing(roster, redone) <= differing(roster, mine) | differing(roster, theirs)


# What is refused, and what the answer says


def restricted() -> Roster:
    """bob and carol, as @ops, alone have prod; all three the store's own folder."""
    roster = editing.add_to_group(team("alice", "bob", "carol"), "ops", ["bob", "carol"])
    roster = editing.restrict(editing.grant(roster, "@ops", "prod", BOTH), "prod")
    for who in ("alice", "bob", "carol"):
        roster = editing.revoke(roster, who, "prod")
    return roster


SMALL = team("alice", "bob", machine="ci")
OPS = restricted()
DAVE = Key(fingerprint(500), (subkey(501),))
ALICES, BOBS = SMALL.members[0].keys[0], SMALL.members[1].keys[0]
LOST_BOB = editing.remove_member(SMALL, "bob", LOST, COMMIT)


def refused(edit: Callable[[], Roster]) -> str:
    with pytest.raises(UsageError) as failure:
        edit()
    return failure.value.line()


def test_what_a_restricted_folder_is_left_with() -> None:
    assert OPS.folders[1] == Folder("prod", (Grant("@ops"),), (Grant("@ops"),), inherit=False)
    assert rights_of(OPS)["prod/db"] == (("bob", "carol"), ("bob", "carol"))


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (
            lambda: editing.remove_member(SMALL, "alice"),
            "alice is the last admin. Make somebody else one first: clave team role NAME admin.",
        ),
        (
            lambda: editing.set_role(SMALL, "alice", MEMBER),
            "alice is the last admin. Make somebody else one first: clave team role NAME admin.",
        ),
        (
            lambda: editing.set_role(SMALL, "bob", "boss"),
            "'boss' is no role that can be given. There are admin and member.",
        ),
        (
            lambda: editing.set_role(SMALL, "ci", ADMIN),
            "ci is a machine, and stays one. Remove it and add it anew as what it shall be.",
        ),
        (
            lambda: editing.revoke(team("alice"), "alice", ""),
            "nobody could read anything: there is no folder. Nothing was changed.",
        ),
        (
            lambda: editing.revoke(editing.grant(team("alice"), "alice", "prod"), "alice", "", (READ,)),
            "nobody could read the folder . Give it a reader first: clave grant WHO .",
        ),
        (
            lambda: editing.remove_group(OPS, "ops"),
            "nobody could read the folder prod. Give it a reader first: clave grant WHO prod.",
        ),
        (
            lambda: editing.remove_from_group(OPS, "ops", ["bob", "carol"]),
            "nobody could read the folder prod. Give it a reader first: clave grant WHO prod.",
        ),
        (
            lambda: editing.revoke(OPS, "bob", "prod/db"),
            """\
bob may read prod/db through the group @ops, which has it on prod. \
Take the right from it: clave revoke @ops prod, or them out of it: clave group remove ops bob.""",
        ),
        (
            lambda: editing.revoke(OPS, "bob", "prod", (WRITE,)),
            """\
bob may write prod through the group @ops. \
Take the right from it: clave revoke @ops prod, or them out of it: clave group remove ops bob.""",
        ),
        (
            lambda: editing.revoke(OPS, "alice", "other"),
            """\
alice may read other because of a right on the store's own folder. \
Take that one: clave revoke alice ., or end that other inherits: clave restrict other.""",
        ),
        (
            lambda: editing.revoke(OPS, "alice", "prod"),
            "alice may not read or write prod anyway. Who may: clave access.",
        ),
        (lambda: editing.restrict(OPS, ""), "the store's own folder inherits from nothing. Name a folder in it."),
        (lambda: editing.grant(OPS, "bbo", "prod"), "'bbo' is no member. Did you mean bob?"),
        (lambda: editing.grant(OPS, "zz", "prod"), "'zz' is no member. Members: alice, bob, carol."),
        (lambda: editing.grant(OPS, "@op", "prod"), "'@op' is no group. Did you mean @ops?"),
        (lambda: editing.remove_group(SMALL, "ops"), "'@ops' is no group. Groups: none."),
        (lambda: editing.add_to_group(SMALL, "ops", ["e\x1b"]), "'e\\x1b' is no member. Members: alice, bob, ci."),
        (
            lambda: editing.add_to_group(SMALL, "Ops!", ["bob"]),
            "'Ops!' cannot be the name of a group (a-z, 0-9, '.', '_' and '-'). Nothing was changed.",
        ),
        (
            lambda: editing.remove_from_group(OPS, "ops", ["alice"]),
            "alice is not in the group @ops. In it: bob, carol.",
        ),
        (
            lambda: editing.add_member(SMALL, "bob", [DAVE]),
            "bob is a member already. Another key of theirs: clave team key replace bob KEYFILE.",
        ),
        (
            lambda: editing.add_member(SMALL, "dave", [BOBS]),
            f"the key {BOBS.fpr} is bob's. Each key belongs to one member.",
        ),
        (
            lambda: editing.add_member(LOST_BOB, "bob", [BOBS]),
            f"the key {BOBS.fpr} of bob was lost. It cannot come back; make a new one.",
        ),
        (
            lambda: editing.add_member(editing.remove_member(SMALL, "bob"), "dave", [BOBS]),
            f"the key {BOBS.fpr} was bob's. Who comes back has the same name: bob.",
        ),
        (
            lambda: editing.add_key(SMALL, "bob", BOBS),
            f"the key {BOBS.fpr} is one of bob already. Its new subkeys: clave key renew {BOBS.fpr}.",
        ),
        (
            lambda: editing.replace_key(editing.add_key(SMALL, "bob", DAVE), "bob", DAVE._replace(fpr="A" * 40)),
            f"bob has 2 keys: {BOBS.fpr}, {DAVE.fpr}. Say which of them is to be replaced.",
        ),
        (
            lambda: editing.replace_key(SMALL, "bob", DAVE, old=ALICES.fpr),
            f"the key {ALICES.fpr} is one of alice, not of bob.",
        ),
        (
            lambda: editing.replace_key(SMALL, "bob", BOBS),
            f"the key {BOBS.fpr} is one of bob already. Its new subkeys: clave key renew {BOBS.fpr}.",
        ),
        (
            lambda: editing.renew_key(SMALL, "A" * 40, ["0" * 16]),
            f"{'A' * 40} is no key of a member. The keys of the team: clave team.",
        ),
        (
            lambda: editing.remove_member(SMALL, "bob", STOLEN),
            "the key of bob was stolen, and there is no last_good. Nothing was changed.",
        ),
    ],
)
def test_what_is_refused_is_named(edit: Callable[[], Roster], line: str) -> None:
    assert refused(edit) == line


def test_who_comes_back_has_the_old_subkeys_too() -> None:
    left = editing.remove_member(SMALL, "bob", LEFT)
    back = editing.add_member(left, "bob", [Key(BOBS.fpr, (subkey(900),))])
    assert back.owners[BOBS.fpr].key == Key(BOBS.fpr, (subkey(900),), BOBS.enc)
    assert back.removed == ()
    assert back.readers("") == ("alice",)


def test_a_renewed_key_retires_what_it_had() -> None:
    once = editing.renew_key(SMALL, BOBS.fpr, [subkey(900)])
    assert once.owners[BOBS.fpr].key == Key(BOBS.fpr, (subkey(900),), BOBS.enc)
    assert editing.renew_key(once, BOBS.fpr, BOBS.enc).owners[BOBS.fpr].key == Key(BOBS.fpr, BOBS.enc, (subkey(900),))
    assert editing.renew_key(once, BOBS.fpr, [subkey(900)]) is once


def test_a_replaced_key_is_among_the_removed_ones() -> None:
    after = editing.replace_key(SMALL, "bob", DAVE, reason=LOST, last_good=COMMIT)
    assert after.owners[BOBS.fpr][2:] == (LOST, COMMIT)
    assert after.who(DAVE.fpr) == after.member("bob")
    assert after.readers("") == SMALL.readers("")


def test_two_who_change_the_same_are_told() -> None:
    mine = editing.grant(SMALL, "bob", "prod", (READ,), date(2030, 1, 1))
    theirs = editing.grant(SMALL, "bob", "prod", (READ,), date(2031, 1, 1))
    assert refused(lambda: editing.redo(SMALL, mine, theirs)) == (
        "whether bob may read prod was changed in roster 2 too, in another way. "
        "Look at it (clave team log), then make your change again."
    )
    removed = editing.remove_member(SMALL, "bob")
    line = "bob was removed meanwhile, and whether bob may read prod was changed. Look at it: clave team log."
    assert refused(lambda: editing.redo(SMALL, mine, removed)) == line
    assert refused(lambda: editing.redo(SMALL, removed, mine)) == line
    assert editing.redo(SMALL, removed, removed) is removed
    both = editing.redo(SMALL, editing.add_member(SMALL, "dave", [DAVE]), editing.grant(SMALL, "bob", "prod"))
    assert both.seq == 3
    assert both.member("dave")
    assert both.readers("prod") == ("alice", "bob")
