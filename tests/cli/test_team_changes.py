"""Changes of a team with real keys: what everybody can read after, what others accept, what is refused."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.store.trust import judging, pins
from clave.vcs.git import Repository
from tests.cli.reading import on_terminal, terminal_output
from tests.conftest import Person, forget, make_person, run_as
from tests.teams import ENTRIES, Team, crew, founded, team

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["crew", "founded", "team"]

STOPPED = Path(__file__).parents[1] / "reliability/stopped.py"
CANARY = b"canary-of-prod\n"


@pytest.fixture(scope="module")
def dave() -> Iterator[Person]:
    """Somebody whose key nobody has."""
    made = make_person("dave")
    yield made
    forget(made)


def opens(person: Person, team: Team, name: str, who: str = "alice") -> bool:
    """Whether gpg alone gives a person the entry as it stands in somebody's clone."""
    data = (team.stores[who] / f"{name}.gpg").read_bytes()
    return person.gpg("-d", input=data, check=False) == {**ENTRIES, "prod/new": CANARY}[name]


def accepted(team: Team, by: str = "bob", of: str = "alice") -> None:
    """Hold that the other one's clone takes all that was committed."""
    team.git(by, "fetch", "-q", str(team.stores[of]), "+HEAD:refs/heads/incoming")
    repository = Repository.find(str(team.stores[by]))
    pinned = pins.read_file(str(team.pin_file(by)))
    assert repository is not None
    assert pinned is not None
    verdict = judging.judge(repository, pinned, team.head(of))
    assert (verdict.refusals, verdict.waiting) == ((), ())
    assert verdict.good == team.head(of)
    assert team.git(of, "status", "--porcelain").out == b""


def follow(team: Team, who: str, of: str = "alice") -> None:
    """Bring somebody's clone to where another one is, as sync would."""
    team.git(who, "pull", "-q", "--ff-only", str(team.stores[of]), "HEAD")
    team.clave(who, "verify")


def state(team: Team, who: str = "alice") -> tuple[object, ...]:
    """All that a refused command may not change."""
    pin = {name: value for name, value in team.pin(who).items() if name != "when"}
    return team.head(who), pin, team.git(who, "status", "--porcelain").out, team.tip()


