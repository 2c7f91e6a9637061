"""The cases of the threat model, one by one, with what a user reads.

alice is admin, bob and carol are members; all read and write the store's folder, alice and carol `prod`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clave.team.evidence import HIDDEN, State
from clave.team.paths import certificate_path
from clave.team.readers import rekey_due
from clave.team.roster import LEFT, REPLACED, STOLEN, Folder, Grant, Group, Key, Member, Removed, Roster
from clave.team.rules import verify
from clave.team.verdict import Refusal, Rule, Verdict
from tests.team.honest import World, _without
from tests.team.repository import Files, certificates


def never(strategy: object) -> None:
    raise AssertionError("a case draws nothing")


class Team:
    """The fixture, and what people do in it. Each method returns the commit that it makes."""

    def __init__(self) -> None:
        self.world = World(never)
        self.world.begin()
        self.repository = self.world.repository
        self.genesis = self.world.genesis
        self.first = self.repository.roster_of(self.genesis)
        self.keys = {member.name: member.keys[0] for member in self.first.members}

    def verify(self, tip: str, **pin: str) -> Verdict:
        return verify(self.repository, self.world.pin._replace(**pin), tip)

    def files(self, commit: str) -> Files:
        return self.repository.files(commit)

    def secret(self, parent: str, path: str) -> Files:
        """The files of a commit with a new message for the readers of its roster at a path."""
        keys = self.repository.roster_of(parent).recipients(path.rpartition("/")[0])
        return {**self.files(parent), path: self.repository.secret(keys)}

    def write(self, who: str | None, parent: str, path: str = "a.gpg", **more: Any) -> str:
        return self.make(who, (parent,), self.secret(parent, path), **more)

    def make(self, who: str | None, parents: tuple[str, ...], files: Files, **more: Any) -> str:
        return self.repository.make(parents, files, self.keys[who].fpr if who else None, **more)

    def merge(self, who: str, *parents: str, onto: int = 0, files: Files | None = None) -> str:
        """A merge by plain git: the files of one side, with those that the other one added or changed."""
        base = self.files(self.genesis)
        merged = {**self.files(parents[1 - onto]), **self.files(parents[onto])}
        for path, file in self.files(parents[1 - onto]).items():
            if merged.get(path) == base.get(path):
                merged[path] = file
        for side in parents:
            for path in base:
                if path not in self.files(side):
                    merged.pop(path, None)
        return self.make(who, parents, {**merged, **(files or {})})

    def roster(self, parent: str, files: Files | None = None, **changes: Any) -> tuple[Roster, Files]:
        before = self.repository.roster_of(parent)
        after = replace(before, **{"seq": before.seq + 1, "prev": before.digest, **changes})
        return after, self.repository.with_roster(files or self.files(parent), after, self.keys["alice"].fpr)

    def remove(self, name: str, parent: str, reason: str = LEFT, last_good: str = "", **more: Any) -> str:
        before = self.repository.roster_of(parent)
        member = before.member(name)
        assert member
        _, files = self.roster(
            parent,
            more.pop("files", None),
            members=tuple(m for m in before.members if m.name != name),
            groups=tuple(Group(g.name, tuple(n for n in g.members if n != name)) for g in before.groups),
            folders=tuple(
                f._replace(read=_without(f.read, name), write=_without(f.write, name)) for f in before.folders
            ),
            removed=(*before.removed, Removed(name, member.keys, reason, last_good)),
        )
        return self.make("alice", (parent,), files, **more)

    def add(self, name: str, parent: str) -> str:
        key = self.keys[name] = self.world.numbers.key(name)
        before = self.repository.roster_of(parent)
        root = before.folders[0]
        root = root._replace(read=(*root.read, Grant(name)), write=(*root.write, Grant(name)))
        _, files = self.roster(
            parent,
            {**self.files(parent), **certificates(self.repository, [key])},
            members=(*before.members, Member(name, "member", (key,))),
            folders=(root, *before.folders[1:]),
        )
        return self.make("alice", (parent,), files)


@pytest.fixture
def team() -> Team:
    return Team()


def refused(verdict: Verdict, commit: str, rule: Rule, text: str) -> Refusal:
    assert verdict.good != commit
    refusal = next(each for each in verdict.refusals if each.commit == commit)
    assert (refusal.rule, text in refusal.problem) == (rule, True), refusal
    return refusal


# Roster.


def test_bob_adds_mallory_to_the_readers(team: Team) -> None:
    mallory = Key("0" * 36 + "BAD1", ("0" * 12 + "BAD2",))
    files = team.files(team.genesis)
    files[".gpg-id"] = team.repository.blob(team.repository.blobs[files[".gpg-id"].blob] + b"0BAD\n")
    refusal = refused(
        team.verify(tip := team.make("bob", (team.genesis,), files)), tip, Rule.RIGHT, "bob may not change .gpg-id"
    )
    assert refusal.error().line() == (
        f"commit {tip[:12]} by bob is refused (right): bob may not change .gpg-id. "
        "Ask an admin to make the change, or to grant the right: clave grant."
    )
    unsigned = team.make(None, (team.genesis,), files)
    refused(team.verify(unsigned), unsigned, Rule.SIGNATURE, "it is not signed and changes .gpg-id")
    foreign = team.repository.make((team.genesis,), files, mallory.fpr)
    refusal = refused(team.verify(foreign), foreign, Rule.MEMBER, f"the unknown key {mallory.fpr} is no member")
    assert refusal.signer == f"the unknown key {mallory.fpr}"


def test_roster_two_by_bob_and_two_different_rosters_two(team: Team) -> None:
    bob = team.first.members[1]
    promoted = tuple(m._replace(role="admin") if m == bob else m for m in team.first.members)
    _, files = team.roster(team.genesis, members=promoted)
    tip = team.make("bob", (team.genesis,), files)
    refused(team.verify(tip), tip, Rule.RIGHT, "bob may not change .clave/roster/00002.toml")
    one, other = team.remove("bob", team.genesis), team.add("dave", team.genesis)
    for parents in ((one, other), (other, one)):
        merge = team.merge("alice", *parents)
        refused(team.verify(merge), merge, Rule.ROSTER, "its parents have different rosters 2")


def test_roster_three_without_two(team: Team) -> None:
    _, files = team.roster(team.genesis, seq=3)
    tip = team.make("alice", (team.genesis,), files)
    refused(team.verify(tip), tip, Rule.ROSTER, "may only add roster 2 and its signature")


def test_the_whole_team_deleted(team: Team) -> None:
    files = {path: file for path, file in team.files(team.genesis).items() if not path.startswith(".clave/")}
    for who in ("alice", "bob"):
        tip = team.make(who, (team.genesis,), files)
        verdict = team.verify(tip)
        assert [each.rule for each in verdict.refusals] == [Rule.ROSTER]
        assert verdict.good == team.genesis


# Ciphertext.


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (lambda keys: [*keys, "00000000000000FF"], "a.gpg: it is encrypted also to the unknown key 00000000000000FF"),
        (lambda keys: keys[:-1], "a.gpg: it is not encrypted to a current subkey of "),
        (lambda keys: [*keys, HIDDEN], "a.gpg: it is encrypted also to somebody who is hidden"),
        (lambda keys: [HIDDEN, *keys[1:]], "a.gpg: it is not encrypted to a current subkey of "),
        (lambda keys: [*keys, keys[0]], " twice"),
    ],
)
def test_a_message_for_the_wrong_people(team: Team, ids: Any, text: str) -> None:
    keys = [key.enc[0] for key in team.first.recipients("")]
    files = {**team.files(team.genesis), "a.gpg": team.repository.message(ids(keys))}
    tip = team.make("bob", (team.genesis,), files)
    refused(team.verify(tip), tip, Rule.READERS, text)


def test_bob_copies_an_entry_of_prod(team: Team) -> None:
    at = team.write("carol", team.genesis, "prod/db.gpg")
    files = team.files(at)
    tip = team.make("bob", (at,), {**files, "a.gpg": files["prod/db.gpg"]})
    refused(team.verify(tip), tip, Rule.READERS, "a.gpg: it is not encrypted to a current subkey of bob")
    tip = team.write("bob", at, "prod/db.gpg")
    refused(team.verify(tip), tip, Rule.RIGHT, "bob may not change prod/db.gpg")


def test_the_text_of_another_message(team: Team) -> None:
    """Bob writes what only others can read, under his own name, and waits for somebody to encrypt it anew."""
    tip = team.write("bob", team.genesis)
    blob = team.files(tip)["a.gpg"].blob
    everybody = [key.enc[0] for key in team.first.recipients("")]
    team.repository.texts[blob] = (tuple(everybody[:1]), tuple(everybody))
    refused(team.verify(tip), tip, Rule.READERS, "a.gpg: its text is that of another message, which is not for ")
    team.repository.texts[blob] = (tuple(everybody), (*everybody, "00000000000000FF"))
    assert team.verify(tip).good == tip


def test_carol_rotated_her_subkey(team: Team) -> None:
    at = team.write("bob", team.genesis)
    old = team.keys["carol"]
    team.keys["carol"] = new = Key(old.fpr, ("00000000000000C9",), old.subkeys)
    files = {**team.files(at), certificate_path(new.fpr): team.repository.certify(new)}
    members = tuple(m._replace(keys=(new,)) if m.name == "carol" else m for m in team.first.members)
    _, files = team.roster(at, files, members=members)
    at = team.make("alice", (at,), files)
    verdict = team.verify(at)
    assert (verdict.good, verdict.refusals) == (at, ())
    assert verdict.roster
    due = rekey_due(team.repository.tree(at), verdict.roster, team.repository.recipients)
    assert [tuple(each) for each in due] == [("a.gpg", "it is not encrypted to a current subkey of carol")]
    after = team.write("bob", at)
    assert team.verify(after).good == after
    assert rekey_due(team.repository.tree(after), verdict.roster, team.repository.recipients) == ()
    # Whoever still writes to the old one is refused.
    ids = [key.enc[0] for key in (team.keys["alice"], team.keys["bob"], old)]
    stale = team.make("bob", (at,), {**team.files(at), "a.gpg": team.repository.message(ids)})
    refused(team.verify(stale), stale, Rule.READERS, "not encrypted to a current subkey of carol")


# History: somebody who was removed.


def test_the_later_commit_of_somebody_removed(team: Team) -> None:
    at = team.remove("bob", team.write("bob", team.genesis))
    tip = team.write("bob", at)
    refusal = refused(team.verify(tip), tip, Rule.MEMBER, "bob (removed) is no member")
    assert refusal.signer == "bob (removed)"
    assert team.verify(tip).good == at


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("onto", [0, 1])
@pytest.mark.parametrize("who", ["bob", "carol", "alice"])
def test_an_old_branch_of_somebody_removed_is_not_laundered(team: Team, who: str, onto: int, order: int) -> None:
    """Dated back, on a commit at which he was a member; merged by himself, or by others with plain git."""
    main = team.write("alice", team.remove("bob", team.write("alice", team.genesis, "web/z.gpg")), "b.gpg")
    branch = team.write("bob", team.write("bob", team.genesis, "c.gpg"), "d.gpg")
    tip = team.merge(who, *(main, branch)[::order], onto=onto)
    after = team.write("carol", tip, "e.gpg")
    verdict = team.verify(after)
    text = "bob (removed) is no member" if who == "bob" else "by roster 2 bob (removed) is no member"
    refused(verdict, tip, Rule.MEMBER, text)
    assert verdict.good == main
    assert team.verify(after, verified=main).good == main
    # In steps: his branch with others' work on top, merged by them.
    hidden = team.merge("carol", branch, team.write("carol", team.genesis, "f.gpg"))
    tip = team.merge(who, *(main, hidden)[::order], onto=onto)
    refused(team.verify(tip), tip, Rule.MEMBER, text)


def test_an_old_branch_with_a_right_that_was_taken(team: Team) -> None:
    folder = Folder("prod", (Grant("alice"),), (Grant("alice"),), inherit=False)
    _, files = team.roster(team.genesis, folders=(team.first.folders[0], folder))
    main = team.make("alice", (team.genesis,), files)
    branch = team.write("carol", team.genesis, "prod/db.gpg")
    tip = team.merge("alice", main, branch)
    refused(team.verify(tip), tip, Rule.RIGHT, "by roster 2 carol may not change prod/db.gpg")


def test_carol_offline_pulls_after_dave_joined(team: Team) -> None:
    main = team.write("dave", team.add("dave", team.genesis), "d.gpg")
    mine = team.write("carol", team.genesis, "c.gpg")
    for parents in ((mine, main), (main, mine)):
        tip = team.merge("carol", *parents)
        verdict = team.verify(tip)
        assert (verdict.good, verdict.refusals) == (tip, ())
        assert verdict.roster
        due = rekey_due(team.repository.tree(tip), verdict.roster, team.repository.recipients)
        assert ("c.gpg", "it is not encrypted to a current subkey of dave") in due


def test_a_revoked_key_counts_before_and_not_after_nor_beside(team: Team) -> None:
    before = team.write("bob", team.genesis, "b.gpg")
    revoked = team.repository.certify(team.keys["bob"], state="revoked")
    main = team.make("alice", (before,), {**team.files(before), certificate_path(team.keys["bob"].fpr): revoked})
    assert team.verify(main).good == main
    later = team.write("bob", main, "b.gpg")
    refused(team.verify(later), later, Rule.SIGNATURE, "its signature is by a revoked key")
    branch = team.write("bob", team.genesis, "c.gpg")
    for who, text in (("carol", "has revoked"), ("bob", "revoked")):
        for parents in ((main, branch), (branch, main)):
            tip = team.merge(who, *parents)
            refused(team.verify(tip), tip, Rule.SIGNATURE, text)
    # Merged from an older side, on which the key still was good.
    branch = team.write("carol", team.genesis, "c.gpg")
    tip = team.merge("bob", branch, main)
    refused(team.verify(tip), tip, Rule.SIGNATURE, "has revoked")


def test_an_expired_key_that_was_replaced(team: Team) -> None:
    at = team.write("bob", team.genesis, "b.gpg")
    bob = team.first.members[1]
    key = team.world.numbers.key("bob")
    files = {**team.files(at), **certificates(team.repository, [key])}
    _, files = team.roster(
        at,
        files,
        members=tuple(m._replace(keys=(key,)) if m == bob else m for m in team.first.members),
        removed=(Removed("bob", bob.keys, REPLACED),),
    )
    at = team.make("alice", (at,), files)
    old = team.write("bob", at, "b.gpg")
    refused(team.verify(old), old, Rule.MEMBER, "bob (removed) is no member")
    team.keys["bob"] = key
    tip = team.write("bob", at, "b.gpg")
    assert team.verify(tip).good == tip


# Merges.


def test_a_merge_that_drops_a_roster_or_undoes(team: Team) -> None:
    main = team.add("dave", team.write("alice", team.genesis, "a.gpg"))
    mine = team.write("carol", team.genesis, "c.gpg")
    files = team.files(mine)
    dropped = team.make("carol", (mine, main), files)
    refused(team.verify(dropped), dropped, Rule.RIGHT, "carol may not change")
    by_admin = team.make("alice", (mine, main), files)
    refused(team.verify(by_admin), by_admin, Rule.ROSTER, "its rosters are not those of its parent")
    old = {"a.gpg": team.files(team.genesis)["a.gpg"]}
    undone = team.merge("carol", mine, main, files=old)
    refused(team.verify(undone), undone, Rule.MERGE, "it sets a.gpg back to what it was before both sides")


def test_a_merge_may_change_what_its_signer_may(team: Team) -> None:
    one, other = team.write("alice", team.genesis, "prod/p.gpg"), team.write("carol", team.genesis, "prod/p.gpg")
    fresh = {"prod/p.gpg": team.repository.secret(team.first.recipients("prod"))}
    for files in (
        fresh,
        {"prod/p.gpg": team.files(one)["prod/p.gpg"]},
        {"prod/p.gpg": team.files(other)["prod/p.gpg"]},
    ):
        tip = team.merge("carol", one, other, files=files)
        assert team.verify(tip).good == tip
        by_bob = team.merge("bob", one, other, files=files)
        refused(team.verify(by_bob), by_bob, Rule.RIGHT, "bob may not change prod/p.gpg")
    # What is clean needs no right; what is slipped in does.
    side = team.write("bob", team.genesis, "b.gpg")
    clean = team.merge("bob", side, one)
    assert team.verify(clean).good == clean
    evil = team.merge("bob", side, one, files=fresh)
    refused(team.verify(evil), evil, Rule.RIGHT, "bob may not change prod/p.gpg")


def test_a_merge_of_three(team: Team) -> None:
    sides = tuple(team.write("carol", team.genesis, f"{name}.gpg") for name in "xyz")
    tip = team.make("carol", sides, team.files(sides[0]))
    refused(team.verify(tip), tip, Rule.MERGE, "it has 3 parents")


def test_histories_that_cross_are_judged_as_git_merges_them(team: Team) -> None:
    """Two merge bases that differ: what a clean merge of both would be counts. bob has no right in prod."""
    one, other = team.write("alice", team.genesis, "prod/p.gpg"), team.write("bob", team.genesis, "b.gpg")
    left, right = team.merge("alice", one, other), team.merge("bob", other, one)
    left = team.write("alice", left, "prod/p.gpg")
    tip = team.merge("bob", right, left, onto=1)
    assert team.verify(tip).good == tip
    back = team.merge("bob", right, left, files={"prod/p.gpg": team.files(right)["prod/p.gpg"]})
    refused(team.verify(back), back, Rule.RIGHT, "bob may not change prod/p.gpg")


def test_a_ladder_of_crossings_ends(team: Team) -> None:
    def fresh() -> Files:
        return {"a.gpg": team.repository.secret(team.first.recipients(""))}

    left, right = team.write("carol", team.genesis), team.write("bob", team.genesis)
    for _ in range(60):
        left, right = team.merge("carol", left, right, files=fresh()), team.merge("bob", right, left, files=fresh())
    tip = team.merge("carol", left, right, files=fresh())
    assert team.verify(tip).good == tip


# Unsigned, endorsed, stolen.


def test_an_unsigned_commit_waits_for_who_may(team: Team) -> None:
    good = team.write("bob", team.genesis, "b.gpg")
    phone = team.write(None, good, "prod/p.gpg")
    after = team.write("alice", phone, "a.gpg")
    verdict = team.verify(after)
    assert (verdict.good, verdict.refusals) == (good, ())
    assert [tuple(each) for each in verdict.waiting] == [(phone, ("prod/p.gpg",), ("alice", "carol"))]
    by_bob = team.make("bob", (after,), team.files(after), endorses=(phone,))
    refused(team.verify(by_bob), by_bob, Rule.ENDORSEMENT, "its signer could not do: bob may not change prod/p.gpg")
    by_carol = team.make("carol", (after,), team.files(after), endorses=(phone,))
    assert team.verify(by_carol).good == by_carol
    assert team.verify(by_carol).waiting == ()


def test_what_cannot_be_endorsed(team: Team) -> None:
    signed = team.write("alice", team.genesis, "prod/p.gpg")
    tip = team.make("alice", (signed,), team.files(signed), endorses=("ab" * 20,))
    refused(team.verify(tip), tip, Rule.ENDORSEMENT, "it endorses abababababab, which does not come before it")
    roster = team.add("dave", signed)
    tip = team.make("alice", (roster,), team.files(roster), endorses=(roster,))
    refused(team.verify(tip), tip, Rule.ENDORSEMENT, "it endorses a change of .clave/roster/00002.toml")
    unsigned = team.make(None, (signed,), team.files(signed), endorses=(signed,))
    refused(team.verify(unsigned), unsigned, Rule.ENDORSEMENT, "it endorses another commit and is not signed")


def test_an_endorsement_of_somebody_removed_does_not_come_in(team: Team) -> None:
    main = team.remove("bob", team.genesis)
    phone = team.write(None, team.genesis, "c.gpg")
    branch = team.make("bob", (phone,), team.files(phone), endorses=(phone,))
    tip = team.merge("carol", main, branch)
    refused(team.verify(tip), tip, Rule.MEMBER, "bob (removed) is no member")


def test_what_a_stolen_key_left_has_to_go(team: Team) -> None:
    good = team.write("bob", team.genesis, "b.gpg")
    phone = team.write(None, good, "p.gpg")
    thief = team.make("bob", (phone,), team.secret(phone, "c.gpg"), endorses=(phone,))
    kept = team.remove("bob", thief, STOLEN, good)
    refused(team.verify(kept), kept, Rule.WRONG_HANDS, f"it keeps p.gpg as it was left by {phone[:12]}")
    endorsed = team.remove("bob", thief, STOLEN, good, endorses=(phone,))
    refused(team.verify(endorsed), endorsed, Rule.WRONG_HANDS, f"it keeps c.gpg as it was left by {thief[:12]}")
    both = team.remove("bob", thief, STOLEN, good, endorses=(phone, thief))
    assert team.verify(both).good == both
    cleaned = {path: file for path, file in team.files(thief).items() if path not in ("c.gpg", "p.gpg")}
    restored = team.remove("bob", thief, STOLEN, good, files=cleaned)
    assert team.verify(restored).good == restored
    assert team.verify(team.remove("bob", thief, STOLEN, thief)).refusals == ()
    elsewhere = team.remove("bob", thief, STOLEN, "ab" * 20)
    refused(team.verify(elsewhere), elsewhere, Rule.WRONG_HANDS, "its last_good abababababab does not come before it")


# The beginning.


@pytest.mark.parametrize(
    ("change", "rule", "text"),
    [
        ({"by": None}, Rule.SIGNATURE, "it is not signed"),
        ({"by": "bob"}, Rule.MEMBER, "it is not signed by an admin"),
        ({"facts": {"digest": "SHA1"}}, Rule.SIGNATURE, "its signature uses SHA1, which is weak"),
        ({"without": "bob's certificate"}, Rule.CERTIFICATE, " of bob is missing"),
        ({"without": ".gpg-id"}, Rule.READERS, ".gpg-id is missing"),
        ({"without": ".clave/roster/00001.toml.sig"}, Rule.ROSTER, "roster 1 has no signature"),
        ({"more": "A.gpg"}, Rule.TREE, "differ only in case or form"),
        ({"more": ".clave/roster/notes"}, Rule.ROSTER, "does not hold exactly the rosters 1 to 1"),
    ],
)
def test_a_genesis_that_is_none(team: Team, change: dict[str, Any], rule: Rule, text: str) -> None:
    raw = team.repository.commits[team.genesis]
    without = change.get("without", "").replace("bob's certificate", certificate_path(team.keys["bob"].fpr))
    files = {path: file for path, file in raw.files if path != without}
    if "more" in change:
        files[change["more"]] = team.repository.blob(b"")
    genesis = team.make(change.get("by", "alice"), raw.parents, files, **change.get("facts", {}))
    verdict = team.verify(genesis, genesis=genesis)
    refused(verdict, genesis, rule, text)
    assert (verdict.good, verdict.roster) == ("", None)


def test_a_genesis_with_a_second_roster(team: Team) -> None:
    genesis = team.make("alice", (), team.files(team.add("dave", team.genesis)))
    refused(team.verify(genesis, genesis=genesis), genesis, Rule.ROSTER, "does not hold exactly the rosters 1 to 1")


def test_a_branch_from_before_the_beginning(team: Team) -> None:
    older = team.repository.commits[team.genesis].parents[0]
    branch = team.make("bob", (older,), team.files(older))
    tip = team.merge("carol", team.genesis, branch)
    refused(team.verify(tip), tip, Rule.HISTORY, "which is not the pinned beginning")


@pytest.mark.parametrize("state", [state for state in State if state not in (State.GOOD, State.NONE, State.UNKNOWN)])
def test_every_state_of_a_signature_has_its_words(team: Team, state: State) -> None:
    tip = team.write("bob", team.genesis, state=state)
    refusal = refused(team.verify(tip), tip, Rule.SIGNATURE, "its signature ")
    assert refusal.signer == "bob"


def test_the_read_log_only_grows(team: Team) -> None:
    path = f".clave/log/{team.keys['bob'].fpr}/2026-01.jsonl"

    def log(who: str, parent: str, content: bytes) -> str:
        return team.make(who, (parent,), {**team.files(parent), path: team.repository.blob(content)})

    one = log("bob", team.genesis, b"1\n")
    two = log("bob", one, b"1\n2\n")
    assert team.verify(two).good == two
    for content in (b"", b"2\n", b"1\n3", b"0\n1\n2\n"):
        tip = log("bob", two, content)
        refused(team.verify(tip), tip, Rule.RIGHT, "which may only grow")
    tip = log("alice", two, b"1\n2\n3\n")
    refused(team.verify(tip), tip, Rule.RIGHT, f"alice may not change {path}")
