"""What a roster changes, in words."""

from __future__ import annotations

from datetime import date

from hypothesis import given

from clave.team import editing
from clave.team.editing import BOTH, READ, WRITE
from clave.team.roster import ADMIN, LOST, STOLEN, Key, Roster
from clave.team.wording import words
from tests.team.rosters import fingerprint, rosters, subkey, team

TEAM = team("alice", "bob", "carol")
NEW = Key(fingerprint(500), (subkey(501),))
BOBS = TEAM.members[1].keys[0]


def test_each_change_has_its_words() -> None:
    grouped = editing.add_to_group(TEAM, "ops", ["bob", "carol"])
    restricted = editing.restrict(TEAM, "prod")
    removed = editing.remove_member(TEAM, "bob", STOLEN, "1a" * 20)
    renewed = editing.renew_key(TEAM, BOBS.fpr, [subkey(900)])
    for before, after, said in (
        (TEAM, editing.add_member(TEAM, "dave", [NEW]), ["dave is a member", f"dave has the key {NEW.fpr}"]),
        (TEAM, editing.set_role(TEAM, "bob", ADMIN), ["bob is admin, and was member"]),
        (TEAM, editing.remove_member(TEAM, "bob"), ["bob is no member any more (left)"]),
        (
            TEAM,
            removed,
            ["bob is no member any more (stolen)", f"the key {BOBS.fpr} of bob counts up to commit 1a1a1a1a1a1a"],
        ),
        (
            TEAM,
            editing.replace_key(TEAM, "bob", NEW, reason=LOST),
            [f"the key {BOBS.fpr} of bob was lost", f"bob has the key {NEW.fpr}"],
        ),
        (
            TEAM,
            renewed,
            [f"bob has the encryption subkey {subkey(900)}", f"the encryption subkey {BOBS.enc[0]} of bob is retired"],
        ),
        (TEAM, grouped, ["bob, carol are in the group @ops"]),
        (grouped, editing.remove_from_group(grouped, "ops", ["bob"]), ["bob is in the group @ops no more"]),
        (grouped, editing.remove_group(grouped, "ops"), ["the group @ops is gone"]),
        (TEAM, editing.grant(TEAM, "bob", "prod"), ["bob may read prod"]),
        (
            TEAM,
            editing.grant(TEAM, "bob", "{0}", BOTH, date(2030, 1, 1)),
            ["bob may read and write {0} (until 2030-01-01)"],
        ),
        (TEAM, editing.revoke(TEAM, "bob", "", (WRITE,)), ["bob may not write the store's own folder any more"]),
        (TEAM, restricted, ["prod inherits no more", "alice, bob, carol may read and write prod"]),
        (
            restricted,
            editing.unrestrict(restricted, "prod"),
            ["prod inherits again", "alice, bob, carol may read and write prod, now by another right"],
        ),
        (restricted, editing.revoke(restricted, "bob", "prod", (READ,)), ["bob may not read prod any more"]),
    ):
        assert sorted(words(before, after)) == sorted(said)


@given(roster=rosters())
def test_a_first_roster_is_said_whole(roster: Roster) -> None:
    said = words(None, roster)
    for member in roster.members:
        assert sum(line.startswith(f"{member.name} is a member") for line in said) == 1
        for key in member.keys:
            assert f"{member.name} has the key {key.fpr}" in said
    assert all(line.isprintable() for line in said)
    assert words(roster, roster) == []
