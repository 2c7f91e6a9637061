"""Sync in a team store: what comes is verified, own work merged by the rules, rosters are made again, never merged."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.teams import Team, crew, founded, team

__all__ = ["crew", "founded", "team"]


def offline(team: Team, who: str, *, on: bool = True) -> None:
    """Take the remote away from somebody, or give it back."""
    url = team.folder / ("nowhere.git" if on else "remote.git")
    team.git(who, "remote", "set-url", "origin", str(url))


def show(team: Team, who: str, name: str) -> bytes:
    return team.clave(who, "show", name).out


def same(team: Team, *people: str) -> None:
    """Everybody has the same commit, verified, with nothing left in the work tree."""
    assert {team.head(who) for who in people} == {team.tip()}
    for who in people:
        assert team.git(who, "status", "--porcelain").out == b""
        assert team.pin(who)["upstream"] == team.pin(who)["local"] == team.tip()
        team.clave(who, "verify", "--all")
        assert team.git(who, "for-each-ref", "refs/clave/again").out == b""


@pytest.mark.parametrize("first", ["bob", "carol"])
def test_different_fields_of_one_entry(team: Team, first: str) -> None:
    second = "carol" if first == "bob" else "bob"
    team.clave("bob", "set", "web", "user", input=b"bob\n")
    team.clave("carol", "set", "web", "url", input=b"https://carol\n")
    for who in (first, second, first, "alice"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "alice", "web") == b"web-secret\nuser: bob\nurl: https://carol\n"


def test_the_same_field(team: Team) -> None:
    team.clave("bob", "set", "web", "user", input=b"bob\n")
    team.clave("carol", "set", "web", "user", input=b"carol\n")
    team.clave("carol", "sync")
    told = team.clave("bob", "sync", code=1)
    assert "web" in told.err.decode()
    listed = json.loads(team.clave("bob", "conflicts", "--json", code=1).out)["conflicts"]
    assert [each["name"] for each in listed] == ["web"]
    assert show(team, "bob", "web#user") == b"carol\n"
    assert show(team, "bob", f"{listed[0]['kept']}#user") == b"bob\n"
    team.clave("carol", "sync")
    team.clave("carol", "resolve", "--ours", "web")
    for who in ("carol", "bob", "alice"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "alice", "web#user") == b"bob\n"
    team.clave("alice", "conflicts")


def test_an_entry_of_a_folder_that_got_a_new_reader(team: Team) -> None:
    """What was written offline is encrypted to the readers of the roster that is in force after the merge."""
    team.clave("carol", "set", "prod/db", "port", input=b"5432\n")
    team.clave("alice", "grant", "bob", "prod", "--sure")
    team.clave("carol", "sync")
    team.clave("alice", "sync")
    team.clave("bob", "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "bob", "prod/db#port") == b"5432\n"


def test_two_changes_of_the_roster(team: Team) -> None:
    """Both alice, offline, and carol, who is an admin too, make the next roster: alice's is made again on carol's."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "set", "web", "user", input=b"alice\n")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("alice", "insert", "-m", "prod/later", input=b"later\n")
    team.clave("carol", "restrict", "team", "--sure")
    team.clave("carol", "set", "web", "url", input=b"https://carol\n")
    team.clave("carol", "sync")
    offline(team, "alice", on=False)
    team.clave("alice", "sync")
    for who in ("carol", "bob"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "bob", "web") == b"web-secret\nuser: alice\nurl: https://carol\n"
    assert show(team, "bob", "prod/db") == b"db-secret\nuser: app\nhost: db1\n"
    assert show(team, "bob", "prod/later") == b"later\n"


def test_what_stands_in_the_way_of_a_replay_does_not_stop_it(team: Team) -> None:
    """A file of the admins that both have changed: theirs stays, it is told, and all that comes after it is made."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    for who in ("alice", "carol"):
        team.sign_as(who)
        (team.stores[who] / "README").write_text(f"of {who}\n")
        team.git(who, "add", "README")
        team.git(who, "commit", "-q", "-m", "read me")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("alice", "set", "web", "user", input=b"alice\n")
    team.clave("carol", "restrict", "team", "--sure")
    offline(team, "alice", on=False)
    assert "README" in team.clave("alice", "sync", code=1).err.decode()
    team.clave("carol", "sync")
    same(team, "alice", "carol")
    assert (team.stores["alice"] / "README").read_text() == "of carol\n"
    assert show(team, "carol", "web#user") == b"alice\n"
    assert "bob" in team.clave("carol", "access", "prod").out.decode()


def test_the_same_change_of_the_roster_by_two(team: Team) -> None:
    """Their rosters are the same file, with two signatures."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("alice", "set", "web", "user", input=b"alice\n")
    team.clave("carol", "grant", "bob", "prod", "--sure")
    offline(team, "alice", on=False)
    team.clave("alice", "sync")
    team.clave("carol", "sync")
    same(team, "alice", "carol")
    assert show(team, "carol", "web#user") == b"alice\n"