def refused(team: Team, code: int, *args: str, who: str = "alice", **env: str) -> str:
    """Run what must fail in one line, with nothing on stdout and nothing changed; return the line."""
    before = state(team, who)
    done = team.clave(who, *args, code=code, **env)
    assert state(team, who) == before
    assert done.out == b""
    lines = [line for line in done.err.decode().splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err.decode()
    assert b"\x1b" not in done.err
    return lines[0]


# What each does


def test_who_is_granted_a_folder_reads_it_and_who_is_revoked_reads_nothing_new(team: Team) -> None:
    bob = team.people["bob"]
    assert not opens(bob, team, "prod/db")
    before = team.head("alice")
    done = team.clave("alice", "grant", "bob", "prod", "--sure")
    assert "bob gains: prod (read, 1 entry)" in done.err.decode()
    assert team.git("alice", "rev-list", "--count", f"{before}..HEAD").out == b"1\n"
    message = team.git("alice", "log", "-1", "--format=%B%GF").out.decode()
    assert message.startswith("Let bob read prod.\n\nClave-Op: team\nClave-Change: rekey prod/db.gpg\n")
    assert message.rstrip().endswith(team.people["alice"].fingerprint)
    assert opens(bob, team, "prod/db")
    accepted(team)
    assert team.run("alice", "pass", "show", "prod/db").out == ENTRIES["prod/db"]

    done = team.clave("alice", "revoke", "bob", "prod", "--sure")
    assert "bob loses: prod (read, 1 entry)" in done.err.decode()
    assert "Old ciphertext stays in git" in done.err.decode()
    assert not opens(bob, team, "prod/db")
    assert opens(team.people["carol"], team, "prod/db")
    accepted(team)
    team.clave("alice", "insert", "-m", "prod/new", input=CANARY)
    assert not opens(bob, team, "prod/new")
    accepted(team)


def test_a_writer_who_is_no_reader(team: Team) -> None:
    team.clave("alice", "grant", "bob", "prod", "--write-only", "--sure")
    follow(team, "bob")
    team.clave("bob", "insert", "-m", "prod/new", input=CANARY)
    assert not opens(team.people["bob"], team, "prod/new", "bob")
    assert opens(team.people["carol"], team, "prod/new", "bob")
    accepted(team, "carol", "bob")
    team.clave("alice", "revoke", "bob", "prod", "--write", "--sure")
    accepted(team, "carol")


def test_who_is_removed_opens_nothing_more_and_is_told_apart_from_what_they_know(team: Team) -> None:
    team.clave("alice", "group", "add", "ops", "bob", "carol", "--sure")
    done = team.clave("alice", "team", "remove", "carol", "--sure")
    assert [line.split("  ")[0] for line in done.out.decode().splitlines()] == sorted(ENTRIES)
    assert "3 entries have values to change" in done.err.decode()
    for name in ENTRIES:
        assert not opens(team.people["carol"], team, name)
        assert team.run("alice", "pass", "show", name).out == ENTRIES[name]
    assert team.people["carol"].fingerprint not in (team.stores["alice"] / ".gpg-id").read_text()
    accepted(team)
    # What carol commits from now on, in a clone that does not know of it, is taken by nobody.
    team.clave("carol", "insert", "-m", "late", input=b"late\n")
    team.git("alice", "fetch", "-q", str(team.stores["carol"]), "+HEAD:refs/heads/incoming")
    team.git("alice", "merge", "-q", "--no-edit", "incoming")
    assert "carol" in refused(team, 6, "insert", "-m", "x")


def test_a_newcomer_may_nothing_until_it_is_granted(team: Team, dave: Person, tmp_path: Path) -> None:
    file = tmp_path / "dave.key"
    file.write_bytes(dave.gpg("--export", dave.fingerprint))
    line = refused(team, 2, "team", "add", "Dave!", str(file), "--fingerprint", dave.fingerprint)
    assert "'Dave!' cannot be the name of a member" in line
    spaced = " ".join(re.findall("....", dave.fingerprint.lower()))
    done = team.clave("alice", "team", "add", "dave", str(file), "--fingerprint", spaced)
    assert dave.fingerprint in done.err.decode()
    assert "dave may read nothing yet. Grant it: clave grant dave FOLDER" in done.err.decode()
    accepted(team)
    assert not opens(dave, team, "web")
    team.clave("alice", "grant", "dave", ".", "--sure")
    accepted(team)
    assert opens(dave, team, "web")
    assert not opens(dave, team, "prod/db")
    # Who left comes back with the same key.
    team.clave("alice", "team", "remove", "dave", "--sure")
    team.clave("alice", "team", "add", "dave", str(file), "--fingerprint", dave.fingerprint)
    accepted(team)


def test_a_newcomer_from_the_keyring_is_confirmed_by_words(team: Team) -> None:
    mallory = team.people["mallory"]
    team.people["alice"].gpg("--import", input=mallory.gpg("--export", mallory.fingerprint))
    try:
        assert "--fingerprint FINGERPRINT" in refused(team, 2, "team", "add", "mallory", CLAVE_YES="1")
        other = team.people["bob"].fingerprint
        line = refused(team, 6, "team", "add", "mallory", "--fingerprint", other)
        assert mallory.fingerprint in line
        assert other in line
        before = state(team)
        child = on_terminal(team.people["alice"], team.stores["alice"], "team", "add", "mallory")
        child.expect(r"words:\s+(\w+-){7}\w+")
        child.expect("Are these the words that mallory has")
        child.sendline("")
        assert b"nothing was changed" in terminal_output(child)
        assert child.exitstatus == 1
        assert state(team) == before
        child = on_terminal(team.people["alice"], team.stores["alice"], "team", "add", "mallory")
        child.expect("mallory has")
        child.sendline("y")
        assert b"mallory may read nothing yet" in terminal_output(child)
        accepted(team)
    finally:
        team.people["alice"].gpg("--yes", "--delete-keys", mallory.fingerprint)


def test_who_joins_a_group_gains_what_it_has_and_who_leaves_loses_it(team: Team) -> None:
    bob = team.people["bob"]
    team.clave("alice", "group", "add", "@ops", "carol", "--sure")
    team.clave("alice", "grant", "@ops", "prod", "--sure")
    assert not opens(bob, team, "prod/db")
    done = team.clave("alice", "group", "add", "ops", "bob", "--sure")
    assert "bob gains: prod (read, 1 entry)" in done.err.decode()
    assert opens(bob, team, "prod/db")
    assert json.loads(team.clave("alice", "group", "--json").out)["groups"] == [
        {"name": "ops", "members": ["bob", "carol"], "read": ["prod"], "write": []}
    ]
    accepted(team)
    team.clave("alice", "group", "remove", "ops", "bob", "--sure")
    assert not opens(bob, team, "prod/db")
    team.clave("alice", "group", "add", "ops", "bob", "--sure")
    team.clave("alice", "group", "remove", "ops", "--sure")
    assert not opens(bob, team, "prod/db")
    assert opens(team.people["carol"], team, "prod/db")
    assert team.clave("alice", "group").out == b""
    accepted(team)


def test_a_restricted_folder_does_not_see_who_comes_above_it(team: Team, dave: Person, tmp_path: Path) -> None:
    file = tmp_path / "dave.key"
    file.write_bytes(dave.gpg("--export", dave.fingerprint))
    team.clave("alice", "restrict", "team", "--sure")
    team.clave("alice", "team", "add", "dave", str(file), "--fingerprint", dave.fingerprint)
    team.clave("alice", "grant", "dave", ".", "--sure")
    assert (opens(dave, team, "web"), opens(dave, team, "team/wifi")) == (True, False)
    accepted(team)
    done = team.clave("alice", "restrict", "team", "--undo", "--sure")
    assert "dave gains: team (read, 1 entry)" in done.err.decode()
    assert opens(dave, team, "team/wifi")
    assert not (team.stores["alice"] / "team/.gpg-id").exists()
    accepted(team)


def test_a_folder_can_have_rights_before_it_has_entries(team: Team) -> None:
    assert "--new" in refused(team, 3, "grant", "bob", "future", "--sure")
    team.clave("alice", "grant", "bob", "future", "--new", "--sure")
    team.clave("alice", "restrict", "future", "--sure")
    team.clave("alice", "revoke", "carol", "future", "--sure")
    team.clave("alice", "insert", "-m", "future/x", input=CANARY)
    assert team.people["bob"].gpg("-d", input=(team.stores["alice"] / "future/x.gpg").read_bytes()) == CANARY
    assert (
        "No secret key"
        in run_as(team.people["carol"], None, ["gpg", "-d", str(team.stores["alice"] / "future/x.gpg")]).err.decode()
    )
    accepted(team)


def test_another_admin_can_do_the_same(team: Team) -> None:
    assert "clave grant" not in refused(team, 6, "grant", "bob", "prod", "--sure", who="carol")
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    follow(team, "carol")
    team.clave("carol", "grant", "bob", "prod", "--sure")
    assert opens(team.people["bob"], team, "prod/db", "carol")
    accepted(team, "bob", "carol")
    team.clave("carol", "team", "remove", "alice", "--sure")
    assert not opens(team.people["alice"], team, "web", "carol")
    accepted(team, "bob", "carol")
    log = json.loads(team.clave("carol", "team", "log", "--json").out)["log"]
    assert [(each["number"], each["signer"]) for each in log] == [
        (4, "carol"), (3, "carol"), (2, "alice"), (1, "alice")
    ]  # fmt: skip
    assert log[1]["changes"] == ["bob may read prod"]
    assert [each["commit"] for each in log[:2]] == [team.head("carol"), log[1]["commit"]]


def test_what_an_admin_cannot_open_others_finish(team: Team) -> None:
    """alice says who reads a folder that she does not read; carol does the rest."""
    team.clave("alice", "revoke", "alice", "prod", "--sure")
    assert not opens(team.people["alice"], team, "prod/db")
    done = team.clave("alice", "grant", "bob", "prod", "--sure", code=1)
    assert "1 entry that you cannot encrypt anew: others have to" in done.err.decode()
    assert "prod/db. Who reads and writes it does (carol): clave rekey." in done.err.decode()
    assert not opens(team.people["bob"], team, "prod/db")
    accepted(team)
    said = team.clave("alice", "access", "prod").out.decode()
    assert "prod: bob: roster yes, ciphertext no in 1 of 1: rekey due" in said
    assert "1 entry not encrypted as the roster says" in team.clave("alice", "team").err.decode()
    assert "prod/db" in refused(team, 1, "rekey")
    follow(team, "carol")
    team.clave("carol", "rekey")
    assert opens(team.people["bob"], team, "prod/db", "carol")
    accepted(team, "bob", "carol")
    follow(team, "alice", "carol")
    assert "rekey" not in team.clave("alice", "team").err.decode()


def test_what_is_there_already_makes_no_commit(team: Team) -> None:
    before = state(team)
    for words in (
        ["grant", "carol", "prod", "--write"],
        ["restrict", "prod"],
        ["restrict", "team", "--undo"],
        ["team", "role", "bob", "member"],
    ):
        assert b"Nothing to do" in team.clave("alice", *words, "--sure").err
    for words in (["grant", "bob", "prod"], ["team", "remove", "bob"], ["group", "add", "ops", "bob"]):
        assert team.clave("alice", *words, "--dry-run").out == b""
    assert state(team) == before


def test_the_question_is_the_users_own(team: Team) -> None:
    before = state(team)
    for words in (["grant", "bob", "prod"], ["team", "remove", "bob"], ["group", "add", "ops", "bob"]):
        assert "--sure" in refused(team, 2, "--yes", *words, CLAVE_YES="1")
    child = on_terminal(team.people["alice"], team.stores["alice"], "grant", "bob", "prod")
    child.expect(r"bob gains: prod \(read, 1 entry\)")
    child.expect(r"Do that\? \[y/N\]")
    child.sendline("n")
    terminal_output(child)
    assert child.exitstatus == 1
    assert state(team) == before
    child = on_terminal(team.people["alice"], team.stores["alice"], "grant", "bob", "prod")
    child.expect(r"Do that\? \[y/N\]")
    child.sendline("y")
    terminal_output(child)
    assert child.exitstatus == 0
    assert opens(team.people["bob"], team, "prod/db")


def test_a_right_that_is_kept_in_another_way_is_a_finding(team: Team) -> None:
    team.clave("alice", "group", "add", "ops", "bob", "--sure")
    team.clave("alice", "grant", "@ops", "prod", "--sure")
    team.clave("alice", "grant", "bob", "prod", "--sure")
    done = team.clave("alice", "revoke", "bob", "prod", "--sure", code=1)
    assert (
        "bob may read prod through the group @ops. Take the right from it: clave revoke @ops prod" in done.err.decode()
    )
    assert opens(team.people["bob"], team, "prod/db")
    assert "through the group @ops" in refused(team, 2, "revoke", "bob", "prod", "--sure")
    accepted(team)


def test_what_a_thief_wrote_is_not_carried_over_unseen(team: Team) -> None:
    """What bob's key signed after the last good commit, carol's entry among it, is brought back or endorsed first."""
    good = team.head("bob")
    team.clave("bob", "insert", "-m", "-f", "web", input=b"thief\n")
    planted = team.head("bob")
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    words = ("team", "remove", "bob", "--reason", "stolen", "--last-good", good, "--sure")
    line = refused(team, 6, *words)
    assert f"it keeps web.gpg as it was left by {planted[:12]}, whose key was in wrong hands" in line
    assert "clave restore" in line
    team.clave("alice", "restore", "web", "-1")
    team.clave("alice", *words)
    assert team.run("alice", "pass", "show", "web").out == ENTRIES["web"]
    team.clave("alice", "verify", "--all")
    accepted(team, "carol")


@pytest.mark.parametrize("seed", range(int(os.environ.get("CLAVE_TEAMS", "2"))))
def test_whatever_is_changed_everybody_accepts_it_and_each_file_is_for_its_readers(team: Team, seed: int) -> None:
    """Random changes, possible or not; CLAVE_TEAMS is how many rows of them are tried."""
    chance = random.Random(seed)
    done, whole = 0, True
    for _ in range(14):
        who = chance.choice(("bob", "carol", "alice", "@ops", "@dev"))
        name, folder = who.lstrip("@"), chance.choice((".", "prod", "team", "prod/sub"))
        rights = chance.choice(([], ["--write"]))
        words = chance.choice(
            (
                ["grant", who, folder, "--new", *rights],
                ["grant", who, folder, "--new", *rights],
                ["revoke", who, folder, *rights],
                ["restrict", folder, "--new", *chance.choice(([], ["--undo"]))],
                ["group", "add", chance.choice(("ops", "dev")), name],
                ["group", "remove", chance.choice(("ops", "dev")), *chance.choice(([], [name]))],
                ["team", "role", name, chance.choice(("admin", "member"))],
            )
        )
        before = state(team)
        code = team.clave("alice", *words, "--sure", code=None).code
        assert code in (0, 1, 2, 3, 6), words
        assert code in (0, 1) or state(team) == before, words
        whole = whole and code != 1  # else there are entries that alice cannot open
        done += code == 0 and state(team) != before
        accepted(team)
        found = json.loads(team.clave("alice", "access", "--json").out)
        for place in found["places"]:
            for person in place["people"]:
                assert person["read"] == person["listed"], (words, place)
                if whole:
                    assert person["opens"] == (place["entries"] if person["read"] else 0), (words, place)
    assert done


# Bad input


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, "grant bob prod/db", "prod/db is an entry, and rights are given on folders. Its folder is prod"),
        (2, "grant bob web", "Its folder is ."),
        (2, "revoke bob web", "Its folder is ."),
        (2, "restrict web", "Its folder is ."),
        (3, "grant bob prd", "there is no folder prd. Did you mean prod?"),
        (3, "revoke bob prd", "Did you mean prod?"),
        (3, "restrict prd", "Did you mean prod?"),
        (2, "grant bob ../x", "'../x' leads out of the store"),
        (2, "grant bob .git", "'.git' is not a name of an entry"),
        (2, "grant bob -- -x", "'-x' is not a name of an entry"),
        (2, "grant bob {nothing} --sure", "which folder? The whole store is '.'."),
        (2, "revoke bob / --sure", "which folder?"),
        (2, "grant \x1b[31mx prod", "'\\x1b[31mx' is no member"),
        (2, "grant bob \x1b[31mx", "'\\x1b[31mx' is not a name of an entry"),
        (2, "grant bbo prod", "'bbo' is no member. Did you mean bob?"),
        (2, "grant @ops prod", "'@ops' is no group. Groups: none."),
        (2, "grant bob prod --until tomorrow", "'tomorrow' is no date. Write it as 2027-01-31."),
        (2, "grant bob prod --until 2020-01-01", "2020-01-01 has passed"),
        (2, "grant bob prod --write --write-only", "--write and --write-only exclude each other"),
        (2, "revoke bob prod", "bob may not read or write prod anyway. Who may: clave access."),
        (2, "revoke bob team", "because of a right on the store's own folder. Take that one: clave revoke bob ., or"),
        (2, "restrict .", "the store's own folder inherits from nothing"),
        (2, "team remove alice --sure", "alice is the last admin. Make somebody else one first: clave team role NAME"),
        (2, "team role alice member --sure", "alice is the last admin"),
        (2, "team role bob boss --sure", "'boss' is not one of 'admin', 'member'"),
        (2, "team remove dave --sure", "'dave' is no member. Members: alice, bob, carol."),
        (2, "team remove bob --reason stolen --sure", "Say it: --last-good"),
        (7, "team remove bob --last-good nothing --sure", "there is no commit 'nothing'"),
        (3, "team add dave", "no key in your keyring fits 'dave'. Give a file: clave team add dave FILE."),
        (2, "team add dave --key example.org", "several keys fit 'example.org'"),
        (2, "team add dave /nowhere/x.key", "cannot read /nowhere/x.key"),
        (2, "team add bob --key bob --fingerprint {bob}", "bob is a member already"),
        (2, "team add robert --key bob --fingerprint {bob}", "is bob's. Each key belongs to one member."),
        (2, "team add dave x.key --key bob", "--FILE and --key exclude each other"),
        (2, "group add ops dave --sure", "'dave' is no member"),
        (2, "group add Ops! bob --sure", "'Ops!' cannot be the name of a group"),
        (2, "group remove ops --sure", "'@ops' is no group. Groups: none."),
        (2, "group add ops", "missing argument 'MEMBER…'"),
        (2, "init {bob}", "this is a team's store, and its roster says who reads. An admin changes that: clave grant"),
        (2, "init -p prod {bob}", "this is a team's store"),
        (2, "init", "this is a team's store"),
        (3, "access nothing", "nothing is not in the password store"),
        (2, "access ../x", "leads out of the store"),
        (2, "access --who dave", "'dave' is no member"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(founded: Team, code: int, words: str, said: str) -> None:
    known = {name: person.fingerprint for name, person in founded.people.items()}
    argv = [word.format(nothing="", **known) for word in words.split()]
    assert said in refused(founded, code, *argv)


def test_a_member_who_is_no_admin_is_told_whom_to_ask(founded: Team) -> None:
    for words in (
        ["grant", "bob", "prod"],
        ["revoke", "carol", "prod"],
        ["restrict", "team"],
        ["group", "add", "ops", "bob"],
        ["team", "remove", "carol"],
        ["team", "role", "bob", "admin"],
        ["team", "add", "mallory", "--key", founded.people["carol"].fingerprint],
    ):
        line = refused(founded, 6, *words, who="bob")
        assert line == "Error: bob is no admin of the team, who alone may do that. Ask alice."


def test_in_a_plain_store_these_commands_say_that_there_is_no_team(team: Team, tmp_path: Path) -> None:
    alice = team.people["alice"]
    team.stores["alice"] = tmp_path / "plain"
    team.clave("alice", "init", alice.fingerprint)
    for words in (["team"], ["team", "log"], ["grant", "bob", "x"], ["group", "list"], ["access", "--who", "bob"]):
        assert b"this store has no team" in team.clave("alice", *words, code=2).err


def test_a_recipients_file_that_was_edited_stops_the_change(team: Team) -> None:
    (team.stores["alice"] / "prod/.gpg-id").write_text(team.people["mallory"].fingerprint + "\n")
    assert "prod/.gpg-id was changed outside of clave" in refused(team, 6, "grant", "bob", "prod", "--sure")


def test_an_uncommitted_entry_stops_the_change_before_the_work(team: Team) -> None:
    data = (team.stores["alice"] / "web.gpg").read_bytes()
    (team.stores["alice"] / "prod/db.gpg").write_bytes(data)
    assert "prod/db.gpg" in refused(team, 7, "grant", "bob", "prod", "--sure")


def test_an_entry_that_nobody_can_open_keeps_nobody_from_being_removed(team: Team, tmp_path: Path) -> None:
    """It may be there from before the team was."""
    team.stores["alice"] = tmp_path / "old"
    team.clave("alice", "init", team.people["alice"].fingerprint, team.people["bob"].fingerprint)
    team.clave("alice", "insert", "-m", "web", input=ENTRIES["web"])
    (tmp_path / "old/broken.gpg").write_bytes(b"nonsense")
    team.git("alice", "add", ".")
    team.git("alice", "commit", "-q", "-m", "oops")
    team.clave("alice", "team", "init", "--sure")
    done = team.clave("alice", "team", "remove", "bob", "--sure", code=1)
    assert "1 entry is not encrypted as the roster says, and you cannot do it: broken." in done.err.decode()
    assert not opens(team.people["bob"], team, "web")
    assert "broken is no message that may be opened" in team.clave("alice", "access").out.decode()


# Other programs


def test_pass_reads_everything_and_its_signed_commits_count(team: Team) -> None:
    team.clave("alice", "grant", "bob", "prod", "--write", "--sure")
    follow(team, "bob")
    team.sign_as("bob")
    team.run("bob", "pass", "insert", "-m", "prod/new", input=CANARY)
    team.run("bob", "pass", "insert", "-m", "own", input=CANARY)
    team.clave("bob", "verify")
    for name in (*ENTRIES, "prod/new"):
        assert team.run("bob", "pass", "show", name).out == {**ENTRIES, "prod/new": CANARY}[name]
    assert opens(team.people["carol"], team, "prod/new", "bob")
    accepted(team, "carol", "bob")


# Sharing


def test_what_cannot_be_shared_yet_is_done_and_said(team: Team) -> None:
    team.remote.rename(team.folder / "away.git")
    done = team.clave("alice", "team", "remove", "bob", "--sure", code=75)
    # What bob knows is told all the same.
    assert [line.split("  ")[0] for line in done.out.decode().splitlines()] == ["team/wifi", "web"]
    assert "done here, not shared yet" in done.err.decode()
    assert "clave sync" in done.err.decode()
    assert not opens(team.people["bob"], team, "web")
    assert b"1 commit to share: clave sync" in team.clave("alice", "team", "role", "carol", "member", "--sure").err
    (team.folder / "away.git").rename(team.remote)
    team.clave("alice", "sync")
    assert team.tip() == team.head("alice")
    team.clave("carol", "sync")
    assert team.head("carol") == team.head("alice")


def test_two_admins_at_once_both_get_what_they_asked_for(team: Team) -> None:
    """carol's is made again on top of alice's, which she has not seen."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    team.clave("alice", "grant", "bob", "prod", "--sure")
    done = team.clave("carol", "restrict", "team", "--sure")
    assert "Done in roster 4" in done.err.decode()
    assert opens(team.people["bob"], team, "prod/db", "carol")
    team.clave("bob", "sync")
    assert team.head("bob") == team.head("carol") == team.tip()


# A change that is stopped


@pytest.fixture
def many(team: Team) -> tuple[Team, dict[str, bytes]]:
    """The team with 200 more entries in prod, of ten different messages, in a signed commit of plain git."""
    alice, carol = team.people["alice"], team.people["carol"]
    store = team.stores["alice"]
    texts = [f"canary-{number:04}\n".encode() for number in range(10)]
    messages = [alice.gpg("-e", "-r", alice.fingerprint, "-r", carol.fingerprint, input=text) for text in texts]
    plain = {f"prod/f{number % 3}/e{number:04}": number % 10 for number in range(200)}
    for name, at in plain.items():
        path = store / f"{name}.gpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(messages[at])
    team.sign_as("alice")
    team.git("alice", "add", ".")
    team.git("alice", "commit", "-q", "-m", "many")
    team.clave("alice", "sync")
    return team, {name: texts[at] for name, at in plain.items()}


def test_a_grant_that_was_killed_goes_on_where_it_was(many: tuple[Team, dict[str, bytes]]) -> None:
    team, plain = many
    before, count = state(team), team.people["alice"].home / "count"
    argv = [sys.executable, str(STOPPED), "kill", "120", str(count), "grant", "bob", "prod", "--sure"]
    assert run_as(team.people["alice"], team.stores["alice"], argv).code == -9
    assert state(team) == before
    kept = team.stores["alice"] / ".git/clave-rekey"
    assert b"canary" not in kept.read_bytes()
    team.git("alice", "fsck", "--strict")
    argv[2:4] = ["nothing", "0"]
    done = run_as(team.people["alice"], team.stores["alice"], argv)
    assert (done.code, b"201 entries encrypted anew" in done.err) == (0, True), done.err
    assert int(count.read_text()) <= 82  # one secret operation an entry that was left, one for each signature
    assert not kept.exists()
    assert read_all(team.people["bob"], team.stores["alice"]) == {**plain, "prod/db": ENTRIES["prod/db"]}
    accepted(team)
    assert team.git("alice", "fsck", "--strict", "--no-dangling", "--no-progress").out == b""
    assert team.git("alice", "status", "--porcelain").out == b""


def read_all(person: Person, store: Path) -> dict[str, bytes]:
    """What gpg alone makes of all entries of prod."""
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    shutil.copytree(store / "prod", folder / "prod")
    subprocess.run(
        ["gpg", "--batch", "--quiet", "--decrypt-files", *map(str, folder.rglob("*.gpg"))],
        env=person.env(), check=True, capture_output=True,
    )  # fmt: skip
    found = {str(path.relative_to(folder).with_suffix("")): path for path in folder.rglob("*.gpg")}
    plain = {name: path.with_suffix("").read_bytes() for name, path in found.items()}
    shutil.rmtree(folder)
    return plain