def test_two_changes_of_the_roster_that_exclude_each_other(team: Team) -> None:
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "insert", "-m", "team/new", input=b"new\n")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("carol", "team", "remove", "bob", "--sure")
    offline(team, "alice", on=False)
    told = team.clave("alice", "sync", code=1)
    assert "bob" in told.err.decode()
    team.clave("carol", "sync")
    same(team, "alice", "carol")
    assert show(team, "carol", "team/new") == b"new\n"


# Commits without a signature


def messages(team: Team, who: str) -> list[str]:
    return team.git(who, "log", "-3", "--format=%an|%B").out.decode().split("\n\n")


def test_own_unsigned_commits_are_signed_again(team: Team) -> None:
    team.run("bob", "pass", "insert", "-m", "team/one", input=b"one\n")
    team.run("bob", "pass", "insert", "-m", "team/two", input=b"two\n")
    before, tree, said = team.head("bob"), team.git("bob", "rev-parse", "HEAD^{tree}").out, messages(team, "bob")
    pin = team.pin("bob")
    refused = team.clave("bob", "sync", code=6)
    assert "--sign" in refused.err.decode()
    assert (team.head("bob"), team.pin("bob")) == (before, pin)
    team.clave("bob", "sync", "--sign")
    assert team.git("bob", "rev-parse", "HEAD^{tree}").out == tree
    assert messages(team, "bob") == said
    team.clave("alice", "sync")
    same(team, "alice", "bob")
    assert show(team, "alice", "team/two") == b"two\n"


def test_also_what_fills_an_empty_remote_is_signed(team: Team) -> None:
    empty = team.folder / "empty.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(empty)], check=True)
    team.git("alice", "remote", "set-url", "origin", str(empty))
    team.set_pin("alice", {**team.pin("alice"), "upstream": "-"})
    team.run("alice", "pass", "insert", "-m", "team/one", input=b"one\n")
    team.clave("alice", "sync", code=6)
    there = ["git", "-C", str(empty), "for-each-ref"]
    assert subprocess.run(there, capture_output=True, check=True).stdout == b""
    team.clave("alice", "sync", "--sign")
    assert team.head("alice").encode() in subprocess.run(there, capture_output=True, check=True).stdout
    assert team.pin("alice")["upstream"] == team.head("alice")


def test_what_the_rules_refuse_is_not_signed(team: Team) -> None:
    store = team.stores["bob"]
    (store / "prod" / "db.gpg").write_bytes((store / "web.gpg").read_bytes())
    team.git("bob", "commit", "-q", "-a", "-m", "swapped")
    before, pin = team.head("bob"), team.pin("bob")
    refused = team.clave("bob", "sync", "--sign", code=6)
    assert "prod/db.gpg" in refused.err.decode()
    assert (team.head("bob"), team.pin("bob")) == (before, pin)
    assert team.tip() != before


def push_unsigned(team: Team, who: str, name: str) -> str:
    """Let somebody push, with pass and plain git, an entry in a commit that is not signed."""
    team.run(who, "pass", "insert", "-m", "-f", name, input=b"unsigned\n")
    team.git(who, "push", "-q", "origin", "main")
    return team.tip()


def test_an_unsigned_commit_waits_to_be_endorsed(team: Team) -> None:
    start = team.head("alice")
    waiting = push_unsigned(team, "carol", "prod/new")
    told = team.clave("bob", "sync", code=6)
    assert waiting[:12] in told.err.decode()
    assert json.loads(team.clave("bob", "sync", "--json", code=6).out)["waiting"][0]["endorsers"] == ["alice", "carol"]
    assert team.head("bob") == team.pin("bob")["local"] == start
    team.clave("bob", "sync", "--endorse", code=6)  # who may not write there
    team.clave("bob", "insert", "-m", "team/own", input=b"own\n")
    held = team.clave("bob", "sync", code=6)
    assert waiting[:12] in held.err.decode()
    assert "alice or carol" in held.err.decode()
    shown = team.clave("alice", "sync", "--endorse").err.decode()
    assert "prod/new.gpg" in shown
    for who in ("bob", "carol", "alice"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "alice", "team/own") == b"own\n"
    assert show(team, "carol", "prod/new") == b"unsigned\n"


def test_own_work_on_top_of_what_waits(team: Team) -> None:
    """Alice pulled it with plain git, and went on with pass: it is hers to endorse, and hers to sign."""
    push_unsigned(team, "carol", "prod/new")
    team.git("alice", "pull", "-q")
    team.clave("alice", "insert", "-m", "team/own", input=b"own\n", code=6)
    team.clave("alice", "git-setup")
    team.run("alice", "pass", "insert", "-m", "team/signed", input=b"signed\n")
    team.git("alice", "config", "commit.gpgsign", "false")
    team.git("alice", "config", "pass.signcommits", "false")
    team.run("alice", "pass", "insert", "-m", "team/unsigned", input=b"unsigned\n")
    before, pin = team.head("alice"), team.pin("alice")
    for some in ((), ("--sign",), ("--endorse",)):
        team.clave("alice", "sync", *some, code=6)
        assert (team.head("alice"), team.pin("alice")) == (before, pin)
    team.clave("alice", "sync", "--endorse", "--sign")
    same(team, "alice")
    team.clave("bob", "sync")
    assert show(team, "bob", "team/unsigned") == b"unsigned\n"


def test_what_git_and_pass_sign_is_accepted(team: Team) -> None:
    told = team.clave("bob", "git-setup").out.decode()
    assert "pass.signcommits" in told
    team.run("bob", "pass", "insert", "-m", "team/one", input=b"one\n")
    team.git("bob", "commit", "-q", "--allow-empty", "-m", "nothing")
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    same(team, "alice", "bob")
    team.clave("bob", "git-setup", "--undo")
    assert team.git("bob", "config", "--local", "--get", "user.signingkey", check=False).code == 1


# What others do


def test_a_right_that_was_taken_meanwhile(team: Team) -> None:
    """What bob wrote when he might is not accepted any more: it stays with him, and he is told."""
    team.clave("alice", "restrict", "team", "--sure")
    team.clave("alice", "grant", "bob", "team", "--write", "--sure")
    team.clave("bob", "sync")
    team.clave("bob", "set", "team/wifi", "user", input=b"bob\n")
    team.clave("alice", "revoke", "bob", "team", "--sure")
    before, pin = team.head("bob"), team.pin("bob")
    told = team.clave("bob", "sync", code=6)
    assert "bob may not change team/wifi" in told.err.decode()
    assert "unshared" in told.err.decode()
    assert team.head("bob") == before
    assert team.pin("bob")["local"] == pin["local"]
    assert team.tip() == team.head("alice")


def test_two_names_that_some_systems_take_for_one(team: Team) -> None:
    team.clave("bob", "insert", "-m", "team/New", input=b"bob\n")
    team.clave("carol", "insert", "-m", "team/new", input=b"carol\n")
    team.clave("carol", "sync")
    told = team.clave("bob", "sync", code=6).err.decode()
    assert "differ only in case" in told
    assert "clave mv" in told
    team.clave("bob", "mv", "team/New", "team/other")
    team.clave("bob", "sync")
    team.clave("carol", "sync")
    same(team, "bob", "carol")
    assert show(team, "carol", "team/other") == b"bob\n"


def test_admins_files_are_not_merged(team: Team) -> None:
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    for who in ("alice", "carol"):
        team.sign_as(who)
        (team.stores[who] / "README").write_text(f"of {who}\n")
        team.git(who, "add", "README")
        team.git(who, "commit", "-q", "-m", "read me")
    team.clave("carol", "sync")
    before = team.head("alice")
    told = team.clave("alice", "sync", code=6)
    assert "README" in told.err.decode()
    assert team.head("alice") == before


def test_a_log_has_the_lines_of_both(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice's own, on two machines."""
    monkeypatch.setitem(team.people, "alice2", team.people["alice"])
    team.join("alice2")
    log = f".clave/log/{team.people['alice'].fingerprint}/2026-11.jsonl"
    for who in ("alice", "alice2"):
        team.sign_as(who)
        path = team.stores[who] / log
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"both": 1}}\n{{"of": "{who}"}}\n')
        team.git(who, "add", log)
        team.git(who, "commit", "-q", "-m", "log")
    team.clave("alice", "sync")
    team.clave("alice2", "sync")
    team.clave("bob", "sync")
    lines = (team.stores["bob"] / log).read_text().splitlines()
    assert sorted(lines) == ['{"both": 1}', '{"of": "alice"}', '{"of": "alice2"}']


def test_a_plain_clone_of_a_store_that_became_a_teams(team: Team) -> None:
    genesis = team.pin("alice")["genesis"]
    team.clone("mallory", "old")
    team.git("mallory", "reset", "-q", "--hard", f"{genesis}^")
    before = team.head("mallory")
    told = team.clave("mallory", "sync", code=6)
    assert "team" in told.err.decode()
    assert "clave pin --root" in told.err.decode()
    assert team.head("mallory") == before
    team.clave("mallory", "git", "pull", "-q", "--ff-only")  # as it says
    words = team.clave("alice", "pin", "--words").out.decode().strip()
    team.clave("mallory", "pin", "--root", words)
    team.clave("mallory", "sync")
    same(team, "alice", "mallory")
    team.git("mallory", "reset", "-q", "--hard", before)
    team.pin_file("mallory").unlink()
    team.git("mallory", "commit", "-q", "--allow-empty", "-m", "own work")
    assert "clave join" in team.clave("mallory", "sync", code=6).err.decode()


def test_several_at_once_in_one_clone(team: Team) -> None:
    argv = [sys.executable, "-m", "clave", "sync"]
    env = team.people["bob"].env(team.stores["bob"])
    for number in range(3):
        team.clave("bob", "insert", "-m", f"team/b{number}", input=b"x\n")
        team.clave("alice", "insert", "-m", f"team/a{number}", input=b"x\n")
        team.clave("alice", "sync")
        running = [subprocess.Popen(argv, env=env, stderr=subprocess.PIPE) for _ in range(3)]
        for each in running:
            _, told = each.communicate()
            assert each.returncode in (0, 75), told.decode()
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    same(team, "alice", "bob")


@pytest.mark.parametrize(
    "words",
    [
        ["pull"],
        ["merge", "origin/main"],
        ["-C", "x", "rebase", "origin/main"],
        ["-c", "core.editor=true", "reset", "--hard", "HEAD~1"],
        ["up"],
        ["upper"],
        ["-c", "alias.x=pull -q", "x"],
        ["shell"],
    ],
)
def test_git_does_not_go_past_verification(team: Team, words: list[str]) -> None:
    for name, value in (("up", "pull --ff-only"), ("upper", "up"), ("shell", "!git fetch && git merge FETCH_HEAD")):
        team.git("alice", "config", f"alias.{name}", value)
    before = team.head("alice")
    told = team.clave("alice", "git", *words, code=6)
    assert "clave sync" in told.err.decode()
    assert team.head("alice") == before
    team.clave("alice", "git", "status")
    team.clave("alice", "git", "fetch")


# A process that dies

KILLED = """
import os, signal, sys
number, count = int(sys.argv[1]), 0
def hook(event, arguments):
    global count
    if event in ("os.posix_spawn", "os.rename", "os.link", "os.remove"):
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from clave.cli.main import main
sys.argv = ["clave", "sync"]
sys.exit(main())
"""


def test_a_replay_that_dies(team: Team) -> None:
    """Wherever it is killed, the next sync goes on, and nothing of alice's is lost."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "set", "web", "user", input=b"alice\n")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("alice", "insert", "-m", "prod/later", input=b"later\n")
    team.clave("carol", "restrict", "team", "--sure")
    team.clave("carol", "set", "web", "url", input=b"https://carol\n")
    team.clave("carol", "sync")
    offline(team, "alice", on=False)
    start, tip, pin = team.head("alice"), team.tip(), team.pin("alice")
    program = team.folder / "killed.py"
    program.write_text(KILLED)
    for number in range(3, 400, 37):
        done = team.run("alice", sys.executable, str(program), str(number), check=False)
        assert done.code in (0, -9), done.err.decode()
        team.clave("alice", "sync")
        same(team, "alice")
        assert show(team, "alice", "web") == b"web-secret\nuser: alice\nurl: https://carol\n"
        assert show(team, "alice", "prod/later") == b"later\n"
        assert "bob" in team.clave("alice", "access", "prod").out.decode()
        if done.code == 0:
            assert number > 50
            return
        subprocess.run(["git", "-C", team.remote, "update-ref", "refs/heads/main", tip], check=True)
        team.git("alice", "reset", "-q", "--hard", start)
        team.git("alice", "update-ref", "refs/remotes/origin/main", tip)
        team.set_pin("alice", pin)
    raise AssertionError("it never came to its end")
